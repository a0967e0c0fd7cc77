import { tmpdir } from 'node:os';
import { type BackfillResult, runBackfill } from '../backfill.ts';
import type { Size } from '../core/history/write.ts';
import { DURATION_WISH, parseDuration } from '../lib/duration.ts';
import { parseTime, TIME_WISH } from '../lib/time.ts';
import { openOutput } from './backfill-output.ts';
import { progressBar } from './backfill-progress.ts';
import { failed, type Io, OK, USAGE, write } from './io.ts';
import { type ConfigArguments, loadConfig } from './load.ts';
import { createLog } from './log.ts';

export interface BackfillArguments {
  readonly config: ConfigArguments;
  readonly since: string;
  readonly until?: string | undefined;
  readonly step: string;
  /** Written to instead of standard output. */
  readonly output?: string | undefined;
}

/** The shortest step, in milliseconds. */
const SHORTEST_STEP_MS = 1_000;
/** So many samples are some gigabytes: as a rule somebody meant another step. */
const MANY_SAMPLES = 100_000_000;

/** Writes the history of what the sources hold as OpenMetrics with timestamps. */
export async function backfill(args: BackfillArguments, io: Io): Promise<number> {
  const loaded = await loadConfig(args.config, io);
  if (!loaded) return USAGE;
  const { config, types } = loaded;
  const span = spanOf(args, io.now());
  if (typeof span === 'string') {
    await write(io.stderr, `trailgauge: ${span}\n`);
    return USAGE;
  }
  const { env, signal, now } = io;
  const log = await createLog(config.log.level, io.stderr.isTTY === true);
  const bar = progressBar(io.stderr);
  const output = await openOutput(args.output, io.stdout).catch((error: unknown) => failed(io, error, log));
  if (typeof output === 'number') return output;
  try {
    const result = await runBackfill({
      config,
      ...types,
      ...span,
      ...{ env, signal, log, now },
      folder: tmpdir(),
      write: output.write,
      onSize: async (size) => {
        await output.reserve(size.bytes);
        if (size.samples < MANY_SAMPLES) return;
        bar.clear();
        log.warn(sizeFields(size), 'this becomes much: a longer --step makes it less');
      },
      onProgress: bar.show,
    });
    await output.finish();
    bar.clear();
    tell(log, result);
    return OK;
  } catch (error) {
    bar.clear();
    await output.discard();
    return failed(io, error, log);
  }
}

/** Milliseconds since 1970, and the milliseconds of a step. */
interface Span {
  readonly since: number;
  readonly until: number;
  readonly stepMs: number;
}

/** Or what is wrong with the arguments. Nothing is in the future yet, and nothing before 1970 is worth a sample. */
function spanOf(args: BackfillArguments, now: number): Span | string {
  const found = (text: string) => `found ${JSON.stringify(text)}`;
  const since = parseTime(args.since, now);
  if (since === null) return `--since: ${found(args.since)}, wanted ${TIME_WISH}`;
  if (since >= now) return `--since: ${found(args.since)}, wanted a time before now`;
  const until = args.until === undefined ? now : parseTime(args.until, now);
  if (until === null) return `--until: ${found(args.until ?? '')}, wanted ${TIME_WISH}`;
  if (since >= until) {
    return `--until: ${found(args.until ?? '')}, wanted a time after --since ${JSON.stringify(args.since)}`;
  }
  const stepMs = parseDuration(args.step);
  if (stepMs === null || stepMs < SHORTEST_STEP_MS || !Number.isInteger(stepMs)) {
    return `--step: ${found(args.step)}, wanted ${DURATION_WISH}, of 1s at least and of whole milliseconds`;
  }
  if (args.output === '') return `--output: ${found('')}, wanted the name of a file`;
  return { since: Math.max(0, since), until: Math.ceil(Math.min(until, now)), stepMs };
}

function sizeFields({ samples, bytes }: Size) {
  return { samples, gigabytes: Math.ceil(bytes / 1e9) };
}

function tell(log: Awaited<ReturnType<typeof createLog>>, result: BackfillResult): void {
  const { events, series, samples, untimed, limited } = result;
  for (const [source, count] of untimed) {
    const text = 'left out, as nothing tells when these events were: a log without times has no history';
    log.warn({ source, events: count }, text);
  }
  for (const [metric, count] of limited) {
    log.warn(
      { metric, events: count },
      'counted as `other`, as the metric has as many series as metrics.series_limit allows',
    );
  }
  log.info({ events, series, samples }, 'history is written');
}
