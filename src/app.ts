import { openAddresses } from './core/addresses.ts';
import type { SavedCells } from './core/cells.ts';
import type { Engine } from './core/engine.ts';
import { type Keeper, startKeeper } from './core/keeper.ts';
import type { Pipeline } from './core/pipeline.ts';
import { savedSource } from './core/saved-source.ts';
import { openState } from './core/state.ts';
import { stateDirectory } from './core/state-directory.ts';
import { openWriting, type Writing } from './core/writing.ts';
import { type AppOptions, engineOf } from './once.ts';
import { writingOf } from './once-writing.ts';
import { type Server, startServer } from './server/server.ts';

/** The program while it runs. */
export interface App {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Resolves when every source knows where it reads from, and that is saved. */
  readonly ready: Promise<void>;
  /** Null, or why it is not well. */
  problem(): string | null;
  /** Ends the sources, saves, and closes what was opened, in reverse order. */
  close(): Promise<void>;
}

/** Starts to follow all sources and to serve what they tell. */
export async function startApp(options: AppOptions): Promise<App> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const addresses = openAddresses(options.config.addresses, { follow: true, log: options.log });
    closers.push(() => addresses.close());
    const engine = engineOf(options, addresses);
    const directory = stateDirectory(options.config.state.directory, options.env);
    const state = await openState(directory);
    closers.push(() => state.close());
    if (state.isNew) options.log.info({ directory }, 'nothing is saved here yet: all totals begin at 0');
    const saved = state.load();
    engine.restore(saved);
    const writing = await openWriting({ ...writingOf(options, engine), store: state, saved, directory });
    let keeper: Keeper | null = null;
    // What cannot be saved at the end was said already, and is read again after the next start.
    closers.push(
      async () => keeper?.close().catch(() => {}),
      () => closeWriting(writing, options.log),
      // Writers can have only what is saved.
      async () => keeper?.commit().catch(() => {}),
    );
    // What is pushed is answered once it is saved.
    const commit = async () => {
      if (!keeper) throw new Error('nothing can be saved yet');
      await keeper.commit();
    };
    const { pipelines, stop } = startSources(engine, { saved, writing, commit });
    closers.push(stop);
    keeper = startKeeper({
      state,
      registry: engine.registry,
      scrapers: engine.scrapers,
      pipelines: () => pipelines,
      queue: writing.queue,
      log: options.log,
      onCommit: (seconds) => engine.own.commitSeconds.observe({}, seconds),
    });
    const { server, ready } = await serve(options, engine, { keeper, pipelines });
    closers.push(() => server.close());
    return { url: server.url, ready, problem: () => keeper.problem(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startSources(
  engine: Engine,
  { saved, writing, commit }: { saved: SavedCells; writing: Writing; commit: () => Promise<void> },
): { pipelines: readonly Pipeline[]; stop: () => Promise<void> } {
  const closing = new AbortController();
  const pipelines = engine.start({
    saved: (name) => savedSource(saved, name),
    writing,
    follow: true,
    range: { since: null, until: null },
    commit,
    signal: closing.signal,
  });
  return {
    pipelines,
    stop: async () => {
      closing.abort();
      await Promise.all(pipelines.map((pipeline) => pipeline.done));
    },
  };
}

async function serve(
  { config, log }: AppOptions,
  engine: Engine,
  { keeper, pipelines }: { readonly keeper: Keeper; readonly pipelines: readonly Pipeline[] },
): Promise<{ server: Server; ready: Promise<void> }> {
  let opening: string | null = 'the sources are being opened';
  const ready = Promise.all(pipelines.map((pipeline) => pipeline.ready))
    .then(() => keeper.commit())
    // The keeper said why, goes on trying, and keeps the program from being ready until it can save.
    .catch(() => {})
    .then(() => {
      opening = null;
    });
  const server = await startServer({
    listen: config.listen,
    log,
    scrape: (asked, scraper) => engine.scrape(asked, scraper, () => keeper.commit()),
    formats: engine.formats,
    status: () => engine.status(keeper.problem()),
    unready: () => opening ?? keeper.problem(),
    receivers: pipelines.flatMap(({ receivers }) => receivers),
  });
  return { server, ready };
}

async function closeWriting(writing: Writing, log: AppOptions['log']): Promise<void> {
  await writing.close();
  for (const { name: writer, queue } of writing.status()) {
    if (queue.events > 0) log.info({ writer, events: queue.events }, 'events wait on disk for the next start');
  }
}
