import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Tells when a look at a file may be worth while. Never trusted: who waits also looks when the time is up. */
export interface FileWatch {
  /** Resolves after `ms` milliseconds, sooner when something happens to the file or a sibling, at once on an abort. */
  wait(ms: number): Promise<void>;
  close(): void;
}

/** Watches the folder of a file, for names that begin as its name does, as well as the system can. */
export function watchFile(path: string, signal: AbortSignal): FileWatch {
  const state: State = { path, watcher: null, hinted: false, wake: () => {}, looked: 0 };
  const abort = () => state.wake();
  signal.addEventListener('abort', abort);
  listen(state);
  return {
    wait: (ms) => pause(state, ms, signal),
    close: () => {
      signal.removeEventListener('abort', abort);
      state.watcher?.close();
    },
  };
}

interface State {
  readonly path: string;
  watcher: FSWatcher | null;
  /** Whether something happened since the last wait. */
  hinted: boolean;
  wake: () => void;
  /** When the last wait ended. */
  looked: number;
}

/** A busy log makes events by the thousand: no more than 40 looks a second. */
const REST_MS = 25;

function pause(state: State, ms: number, signal: AbortSignal): Promise<void> {
  if (state.watcher === null) listen(state);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      Object.assign(state, { hinted: false, wake: () => {}, looked: performance.now() });
      resolve();
    };
    let timer = setTimeout(done, ms);
    state.wake = () => {
      clearTimeout(timer);
      timer = setTimeout(done, signal.aborted ? 0 : state.looked + REST_MS - performance.now());
    };
    if (state.hinted || signal.aborted) state.wake();
  });
}

/** Without a folder, or out of watches, there are no hints; the next wait tries again. */
function listen(state: State): void {
  const folder = dirname(state.path);
  const own = basename(state.path);
  const drop = () => {
    state.watcher?.close();
    state.watcher = null;
  };
  try {
    state.watcher = watch(folder, { persistent: false }, (event, name) => {
      // The folder itself was moved or deleted: this watch will tell nothing about the one that takes its place.
      if (event === 'rename' && name === basename(folder)) drop();
      if (state.hinted || (name !== null && !name.startsWith(own))) return;
      state.hinted = true;
      state.wake();
    });
    state.watcher.on('error', drop);
  } catch {
    state.watcher = null;
  }
}
