import { peek } from './lines.ts';
import { begin } from './tail-begin.ts';
import { isSettled, isUnseen, look, type TailFile, wasCut } from './tail-file.ts';
import { type Entry, entryAt } from './tail-folder.ts';
import { accountIfChanged, moveOn, rewind, wasCutUnseen } from './tail-move.ts';
import { nowhere } from './tail-place.ts';
import { isErrno, problemWith } from './tail-problem.ts';
import {
  closeFiles,
  drain,
  drainOld,
  emptyBatch,
  type FileBatch,
  positionOf,
  putAside,
  type Trail,
} from './tail-trail.ts';

/** Looks at everything once and gives out what is new. False: nothing was, it is time to wait. */
export async function* round(trail: Trail): AsyncGenerator<FileBatch, boolean> {
  trail.trouble = null;
  try {
    if (trail.from !== null) return await arrive(trail);
    return trail.current ? yield* readOn(trail, trail.current) : yield* readFirst(trail);
  } catch (error) {
    if (!isErrno(error)) throw error;
    // The open files cannot be relied on any more (a network mount that went away): find them again.
    trail.trouble = problemWith(trail.path, error);
    trail.resting = positionOf(trail);
    trail.from = trail.resting;
    await closeFiles(trail);
    return false;
  }
}

async function arrive(trail: Trail): Promise<boolean> {
  const begun = await attempt(trail, () => begin(trail, trail.from ?? 'start'));
  if (begun) trail.from = null;
  else trail.trouble ??= `${trail.path} does not exist`;
  return begun === true;
}

async function* readFirst(trail: Trail): AsyncGenerator<FileBatch, boolean> {
  const any = yield* drainOld(trail);
  const at = await lookAtPath(trail);
  return (at !== undefined && (yield* goOn(trail))) || any;
}

/**
 * The order matters: what is read from a file was there before its older ones were looked at, so that no line is given
 * out before one that was written earlier, whichever file the writer has open.
 */
async function* readOn(trail: Trail, file: TailFile): AsyncGenerator<FileBatch, boolean> {
  const at = await lookAtPath(trail);
  const { size, links } = await look(file);
  const isAtPath = at?.key === file.entry.key;
  let any = yield* drainOld(trail);
  if (!isSettled(file)) {
    if (await wasCutShort(trail, file)) return startAgain(trail, file);
    any = (yield* drain(trail, file, size)) || any;
  }
  if (trail.signal.aborted || at === undefined) return any;
  if (isAtPath) await accountIfChanged(trail, file);
  else if (at === null && links === 0 && isDue(trail)) leave(trail, file);
  else any = (yield* goOn(trail)) || any;
  return any;
}

async function wasCutShort(trail: Trail, file: TailFile): Promise<boolean> {
  if (!isUnseen(file)) return wasCut(file);
  if (file.entry.path !== trail.path) return false;
  await peek(file);
  if (!(await wasCutUnseen(trail, file))) return false;
  file.edge = Buffer.alloc(0);
  return true;
}

async function startAgain(trail: Trail, file: TailFile): Promise<boolean> {
  await attempt(trail, () => rewind(trail, file));
  return trail.current !== file;
}

async function* goOn(trail: Trail): AsyncGenerator<FileBatch, boolean> {
  if (!(await attempt(trail, () => moveOn(trail)))) return false;
  yield emptyBatch(trail, { caughtUp: false });
  return true;
}

/** A deleted file takes up room as long as it is open: nobody is sure to come and replace it. */
function leave(trail: Trail, file: TailFile): void {
  putAside(trail, file, trail.now());
  trail.current = null;
  trail.resting = nowhere;
}

function isDue({ absent, now, lingerMs }: Trail): boolean {
  return absent !== null && now() >= absent + lingerMs;
}

/** The file at the path; null: none, undefined: it cannot be seen. Within a rotation it may be missing for a moment. */
async function lookAtPath(trail: Trail): Promise<Entry | null | undefined> {
  const at = await attempt(trail, () => entryAt(trail.path));
  if (at === null) trail.absent ??= trail.now();
  else trail.absent = null;
  if (trail.absent !== null && (trail.current === null || trail.now() >= trail.absent + trail.pollMs)) {
    trail.trouble = `${trail.path} does not exist`;
  }
  return at;
}

/** Undefined if the system refuses, which is then the trouble. */
async function attempt<T>(trail: Trail, task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (!isErrno(error)) throw error;
    trail.trouble = problemWith(trail.path, error);
    return undefined;
  }
}
