import type { Logger } from 'pino';
import type { Registry } from './metrics/registry.ts';
import type { Scrapers } from './metrics/scrape.ts';
import type { Pipeline } from './pipeline.ts';
import type { Changes, State } from './state.ts';

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
  let failed: Changes | null = null;
  let problem: string | null = null;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  async function run(): Promise<void> {
    const changes = collect(options, failed);
    if (!changes) return;
    const began = performance.now();
    try {
      await state.commit(changes);
      failed = null;
      if (problem !== null) log.info('state is saved again');
      problem = null;
      options.onCommit((performance.now() - began) / 1000);
    } catch (error) {
      failed = changes;
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

/** All that changed, together with what an earlier failure left; null if nothing did. Without any waiting in between. */
function collect({ registry, scrapers, pipelines }: KeeperOptions, failed: Changes | null): Changes | null {
  const sources = pipelines().flatMap((pipeline) => pipeline.takeChanges() ?? []);
  const list = scrapers.takeChanged() ? [...scrapers.list()].map((scraper) => ({ ...scraper })) : null;
  if (!failed && sources.length === 0 && !list && !registry.store.dirty && !registry.owed.dirty) return null;
  const changes = { ...registry.store.take(), owed: registry.owed.take(), scrapers: list, sources };
  return failed ? merge(failed, changes) : changes;
}

/** The earlier changes and the later ones as one: what is said twice counts as said last. */
function merge(earlier: Changes, later: Changes): Changes {
  const sources = new Map(earlier.sources.map((change) => [change.source, change]));
  for (const change of later.sources) {
    const before = sources.get(change.source);
    const entries = new Map([...(before?.entries ?? []), ...change.entries]);
    sources.set(change.source, { ...change, entries: [...entries] });
  }
  return {
    births: [...earlier.births, ...later.births],
    pages: [...new Map([...earlier.pages, ...later.pages].map((page) => [page.page, page])).values()],
    owed: [...new Map([...earlier.owed, ...later.owed].map((owed) => [owed.slot, owed])).values()],
    scrapers: later.scrapers ?? earlier.scrapers,
    sources: [...sources.values()],
  };
}
