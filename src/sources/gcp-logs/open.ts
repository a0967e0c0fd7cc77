import { reportGivenUp } from '../../core/objects/broken.ts';
import { openStore } from '../../core/objects/config.ts';
import { ObjectReader } from '../../core/objects/reader.ts';
import { SeenEvents } from '../../core/seen.ts';
import { DUPLICATE, EXCLUDED, type OpenedSource, type SourceContext } from '../../core/source.ts';
import { durationMs } from '../../lib/duration.ts';
import type { Plan } from '../../lib/objects/plan.ts';
import { shown } from '../../lib/objects/shown.ts';
import type { ObjectStore } from '../../lib/objects/store.ts';
import type { GcpLogsConfig } from './config.ts';
import { type LogEntry, logIdOf } from './entry.ts';
import { toEvent } from './event.ts';
import type { GCP_LOGS_METRICS } from './metrics.ts';
import { Observer } from './observe.ts';
import { sinkFolderPlan, sinkPlan } from './plan.ts';
import { type EntryItem, entryFormat, timeOf } from './read.ts';

/** Opens the source: files of a bucket or a folder, each counted as a whole, each entry once. */
export function openGcpLogs(
  config: GcpLogsConfig,
  context: SourceContext<typeof GCP_LOGS_METRICS>,
  store: ObjectStore = openStore(config, context.env),
): OpenedSource<EntryItem, LogEntry> {
  const { aside, now, name, range, report } = context;
  const { interval, since, logs, top, distinct } = config;
  const reader = new ObjectReader<EntryItem>({
    store,
    plan: planOf(config, now),
    format: entryFormat(range),
    intervalMs: durationMs(interval),
    sinceMs: durationMs(since),
    context,
    onResult: reportGivenUp(report),
  });
  const observer = new Observer({ metrics: aside, top, distinct });
  const seen = new SeenEvents();
  return {
    read: (position) => reader.read(position),
    parse: ({ found }) => {
      if ('rejected' in found) return found;
      // Sinks may overlap, and late entries may have been in time for another file.
      if (seen.isRepeated(found.id)) return DUPLICATE;
      // Where folders are those of logs, all of them are wanted ones.
      return logs.length === 0 || logs.includes(logIdOf(found.logName)) ? found : EXCLUDED;
    },
    observe: (entry, { arrival }) => observer.observe(entry, arrival),
    conclude: (counted) => {
      observer.forget();
      seen.conclude(counted, now());
      reader.conclude(counted);
    },
    timeOf,
    event: (entry, { arrival }) => toEvent({ entry, source: name, arrival }),
    excerpt: ({ text }) => shown(text, 200),
    restore: (entries) => {
      reader.restore(entries);
      seen.restore(entries);
    },
    changes: () => [...reader.takeChanges(), ...seen.takeChanges()],
    remarks: () => [
      ...reader.remarks(),
      ...(logs.length === 0 ? [] : [{ text: `only these logs are read: ${logs.join(', ')}`, bad: false }]),
    ],
    close: async () => store.close(),
  };
}

/** Where the files are looked for; a prefix is a folder. */
export function planOf({ directory, prefix, logs }: GcpLogsConfig, now: () => number): Plan {
  const folder = prefix !== '' && !prefix.endsWith('/') ? `${prefix}/` : prefix;
  const scope = { prefix: folder, logs };
  return directory === null ? sinkPlan(scope, now) : sinkFolderPlan(scope, now);
}
