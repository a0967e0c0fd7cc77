import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { LineSource } from './lines.ts';
import { type Entry, entryOf } from './tail-folder.ts';
import { digest, type Edges, edgesAt, edgesIfSame, type FilePlace, readAt } from './tail-place.ts';
import { isErrno } from './tail-problem.ts';

/** An open file whose lines are being read. */
export interface TailFile extends LineSource {
  /** As last looked at. */
  entry: Entry;
  /** What was seen when all of it had been read; null: there is more to read. */
  settled: Entry | null;
  /** When it had last been written to, at the last look before lines were read (as `Entry.mtime`). */
  mtime: bigint;
  /** Lines before this offset were there before we came. */
  liveFrom: number;
  /** A copy gets no more lines from a writer, a renamed file may. */
  readonly copy: boolean;
}

/** Opens a file at an offset; null if that path names another file by now, or the file is shorter. */
export function openAt(entry: Entry, offset: number): Promise<TailFile | null> {
  return openIf(entry, (handle) => edgesAt(handle, offset));
}

/** Opens a file at a saved place if it holds the same bytes up to there. */
export function openIfSame(entry: Entry, place: FilePlace): Promise<TailFile | null> {
  return openIf(entry, (handle) => edgesIfSame(handle, place));
}

/** Opens a sibling that holds all that was seen of a file, at the same offset. */
export function openCopy(entry: Entry, of: TailFile): Promise<TailFile | null> {
  return openIf(entry, (handle) => edgesOfSame(handle, of), true);
}

/** Opens a file behind its last `\n`. */
export function openAtEnd(entry: Entry): Promise<TailFile | null> {
  return openIf(entry, async (handle) => edgesAt(handle, await endOfLines(handle, entry.size)));
}

/** Looks at the open file again. */
export async function look(file: TailFile): Promise<Entry> {
  file.entry = entryOf(file.entry.path, await file.handle.stat({ bigint: true }));
  return file.entry;
}

/** Whether the file is just as it was when all of it had been read. */
export function isSettled(file: TailFile): boolean {
  const { entry, settled } = file;
  return (
    settled !== null &&
    settled.size === entry.size &&
    settled.mtime === entry.mtime &&
    settled.changed === entry.changed
  );
}

/** Whether the file no longer holds what was seen of it: it was cut short, and may have grown again. */
export async function wasCut(file: TailFile): Promise<boolean> {
  if (file.entry.size < Math.max(file.offset + file.edge.length, file.skipped)) return true;
  return (await edgesOfSame(file.handle, file)) === null;
}

/** Whether nothing has been seen of the file yet. */
export function isUnseen(file: TailFile): boolean {
  return file.offset === 0 && file.edge.length === 0;
}

/** The place after the lines read so far. */
export function placeOf(file: TailFile): FilePlace {
  const { dev, ino } = file.entry;
  const { offset, mtime } = file;
  return { dev, ino, offset, head: digest(file.head), tail: digest(file.tail), mtime: Number(mtime / 1_000_000n) };
}

/** Whether the first `entry.size` bytes of two files agree at both edges. */
export async function holdsSame(entry: Entry, other: Entry): Promise<boolean> {
  if (other.size < entry.size) return false;
  const files: (TailFile | null)[] = [];
  try {
    const file = await openAt(entry, entry.size);
    files.push(file);
    if (file) files.push(await openCopy(other, file));
    return files.length === 2 && files[1] !== null;
  } catch (error) {
    if (isErrno(error)) return false;
    throw error;
  } finally {
    for (const file of files) await file?.handle.close();
  }
}

const STEP = 64 * 1024;

async function endOfLines(handle: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - STEP);
    const last = (await readAt(handle, start, end - start)).lastIndexOf(10);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return 0;
}

/** The edges of what was seen of `of`, if this file holds the same bytes there and the unfinished line behind them. */
async function edgesOfSame(handle: FileHandle, of: TailFile): Promise<Edges | null> {
  const edges = await edgesAt(handle, of.offset);
  if (!edges?.head.equals(of.head) || !edges.tail.equals(of.tail)) return null;
  const part = await readAt(handle, of.offset, of.edge.length);
  return part.equals(of.edge) ? edges : null;
}

async function openIf(entry: Entry, check: (handle: FileHandle) => Promise<Edges | null>, copy = false) {
  // Not blocking: a name that has become a pipe meanwhile must not hold us up.
  const handle = await open(entry.path, constants.O_RDONLY | constants.O_NONBLOCK);
  let file: TailFile | null = null;
  try {
    const seen = entryOf(entry.path, await handle.stat({ bigint: true }));
    const edges = seen.key === entry.key ? await check(handle) : null;
    if (edges === null) return null;
    const fresh = { edge: Buffer.alloc(0), skipped: 0, settled: null, mtime: seen.mtime, liveFrom: 0 };
    file = { handle, entry: seen, ...edges, ...fresh, copy };
    return file;
  } finally {
    if (file === null) await handle.close();
  }
}
