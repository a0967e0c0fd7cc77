import { cutLines, cutRest, type LineSpace, type Lines } from './lines.ts';
import { isSettled, look, placeOf, type TailFile, wasCut } from './tail-file.ts';
import type { Entry } from './tail-folder.ts';
import { type FilePlace, type FilePosition, nowhere } from './tail-place.ts';

/** Lines of one file. */
export interface FileBatch {
  /**
   * Whole lines, each ended by `\n`; the last line of a finished file, or without `follow`, may lack it. Empty when only
   * the position moved. Valid until the next batch is asked for: then the bytes are overwritten.
   */
  readonly bytes: Buffer;
  /** Where `bytes` begins in its file. */
  readonly offset: number;
  readonly dev: string;
  readonly ino: string;
  /** Lines over `maxLine` bytes that ended here and are left out. */
  readonly tooLong: number;
  /** Appended while we follow, so that the moment of reading is its time; false: there before we came. */
  readonly live: boolean;
  /** True once, on an empty batch: all that was there at the start has been given out. */
  readonly caughtUp: boolean;
  /** Where to go on after `bytes`. */
  readonly position: FilePosition;
}

/** A file that was renamed away, looked at until its writer must have left it. */
export interface OldFile {
  readonly file: TailFile;
  readonly until: number;
}

export type Beginning = FilePosition | 'start' | 'end';

/** All that following remembers. The files are read in this order: `old`, `current`, `queue`, the one at the path. */
export interface Trail {
  readonly path: string;
  readonly space: LineSpace;
  readonly signal: AbortSignal;
  readonly pollMs: number;
  readonly lingerMs: number;
  readonly now: () => number;
  readonly onGap: (reason: string) => void;
  /** Where to begin; null once that has been found. */
  from: Beginning | null;
  /** Oldest first. */
  old: OldFile[];
  current: TailFile | null;
  queue: Entry[];
  /** Siblings that are accounted for (`lifeOf`): any other must have come since. */
  known: Set<string>;
  /** When the folder had last changed when `known` was made. */
  scanned: bigint;
  /** Whether there was no file at the path at the last look for the next one. */
  wasEmpty: boolean;
  /** Files that were there when we came, and their sizes then; empty once caught up. */
  there: Map<string, number>;
  /** The last file that was finished. It stays in the position until a line of the next has been read. */
  finished: FilePlace | null;
  /** The position while there is no file. */
  resting: FilePosition;
  /** Since when there has been no file at the path, by `now`; null: there is one. */
  absent: number | null;
  /** Why the file at the path cannot be read, as of the last look. */
  trouble: string | null;
}

const MOST_OLD = 3;
const NOTHING: Lines = { bytes: Buffer.alloc(0), tooLong: 0 };

type Fixed = 'path' | 'space' | 'signal' | 'pollMs' | 'lingerMs' | 'now' | 'onGap' | 'from';

export function newTrail(fixed: Pick<Trail, Fixed>): Trail {
  const resting = typeof fixed.from === 'object' && fixed.from ? fixed.from : nowhere;
  const files = { old: [], current: null, queue: [], finished: null, resting };
  const folder = { known: new Set<string>(), scanned: 0n, wasEmpty: false, there: new Map<string, number>() };
  return { ...fixed, ...files, ...folder, absent: null, trouble: null };
}

/** Where to go on if we were stopped now. */
export function positionOf({ current, old, finished, resting }: Trail): FilePosition {
  const before = old.map(({ file }) => placeOf(file));
  if (current?.offset === 0 && before.length === 0 && finished) before.push(finished);
  const place = current ? placeOf(current) : resting;
  return before.length > 0 ? { ...place, before } : place;
}

/** A batch without lines, that only moves the position. */
export function emptyBatch(trail: Trail, { caughtUp }: { caughtUp: boolean }): FileBatch {
  const position = positionOf(trail);
  const { offset, dev, ino } = position;
  return { ...NOTHING, offset, dev, ino, live: caughtUp, caughtUp, position };
}

/** Gives out the whole lines of a file below `limit`. The result says whether there were any. */
export async function* drain(trail: Trail, file: TailFile, limit: number): AsyncGenerator<FileBatch, boolean> {
  const seen = file.entry;
  let any = false;
  while (!trail.signal.aborted) {
    const to = file.offset < file.liveFrom ? Math.min(limit, file.liveFrom) : limit;
    const { offset } = file;
    const live = offset >= file.liveFrom;
    const lines = await cutLines(file, to, trail.space);
    if (lines === 'changed') return any;
    file.mtime = seen.mtime;
    if (lines !== 'end') {
      if (lines.bytes.length + lines.tooLong === 0) continue;
      any = true;
      yield batchOf(trail, file, { ...lines, offset, live });
    } else if (to < limit) {
      // The rest of a line whose beginning was there before we came.
      file.liveFrom = 0;
    } else {
      file.settled = seen;
      return any;
    }
  }
  return any;
}

/** Gives out what came late to files that were renamed away, and finishes those whose time is up. */
export async function* drainOld(trail: Trail): AsyncGenerator<FileBatch, boolean> {
  let any = false;
  for (const old of [...trail.old]) {
    const { file } = old;
    const { size } = await look(file);
    const cut = !isSettled(file) && (await wasCut(file));
    if (cut) trail.onGap(`${file.entry.path} was cut short after it had been rotated away: lines may be lost`);
    else if (!isSettled(file)) any = (yield* drain(trail, file, size)) || any;
    if (trail.signal.aborted) return any;
    if (!cut && trail.now() < old.until && trail.old.length <= MOST_OLD) continue;
    any = true;
    trail.old = trail.old.filter((other) => other !== old);
    yield await finish(trail, file, cut ? file.offset : size);
  }
  return any;
}

/** Closes a file that gets no more lines. What lies behind its last `\n` is a line, too. */
export async function finish(trail: Trail, file: TailFile, size: number): Promise<FileBatch> {
  const { offset } = file;
  const live = offset >= file.liveFrom;
  try {
    const rest = await cutRest(file, size, trail.space);
    trail.finished = placeOf(file);
    return batchOf(trail, file, { ...(typeof rest === 'string' ? NOTHING : rest), offset, live });
  } finally {
    await file.handle.close();
  }
}

/** Puts a file aside that another has followed. */
export function retire(trail: Trail, file: TailFile): void {
  const now = trail.now();
  // When we came to a file that had been renamed already, its own time tells since when.
  const since = trail.there.has(file.entry.key) ? Math.min(now, Number(file.entry.changed / 1_000_000n)) : now;
  putAside(trail, file, file.copy ? now : since + trail.lingerMs);
}

/** Looks at a file until a time. None is finished before an older one: positions rely on the order. */
export function putAside(trail: Trail, file: TailFile, until: number): void {
  trail.old.push({ file, until: Math.max(until, trail.old.at(-1)?.until ?? 0) });
}

/** Closes all files and forgets which were to follow. */
export async function closeFiles(trail: Trail): Promise<void> {
  const files = [...trail.old.map(({ file }) => file), trail.current];
  Object.assign(trail, { old: [], current: null, queue: [] });
  for (const file of files) await file?.handle.close();
}

function batchOf(trail: Trail, file: TailFile, lines: Lines & { offset: number; live: boolean }): FileBatch {
  const { dev, ino } = file.entry;
  return { ...lines, dev, ino, caughtUp: false, position: positionOf(trail) };
}
