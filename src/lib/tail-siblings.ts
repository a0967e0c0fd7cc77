import { holdsSame, type TailFile } from './tail-file.ts';
import type { Entry, Folder } from './tail-folder.ts';
import { isErrno } from './tail-problem.ts';
import type { Trail } from './tail-trail.ts';

/** Siblings that were not there before. */
export interface Newcomers {
  /** Those that were at the path since, or hold what was cut from there, in order. */
  readonly passed: Entry[];
  /** Copies of what the file at the path still holds. They count once it is cut short, not before. */
  readonly copies: readonly Entry[];
}

/** The siblings that came while we were following a file born at `born` (0: unknown). */
export async function newcomers(trail: Trail, folder: Folder, born: bigint): Promise<Newcomers> {
  const taken = new Set([...trail.old.map(({ file }) => file), trail.current].map((file) => file?.entry.key));
  for (const { key } of trail.queue) taken.add(key);
  const passed: Entry[] = [];
  const copies: Entry[] = [];
  for (const sibling of folder.siblings) {
    if (trail.known.has(lifeOf(sibling)) || taken.has(sibling.key)) continue;
    // An old log that somebody has just unpacked is new, too, but keeps its time.
    if (sibling.size > 0 && sibling.mtime < born) continue;
    ((await isCopyOf(folder.at, sibling)) ? copies : passed).push(sibling);
  }
  return { passed: passed.sort(byAge), copies };
}

/** One file from its birth to its end: inode numbers of deleted files are given out again. */
export function lifeOf({ key, born }: Entry): string {
  return `${key}:${born}`;
}

/** What `followers` is to leave out. */
export interface Except {
  readonly taken: ReadonlySet<string>;
  /** Empty files may get lines yet, unless they were renamed before this time; milliseconds since 1970. */
  readonly emptyBefore: number;
}

/** The siblings that came after a file while we were stopped, in order: only times and contents can tell. */
export async function followers(folder: Folder, file: Entry, { taken, emptyBefore }: Except): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const sibling of folder.siblings) {
    const isNext = sibling.size > 0 ? isLater(sibling, file) : Number(sibling.changed) / 1e6 >= emptyBefore;
    if (taken.has(sibling.key) || !isNext) continue;
    if (!(await isCopyOf(folder.at, sibling)) && !(await isTwin(file, sibling))) found.push(sibling);
  }
  return found.sort(byAge);
}

/** Of the siblings written to at or after `mtime`, the oldest that `open` accepts. */
export async function oldestHolder(
  siblings: readonly Entry[],
  mtime: bigint,
  open: (entry: Entry) => Promise<TailFile | null>,
): Promise<TailFile | null> {
  for (const entry of siblings.filter((sibling) => sibling.mtime >= mtime).sort(byAge)) {
    const file = await openIfAllowed(entry, open);
    if (file) return file;
  }
  return null;
}

/** Opens a sibling; null if that is not possible. */
export async function openIfAllowed(
  entry: Entry,
  open: (entry: Entry) => Promise<TailFile | null>,
): Promise<TailFile | null> {
  try {
    return await open(entry);
  } catch (error) {
    if (isErrno(error)) return null;
    throw error;
  }
}

/** Orders files by when they were last written to, then by when they were made. */
export function byAge(a: Entry, b: Entry): number {
  if (a.mtime !== b.mtime) return a.mtime < b.mtime ? -1 : 1;
  if (a.born !== b.born) return a.born < b.born ? -1 : 1;
  return 0;
}

/** Puts a file that was cut short behind its copies: they are as old as the cut at most. */
export function withCut(queue: readonly Entry[], file: Entry): Entry[] {
  const older = queue.filter(({ mtime }) => mtime <= file.mtime);
  return [...older, file, ...queue.slice(older.length)];
}

/** Enough bytes to say that two files with equal ones are the same log. */
const TELLING = 1024;

/** A file that was copied and cut short within one tick of the clock is as old as its copy, which came before. */
function isLater(sibling: Entry, file: Entry): boolean {
  if (sibling.mtime !== file.mtime) return sibling.mtime > file.mtime;
  return file.size > 0 && sibling.born > file.born;
}

/** Whether a sibling is a copy of what the file still holds, and not a file that was there before it. */
async function isCopyOf(file: Entry | null, sibling: Entry): Promise<boolean> {
  if (file === null || sibling.size === 0) return false;
  const before = sibling.born !== 0n && sibling.born < file.born;
  return !before && (await holdsSame(sibling, file));
}

/** Whether a sibling is somebody's copy of a whole file. */
async function isTwin(file: Entry, sibling: Entry): Promise<boolean> {
  return sibling.size === file.size && file.size >= TELLING && (await holdsSame(sibling, file));
}
