import type { OpenedSource, SourceContext } from '../../core/source.ts';
import { readVersion } from '../../core/version.ts';
import { durationMs } from '../../lib/duration.ts';
import type { PatternExportConfig, ReactionConfig } from './config.ts';
import { toEvent } from './event.ts';
import type { Line } from './lines.ts';
import type { REACTION_METRICS } from './metrics.ts';
import { Observer, type PatternExport } from './observe.ts';
import { type Observed, parsedLine } from './observed.ts';
import { readLog } from './read.ts';
import { rememberingParser } from './remember.ts';
import { createSampler } from './sample.ts';
import { createSettingsKeeper } from './settings-keeper.ts';
import { compileTransforms } from './transform.ts';

type Context = SourceContext<typeof REACTION_METRICS>;

/** Opens the source: one observer, fed by the log, that knows the configuration as reaction has it. */
export function openReaction(config: ReactionConfig, context: Context): OpenedSource<Line, Observed> {
  const { metrics, report, now, follow, addresses } = context;
  let { revision } = addresses;
  const observer = new Observer({
    metrics,
    holdMs: durationMs(config.hold),
    matches: patternExport(config.export.matches),
    actions: patternExport(config.export.actions),
    top: config.top,
    distinct: config.distinct,
    commands: config.export.commands,
    streams: config.export.streams,
    transforms: compileTransforms(config.transform, (error) => report.error(error.message), addresses),
    onHeld: report.duplicate,
    onStart: () => {
      if (follow) settings.refresh();
    },
  });
  const settings = createSettingsKeeper({ config, context, onSettings: (found) => observer.configure(found) });
  const sampler = createSampler({
    config,
    context,
    settings: () => settings.current(),
    tupleSeen: (stream, filter, key) => observer.tupleSeen(stream, filter, key),
    labelsOf: (stream, filter, values) => observer.labelsOf(stream, filter, values),
    pendingCount: patternExport(config.export.pending),
  });
  /** What was read of a database shows in labels. */
  const renewAddresses = () => {
    if (revision !== addresses.revision) observer.configure(settings.current());
    revision = addresses.revision;
  };
  metrics.buildInfo.set({ version: readVersion({}).version }, 1);
  const parse = rememberingParser();
  return {
    prepare: async () => {
      await settings.load();
      if (follow) await settings.watch();
    },
    read: (position) => {
      const onEnd = () => observer.caughtUp(now());
      return readLog(config.logs, position, { ...context, onEnd, taker: observer.repeats });
    },
    parse: (line) => {
      if (line.invocation !== undefined) observer.invocation(line.invocation, line.time);
      return parse(line);
    },
    observe: (item, line) => observer.observe(item, line),
    settle: () => {
      observer.settle();
      renewAddresses();
    },
    timeOf: (line) => line.time,
    event: (item, line) =>
      toEvent({
        line,
        parsed: parsedLine(item, line),
        shape: item.filter?.shape ?? null,
        source: context.name,
        now: now(),
      }),
    excerpt: (line) => line.text.slice(0, 200),
    sample: () => {
      renewAddresses();
      return sampler();
    },
    restore: (entries) => observer.restore(entries),
    changes: () => [...observer.changes()],
    close: settings.close,
  };
}

function patternExport(config: PatternExportConfig): PatternExport {
  if (config === false) return 'off';
  return config === true || config.extra ? 'patterns' : 'plain';
}
