import { lineSpace } from './lines.ts';
import { openAt } from './tail-file.ts';
import { entryAt } from './tail-folder.ts';
import type { FilePosition } from './tail-place.ts';
import { isErrno, problemWith } from './tail-problem.ts';
import { round } from './tail-round.ts';
import { closeFiles, drain, emptyBatch, type FileBatch, finish, newTrail, type Trail } from './tail-trail.ts';
import { watchFile } from './tail-watch.ts';

export type { FilePosition } from './tail-place.ts';
export type { FileBatch } from './tail-trail.ts';

export interface FollowOptions {
  readonly path: string;
  /** False: read the file from its first byte to its end as of now, and nothing else; its last line may lack a `\n`. */
  readonly follow: boolean;
  /**
   * A position from an earlier batch; `start`: the first byte; `end`: behind the last `\n` of a file that is there, the
   * first byte of one that is not. Ignored without `follow`.
   */
  readonly from: FilePosition | 'start' | 'end';
  readonly signal: AbortSignal;
  /** The longest line in bytes, without its `\n`; 1 MiB. */
  readonly maxLine?: number;
  /** Most bytes read at a time, which is how large a batch is at most, but for a longer line; 1 MiB. The first are smaller. */
  readonly chunk?: number;
  /** How often to look if nothing hints at a change, in milliseconds; 1,000. */
  readonly pollMs?: number;
  /** For how long a file that was renamed away may still get lines, in milliseconds; 10,000. */
  readonly lingerMs?: number;
  /** The clock of `lingerMs`, milliseconds since 1970. */
  readonly now?: () => number;
  /** Called on changes: why the file cannot be read (missing, no permission, a directory), null when it can again. */
  readonly onProblem?: (problem: string | null) => void;
  /** Called when lines were lost, or may have been, with the reason. */
  readonly onGap?: (reason: string) => void;
}

/**
 * Follows a log file through rotation: each line is given out once, in order, also across restarts from a position.
 *
 * With `follow` the first batch comes at once, without lines, to commit its position before anything else. While the
 * file is missing that position has an empty `ino`: whatever appears is read from its first byte. (Only with `from:
 * 'end'` and a file that must not be read it waits until it may be.) A batch with `caughtUp` follows when all that was
 * there has been given out. Ends when the signal is aborted; descriptors are closed then, or when the loop is left.
 *
 * Without `follow`, a file that cannot be read is an error: `cannot read PATH: why`.
 */
export function followFile(options: FollowOptions): AsyncGenerator<FileBatch> {
  return options.follow ? follow(options) : readOnce(options);
}

async function* follow(options: FollowOptions): AsyncGenerator<FileBatch> {
  const trail = trailOf(options);
  const watch = watchFile(trail.path, trail.signal);
  const report = reporter(options.onProblem);
  let greeted = false;
  let caughtUp = false;
  try {
    while (!trail.signal.aborted) {
      const any = yield* round(trail);
      report(trail.trouble);
      if (!greeted && trail.from !== 'end') {
        greeted = true;
        yield emptyBatch(trail, { caughtUp: false });
      } else if (!any && !caughtUp && hasReadAll(trail)) {
        caughtUp = true;
        trail.there.clear();
        yield emptyBatch(trail, { caughtUp: true });
      } else if (!any) {
        await watch.wait(trail.pollMs);
      }
    }
  } finally {
    watch.close();
    await closeFiles(trail);
  }
}

function hasReadAll({ from, trouble, absent }: Trail): boolean {
  return from === null && (trouble === null || absent !== null);
}

/** Tells of a problem once, and of its end. */
function reporter(onProblem: FollowOptions['onProblem']): (problem: string | null) => void {
  let told: string | null = null;
  return (problem) => {
    if (problem === told) return;
    told = problem;
    onProblem?.(problem);
  };
}

async function* readOnce(options: FollowOptions): AsyncGenerator<FileBatch> {
  const { path } = options;
  const trail = trailOf(options);
  try {
    const entry = await entryAt(path);
    const file = entry && (await openAt(entry, 0));
    if (file === null) throw Object.assign(new Error(`${path} does not exist`), { code: 'ENOENT' });
    trail.current = Object.assign(file, { liveFrom: Number.POSITIVE_INFINITY });
    yield* drain(trail, file, file.entry.size);
    if (trail.signal.aborted) return;
    const rest = await finish(trail, file, file.entry.size);
    if (rest.bytes.length + rest.tooLong > 0) yield rest;
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new Error(`cannot read ${path}: ${problemWith(path, error)}`, { cause: error });
  } finally {
    await closeFiles(trail);
  }
}

function trailOf(options: FollowOptions): Trail {
  const { path, signal, from, maxLine = 1024 * 1024, chunk = 1024 * 1024, pollMs = 1000, lingerMs = 10_000 } = options;
  const { now = Date.now, onGap = () => {} } = options;
  return newTrail({ path, signal, from, space: lineSpace(maxLine, chunk), pollMs, lingerMs, now, onGap });
}
