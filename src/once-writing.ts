import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from './core/engine.ts';
import { type Keeper, startKeeper } from './core/keeper.ts';
import type { Pipeline } from './core/pipeline.ts';
import { openState } from './core/state.ts';
import { openWriting, type Writing, type WritingOptions } from './core/writing.ts';
import type { AppOptions, OnceOptions, ReadAll } from './once.ts';

/** Writers may stand still for so long, in milliseconds. */
const STANDSTILL_MS = 60_000;

/** Reads what all sources hold and delivers it; what waits for writers lies in a temporary folder meanwhile. */
export async function readAndWrite(options: OnceOptions, engine: Engine, readAll: ReadAll): Promise<void> {
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
      throwIfUnable(writing);
      const { signal, broken, end } = untilBroken(keeper, options.signal);
      await readAll({ ...options, signal }, engine, writing, (started) => {
        pipelines = started;
      }).finally(end);
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

/** Throws where a writer is not told where to write: nobody will tell it while this runs. */
function throwIfUnable(writing: Writing): void {
  const [unable] = writing.status().filter(({ problem }) => problem !== null);
  if (unable) throw new Error(`writer ${unable.name}: ${unable.problem}`);
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

/** What the writers need, whatever they are opened for. */
export function writingOf(
  { config, writers, log, env, now, stdout }: AppOptions,
  { registry }: Engine,
): Omit<WritingOptions, 'store' | 'saved' | 'directory'> {
  return { writers: config.writers, types: writers, registry, log, env, now, ...(stdout && { stdout }) };
}
