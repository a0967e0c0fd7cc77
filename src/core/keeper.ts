import type { Logger } from 'pino';
import { type Cell, mergeCells } from './cells.ts';
import type { Registry } from './metrics/registry.ts';
import { isChanged, takeSeries } from './metrics/saved.ts';
import type { Scrapers } from './metrics/scrape.ts';
import type { Pipeline } from './pipeline.ts';
import type { State } from './state.ts';

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
  readonly log: Logger;
  /** Told the seconds that each commit took. */
  readonly onCommit: (seconds: number) => void;
}

/** Milliseconds between commits while nobody asks. */
const COMMIT_MS = 1_000;

/** Starts the timer of a keeper. */
export function startKeeper(options: KeeperOptions): Keeper {
  const { state, log } = options;
  let failed: readonly Cell[] = [];
  let problem: string | null = null;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function run(): Promise<void> {
    const cells = collect(options, failed);
    if (cells.length === 0) return;
    const began = performance.now();
    try {
      await state.commit(cells);
      failed = [];
      if (problem !== null) log.info('state is saved again');
      problem = null;
      options.onCommit((performance.now() - began) / 1000);
    } catch (error) {
      failed = cells;
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

  const timer = setInterval(() => commit().catch(() => {}), COMMIT_MS);
  return {
    commit,
    problem: () => problem,
    close: () => {
      clearInterval(timer);
      return commit();
    },
  };
}

/** All that changed, together with what an earlier failure left. Without any waiting in between. */
function collect({ registry, scrapers, pipelines }: KeeperOptions, failed: readonly Cell[]): readonly Cell[] {
  const series = isChanged(registry) ? takeSeries(registry) : [];
  const cells = [...pipelines().flatMap((pipeline) => pipeline.takeCells()), ...series];
  if (scrapers.takeChanged()) cells.push([['scrapers'], scrapers.list().map((scraper) => ({ ...scraper }))]);
  return failed.length > 0 ? mergeCells(failed, cells) : cells;
}
