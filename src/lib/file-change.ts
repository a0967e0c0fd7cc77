import { statSync } from 'node:fs';
import type { FSWatcher } from 'chokidar';

/** Looks out for changes of one file. Nothing of it keeps the process alive. */
export interface FileChanges {
  /** Resolves when nothing more will be called. */
  close(): Promise<void>;
}

export interface FileChangeOptions {
  /** `fileStamp` from before the file was read last. */
  readonly stamp: string;
  /** Reads the file, which changed and then rested. What it throws is a problem. */
  readonly read: () => Promise<void>;
  /** The file cannot be read. Called once, until it was read or fails in another way. */
  readonly onProblem: (problem: Error) => void;
  /** Milliseconds that a file must rest before it is read: some are written in pieces, in the place of the old one. */
  readonly settleMs: number;
  /** Milliseconds between two looks without a hint. */
  readonly lookMs: number;
}

/** What tells one state of a file from another, through symbolic links. */
export function fileStamp(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return `unreadable ${error instanceof Error && 'code' in error ? error.code : ''}`;
  }
}

/**
 * Has a file read again when it was written anew, replaced by another one, or gone for a while. A watch gives hints; where
 * there are none, as with a symbolic link on the way to the file or on a network, a look now and then finds the change.
 */
export function onFileChange(
  path: string,
  { read, onProblem, settleMs, lookMs, ...options }: FileChangeOptions,
): FileChanges {
  let tried = options.stamp;
  let resting = '';
  let said = '';
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | null = null;

  function soon(): void {
    if (!closed) timer ??= setTimeout(look, settleMs).unref();
  }

  function look(): void {
    timer = undefined;
    const stamp = fileStamp(path);
    if (stamp === tried || closed) return;
    if (reading === null && stamp === resting) {
      tried = stamp;
      reading = attempt();
    } else {
      resting = stamp;
      soon();
    }
  }

  async function attempt(): Promise<void> {
    try {
      await read();
      said = '';
    } catch (cause) {
      const problem = cause instanceof Error ? cause : new Error(String(cause));
      if (problem.message !== said && !closed) onProblem(problem);
      said = problem.message;
    }
    reading = null;
  }

  const looks = setInterval(soon, lookMs).unref();
  const watching = hints(path, soon);
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      clearInterval(looks);
      await (await watching)?.close();
      await reading;
    },
  };
}

/** Without them the looks go on. */
async function hints(path: string, onHint: () => void): Promise<FSWatcher | null> {
  const { watch } = await import('chokidar');
  const watcher = watch(path, { ignoreInitial: true, depth: 0, persistent: false });
  // What changed before it was ready, it does not tell.
  return watcher
    .on('all', onHint)
    .on('ready', onHint)
    .on('error', () => {});
}
