import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Addresses, openAddresses } from './core/addresses.ts';
import type { Config } from './core/config.ts';
import { createEngine, type Engine } from './core/engine.ts';
import { type Keeper, startKeeper } from './core/keeper.ts';
import type { Negotiated } from './core/metrics/negotiate.ts';
import type { Pipeline } from './core/pipeline.ts';
import type { AnySource } from './core/source.ts';
import { openState } from './core/state.ts';
import { readVersion } from './core/version.ts';
import type { AnyWriter } from './core/writer.ts';
import { openWriting, type Writing, type WritingOptions } from './core/writing.ts';

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

/** Writers may stand still for so long, in milliseconds. */
const STANDSTILL_MS = 60_000;

/**
 * Reads what all sources hold now, once, delivers it, and gives the exposition. Nothing saved is read or written; what
 * waits for writers lies in a temporary folder meanwhile.
 */
export async function runOnce(options: OnceOptions): Promise<readonly Buffer[]> {
  // It watches nothing, so there is nothing to close.
  const addresses = openAddresses(options.config.addresses, { follow: false, log: options.log });
  const engine = engineOf(options, addresses);
  if (Object.keys(options.config.writers).length === 0) await readAll(options, engine, null);
  else await readAndWrite(options, engine);
  const { pieces } = await engine.scrape(options.view, 'once', async () => {});
  return pieces;
}

async function readAll(
  { since, until, signal }: OnceOptions,
  engine: Engine,
  writing: Writing | null,
  onStart: (pipelines: readonly Pipeline[]) => void = () => {},
): Promise<void> {
  const saved = () => ({ position: null, entries: [] });
  const pipelines = engine.start({ saved, writing, follow: false, range: { since, until }, signal });
  onStart(pipelines);
  await Promise.all(pipelines.map((pipeline) => pipeline.done));
  await Promise.all(pipelines.map((pipeline) => pipeline.sample()));
}

async function readAndWrite(options: OnceOptions, engine: Engine): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trailgauge-once-'));
  try {
    const state = await openState(folder);
    const saved = state.load();
    const { directory } = options;
    const writing = await openWriting({ ...writingOf(options, engine), store: state, saved, directory });
    let pipelines: readonly Pipeline[] = [];
    const keeper = startKeeper({
      state,
      registry: engine.registry,
      scrapers: engine.scrapers,
      pipelines: () => pipelines,
      queue: writing.queue,
      log: options.log,
      onCommit: () => {},
    });
    try {
      const { signal, broken, end } = untilBroken(keeper, options.signal);
      await readAll({ ...options, signal }, engine, writing, (started) => (pipelines = started)).finally(end);
      // What was not read for it is missing, even if it can be saved again now.
      if (broken() !== null) throw new Error(`events on their way to writers: ${broken()}`);
      await keeper.commit();
      await delivered(writing);
    } finally {
      await writing.close();
      await keeper.close().catch(() => {});
      await state.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reading ends when nothing can be saved: there is nobody who would make room. */
function untilBroken(keeper: Keeper, signal: AbortSignal) {
  const stop = new AbortController();
  let problem: string | null = null;
  const timer = setInterval(() => {
    problem ??= keeper.problem();
    if (problem !== null) stop.abort();
  }, 200);
  return {
    signal: AbortSignal.any([signal, stop.signal]),
    broken: () => problem,
    end: () => clearInterval(timer),
  };
}

/** Waits until all is delivered; throws if nothing moves any more. */
async function delivered(writing: Writing): Promise<void> {
  const finished = writing.finish().then(() => true);
  const waiting = () => writing.status().map(({ queue }) => queue.events);
  for (let before = waiting(), since = performance.now(); ; ) {
    const done = await Promise.race([finished, delay(500, false, { ref: true })]);
    if (done) return;
    const now = waiting();
    if (now.some((events, index) => events !== before[index])) {
      before = now;
      since = performance.now();
    } else if (performance.now() - since > STANDSTILL_MS) {
      throw new Error(writing.status().flatMap(missing).join('; '));
    }
  }
}

function missing({ name, queue, problem }: ReturnType<Writing['status']>[number]): readonly string[] {
  if (queue.events === 0) return [];
  return [`writer ${name}: ${queue.events} events are not delivered${problem === null ? '' : `: ${problem}`}`];
}

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

/** What the writers need, whatever they are opened for. */
export function writingOf(
  { config, writers, log, env, now, stdout }: AppOptions,
  { registry }: Engine,
): Omit<WritingOptions, 'store' | 'saved' | 'directory'> {
  return { writers: config.writers, types: writers, registry, log, env, now, ...(stdout && { stdout }) };
}
