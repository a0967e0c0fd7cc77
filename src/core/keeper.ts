import type { Logger } from 'pino';
import { type Cell, mergeCells } from './cells.ts';
import type { Registry } from './metrics/registry.ts';
import { isChanged, takeSeries } from './metrics/saved.ts';
import type { Scrapers } from './metrics/scrape.ts';
import type { Pipeline } from './pipeline.ts';
import type { Queue } from './queue.ts';
import type { Block, State } from './state.ts';

/** Brings what changed to disk, on a timer and before each answer. */
export interface Keeper {
  /** Resolves when all that is true at the time of the call is on disk; rejects with the reason if it cannot be. */
  commit(): Promise<void>;
  /** Why the last commit failed, or null. */
  problem(): string | null;
  /** Stops the timer and commits once more. */
  close(): Promise<void>;
}

export interface KeeperOptions {
  readonly state: State;
  readonly registry: Registry;
  readonly scrapers: Scrapers;
  readonly pipelines: () => readonly Pipeline[];
  /** Null where nothing is written on. */
  readonly queue: Queue | null;
  readonly log: Logger;
  /** Told the seconds that each commit took. */
  readonly onCommit: (seconds: number) => void;
}

/** Milliseconds between commits while nobody asks. */
const COMMIT_MS = 1_000;

/** Starts the timer of a keeper. */
export function startKeeper(options: KeeperOptions): Keeper {
  const { state, log } = options;
  let failed: Collected = { cells: [], blocks: [] };
  let problem: string | null = null;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function run(): Promise<void> {
    const collected = collect(options, failed);
    if (collected.cells.length === 0) return;
    const began = performance.now();
    try {
      await state.commit(collected.cells, collected.blocks);
      failed = { cells: [], blocks: [] };
      options.queue?.committed();
      if (problem !== null) log.info('state is saved again');
      problem = null;
      options.onCommit((performance.now() - began) / 1000);
    } catch (error) {
      failed = collected;
      const text = error instanceof Error ? error.message : String(error);
      if (text !== problem) log.error({ problem: text }, 'state cannot be saved; metrics are withheld until it can');
      problem = text;
      throw error;
    }
  }

  /** Those who come while a commit is under way share the one after it: the running one may not hold their numbers. */
  function commit(): Promise<void> {
    if (!running) {
      running = run().finally(() => (running = null));
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return commit();
      });
    return next;
  }

  const commitSoon = () => void commit().catch(() => {});
  options.queue?.onFull(commitSoon);
  const timer = setInterval(commitSoon, COMMIT_MS);
  return {
    commit,
    problem: () => problem,
    close: () => {
      clearInterval(timer);
      return commit();
    },
  };
}

interface Collected {
  readonly cells: readonly Cell[];
  readonly blocks: readonly Block[];
}

/** All that changed, together with what an earlier failure left. Without any waiting in between. */
function collect({ registry, scrapers, pipelines, queue }: KeeperOptions, failed: Collected): Collected {
  // First, as it may count events that there was no room for.
  const { cells: queued, blocks } = queue?.take() ?? { cells: [], blocks: [] };
  const series = isChanged(registry) ? takeSeries(registry) : [];
  const cells = [...pipelines().flatMap((pipeline) => pipeline.takeCells()), ...series, ...queued];
  if (scrapers.takeChanged()) cells.push([['scrapers'], scrapers.saved()]);
  if (failed.cells.length === 0) return { cells, blocks };
  return { cells: mergeCells(failed.cells, cells), blocks: [...failed.blocks, ...blocks] };
}
