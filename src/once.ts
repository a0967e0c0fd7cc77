import type { Logger } from 'pino';
import { type Addresses, openAddresses } from './core/addresses.ts';
import type { Config } from './core/config.ts';
import { createEngine, type Engine } from './core/engine.ts';
import type { Negotiated } from './core/metrics/negotiate.ts';
import type { AnySource } from './core/source.ts';
import { readVersion } from './core/version.ts';

/** What every way of running needs. */
export interface AppOptions {
  readonly config: Config;
  readonly sources: readonly AnySource[];
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
}

/** Reads what all sources hold now, once, and gives the exposition. Nothing saved is read or written. */
export async function runOnce(
  options: AppOptions & {
    readonly since: number | null;
    readonly until: number | null;
    readonly view: Negotiated;
    readonly signal: AbortSignal;
  },
): Promise<readonly Buffer[]> {
  const { since, until, signal, view } = options;
  // It watches nothing, so there is nothing to close.
  const addresses = openAddresses(options.config.addresses, { follow: false, log: options.log });
  const engine = engineOf(options, addresses);
  const saved = () => ({ position: null, entries: [] });
  const pipelines = engine.start({ saved, follow: false, range: { since, until }, signal });
  await Promise.all(pipelines.map((pipeline) => pipeline.done));
  await Promise.all(pipelines.map((pipeline) => pipeline.sample()));
  const { pieces } = await engine.scrape(view, 'once', async () => {});
  return pieces;
}

/** The engine for a configuration. */
export function engineOf({ config, sources, env, log, now }: AppOptions, addresses: Addresses): Engine {
  return createEngine({
    metrics: config.metrics,
    sources: config.sources,
    types: sources,
    addresses,
    version: readVersion(env),
    log,
    now,
  });
}
