import { DEFAULT_VIEW, type Negotiated } from '../core/metrics/negotiate.ts';
import { stateDirectory } from '../core/state-directory.ts';
import { parseTime, TIME_WISH } from '../lib/time.ts';
import { runOnce } from '../once.ts';
import { failed, type Io, OK, USAGE, write } from './io.ts';
import { type ConfigArguments, loadConfig } from './load.ts';
import { createLog } from './log.ts';

export interface OnceArguments {
  readonly config: ConfigArguments;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly format: keyof typeof VIEWS;
}

/** What `--format` stands for. */
const VIEWS = {
  text: DEFAULT_VIEW,
  openmetrics: { format: 'openmetrics', version: '1.0.0', escaping: 'underscores' },
} as const satisfies Readonly<Record<string, Negotiated>>;

/** Reads all that the sources hold now and prints the exposition. */
export async function once(args: OnceArguments, io: Io): Promise<number> {
  const loaded = await loadConfig(args.config, io);
  const since = timeOf(args.since, io.now());
  const until = timeOf(args.until, io.now());
  for (const [name, time, text] of [
    ['since', since, args.since],
    ['until', until, args.until],
  ] as const) {
    if (time === undefined)
      await write(io.stderr, `trailgauge: --${name}: found ${JSON.stringify(text)}, wanted ${TIME_WISH}\n`);
  }
  if (!loaded || since === undefined || until === undefined) return USAGE;
  if (since !== null && until !== null && since >= until) {
    const found = `--until: found ${JSON.stringify(args.until)}`;
    await write(io.stderr, `trailgauge: ${found}, wanted a time after --since ${JSON.stringify(args.since)}\n`);
    return USAGE;
  }
  const { config, types } = loaded;
  const log = await createLog(config.log.level, io.stderr.isTTY === true);
  try {
    const { env, now, signal } = io;
    const chunks = await runOnce({
      config,
      ...types,
      directory: stateDirectory(config.state.directory, env),
      stdout: io.stdout,
      log,
      env,
      now,
      signal,
      since,
      until,
      view: VIEWS[args.format],
    });
    for (const chunk of chunks) await write(io.stdout, chunk);
    return OK;
  } catch (error) {
    return failed(io, error, log);
  }
}

/** Null if no time is given, undefined if it is none. */
function timeOf(text: string | undefined, now: number): number | null | undefined {
  return text === undefined ? null : (parseTime(text, now) ?? undefined);
}
