import type { Logger } from 'pino';
import { type Addresses, openAddresses } from './core/addresses.ts';
import type { Config } from './core/config.ts';
import { createEngine, type Engine } from './core/engine.ts';
import type { Negotiated } from './core/metrics/negotiate.ts';
import type { Pipeline } from './core/pipeline.ts';
import type { AnySource } from './core/source.ts';
import { readVersion } from './core/version.ts';
import type { AnyWriter } from './core/writer.ts';
import type { Writing } from './core/writing.ts';

/** What every way of running needs. */
export interface AppOptions {
  readonly config: Config;
  readonly sources: readonly AnySource[];
  readonly writers: readonly AnyWriter[];
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  /** Where the writer `stdout` writes, if it is not the process's own. */
  readonly stdout?: NodeJS.WritableStream;
}

export interface OnceOptions extends AppOptions {
  readonly since: number | null;
  readonly until: number | null;
  readonly view: Negotiated;
  /** Where refused events are kept. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/**
 * Reads what all sources hold now, once, delivers it, and gives the exposition. Nothing saved is read or written; what
 * waits for writers lies in a temporary folder meanwhile.
 */
export async function runOnce(options: OnceOptions): Promise<readonly Buffer[]> {
  // It watches nothing, so there is nothing to close.
  const addresses = openAddresses(options.config.addresses, { follow: false, log: options.log });
  const engine = engineOf(options, addresses);
  if (Object.keys(options.config.writers).length === 0) await readAll(options, engine, null);
  // What keeps events on disk takes as long to load as all else.
  else await (await import('./once-writing.ts')).readAndWrite(options, engine, readAll);
  const { pieces } = await engine.scrape(options.view, 'once', async () => {});
  return pieces;
}

/** Reads what all sources hold; `onStart` is told before they begin. */
export type ReadAll = (
  options: Pick<OnceOptions, 'since' | 'until' | 'signal'>,
  engine: Engine,
  writing: Writing | null,
  onStart?: (pipelines: readonly Pipeline[]) => void,
) => Promise<void>;

const readAll: ReadAll = async ({ since, until, signal }, engine, writing, onStart) => {
  const saved = () => ({ position: null, entries: [] });
  const pipelines = engine.start({ saved, writing, follow: false, range: { since, until }, signal });
  onStart?.(pipelines);
  await Promise.all(pipelines.map((pipeline) => pipeline.done));
  await Promise.all(pipelines.map((pipeline) => pipeline.sample()));
};

/** The engine for a configuration. */
export function engineOf({ config, sources, env, log, now }: AppOptions, addresses: Addresses): Engine {
  return createEngine({
    metrics: config.metrics,
    sources: config.sources,
    types: sources,
    writers: config.writers,
    addresses,
    version: readVersion(env),
    log,
    env,
    now,
  });
}
