import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { type Progress, runBackfill } from '../backfill.ts';
import { DURATION_WISH, parseDuration } from '../lib/duration.ts';
import { parseTime, TIME_WISH } from '../lib/time.ts';
import { TYPES } from './catalogue.ts';
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

/** Writes the history of what the sources hold as OpenMetrics with timestamps. */
export async function backfill(args: BackfillArguments, io: Io): Promise<number> {
  const config = await loadConfig(args.config, io);
  if (!config) return USAGE;
  const now = io.now();
  const since = parseTime(args.since, now);
  const until = args.until === undefined ? now : parseTime(args.until, now);
  const stepMs = parseDuration(args.step);
  const wrong = wrongIn(args, { since, until, stepMs });
  if (wrong !== null || since === null || until === null || stepMs === null) {
    await write(io.stderr, `trailgauge: ${wrong}\n`);
    return USAGE;
  }
  const log = await createLog(config.log.level, io.stderr.isTTY === true);
  const output = openOutput(args.output, io);
  const bar = progressBar(io);
  try {
    const { env, signal } = io;
    const told = { env, signal, log, now: io.now, since, until: Math.min(until, now), stepMs };
    const { events, series, untimed } = await runBackfill({
      config,
      ...TYPES,
      ...told,
      write: output.write,
      onProgress: bar.show,
    });
    await output.finish();
    bar.clear();
    if (untimed > 0) log.warn({ events: untimed }, 'events without a time are left out');
    log.info({ events, series }, 'history is written');
    return OK;
  } catch (error) {
    bar.clear();
    await output.discard();
    return failed(io, error, log);
  }
}

interface Times {
  readonly since: number | null;
  readonly until: number | null;
  readonly stepMs: number | null;
}

function wrongIn(args: BackfillArguments, { since, until, stepMs }: Times): string | null {
  const found = (text: string | undefined) => `found ${JSON.stringify(text)}`;
  if (since === null) return `--since: ${found(args.since)}, wanted ${TIME_WISH}`;
  if (until === null) return `--until: ${found(args.until)}, wanted ${TIME_WISH}`;
  if (since >= until) return `--until: ${found(args.until)}, wanted a time after --since ${JSON.stringify(args.since)}`;
  if (stepMs === null || stepMs < SHORTEST_STEP_MS || !Number.isInteger(stepMs)) {
    return `--step: ${found(args.step)}, wanted ${DURATION_WISH}, of 1s at least`;
  }
  return null;
}

interface Output {
  write(text: string): Promise<void>;
  /** All was written. */
  finish(): Promise<void>;
  /** What was written is of no use. */
  discard(): Promise<void>;
}

/** A file gets its name when it is whole. */
function openOutput(path: string | undefined, { stdout }: Io): Output {
  if (path === undefined) {
    return { write: (text) => write(stdout, text), finish: async () => {}, discard: async () => {} };
  }
  const partial = `${path}.partial`;
  const stream = createWriteStream(partial);
  const failure = new Promise<never>((_, reject) => {
    stream.on('error', (cause) => reject(new Error(`--output: cannot write ${partial}: ${cause.message}`, { cause })));
  });
  failure.catch(() => {});
  const closed = () => new Promise<void>((resolve) => stream.end(() => resolve()));
  return {
    write: (text) => Promise.race([write(stream, text), failure]),
    finish: async () => {
      await Promise.race([closed(), failure]);
      await rename(partial, path);
    },
    discard: async () => {
      stream.destroy();
      await rm(partial, { force: true });
    },
  };
}

/** Characters of the bar. */
const BAR = 30;

/** One line on a terminal that tells how far it is; nothing elsewhere. */
function progressBar({ stderr }: Io): { show(progress: Progress): void; clear(): void } {
  if (stderr.isTTY !== true) return { show: () => {}, clear: () => {} };
  return {
    show: (progress) => void stderr.write(`\r\x1b[K${progressText(progress)}`),
    clear: () => void stderr.write('\r\x1b[K'),
  };
}

function progressText({ events, newest, series, written }: Progress): string {
  const count = `${events.toLocaleString('en')} events, ${series.toLocaleString('en')} series`;
  if (written === null) {
    return `reading  ${count}${newest === null ? '' : `, at ${new Date(newest).toISOString().slice(0, 19)}Z`}`;
  }
  const full = Math.round(written * BAR);
  return `writing  [${'#'.repeat(full)}${' '.repeat(BAR - full)}] ${Math.round(written * 100)} %  ${count}`;
}
