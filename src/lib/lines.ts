import type { FileHandle } from 'node:fs/promises';
import { EDGE, edgesAt, readAt } from './tail-place.ts';

/** A file that is being cut into lines. The cutting moves the fields on. */
export interface LineSource {
  readonly handle: FileHandle;
  /** Where the next line begins. */
  offset: number;
  /** The first bytes of the file, at most `EDGE`, none after `offset`. */
  head: Buffer;
  /** The bytes before `offset`: `EDGE` of them, or all. */
  tail: Buffer;
  /** The first bytes, at most `EDGE`, of a line whose end has not come yet. */
  edge: Buffer;
  /** While a line that is too long is passed over: how far it has been read. Else 0. */
  skipped: number;
}

/** Where lines are read into, made once: its bytes are overwritten by the next cut. */
export interface LineSpace {
  readonly buffer: Buffer;
  readonly maxLine: number;
  /** Bytes read next: it doubles up to `largest`, so that the first lines come soon. */
  chunk: number;
  readonly largest: number;
}

/** Whole lines, each with its `\n`; `tooLong` counts lines that ended here and were left out. Both may be empty. */
export interface Lines {
  readonly bytes: Buffer;
  readonly tooLong: number;
}

/** Room for lines of up to `maxLine` bytes without their `\n`, read up to `largest` bytes at a time. */
export function lineSpace(maxLine: number, largest: number): LineSpace {
  return { buffer: Buffer.allocUnsafeSlow(maxLine + 1), maxLine, chunk: Math.min(FIRST_CHUNK, largest), largest };
}

/**
 * Reads the next whole lines below `limit`, at least one, as many as a chunk holds. `end`: there are none (yet).
 * `changed`: the file is shorter, or does not hold what was seen before.
 */
export async function cutLines(
  source: LineSource,
  limit: number,
  space: LineSpace,
): Promise<Lines | 'end' | 'changed'> {
  if (source.skipped > 0) return passLine(source, limit, space);
  const most = Math.min(space.buffer.length, limit - source.offset);
  if (most <= 0) return most === 0 ? 'end' : 'changed';
  let filled = 0;
  let end = 0;
  while (filled < most && end === 0) {
    const wanted = Math.min(space.chunk, most - filled);
    const { bytesRead } = await source.handle.read(space.buffer, filled, wanted, source.offset + filled);
    if (bytesRead === 0) return 'changed';
    const last = space.buffer.subarray(filled, filled + bytesRead).lastIndexOf(NEWLINE);
    if (last >= 0) end = filled + last + 1;
    filled += bytesRead;
    space.chunk = Math.min(2 * space.chunk, space.largest);
  }
  const bytes = space.buffer.subarray(0, filled);
  if (!(await isAsSeen(source, bytes))) return 'changed';
  return end > 0 ? take(source, bytes.subarray(0, end)) : keepPart(source, space, bytes);
}

/** Notes the first bytes of the line that comes next, so that `cutLines` tells if they are no longer the same. */
export async function peek(source: LineSource): Promise<void> {
  source.edge = await readAt(source.handle, source.offset, EDGE);
}

/** Takes what lies between the last `\n` and `limit` as a line of its own, without one: nothing more will come. */
export async function cutRest(source: LineSource, limit: number, space: LineSpace): Promise<Lines | 'end' | 'changed'> {
  const length = limit - source.offset;
  if (length <= 0) return length === 0 ? 'end' : 'changed';
  if (source.skipped > 0 || length > space.maxLine) return passTo(source, limit);
  const bytes = await readAt(source.handle, source.offset, length);
  return bytes.length === length && (await isAsSeen(source, bytes)) ? take(source, bytes) : 'changed';
}

const NEWLINE = 10;
const FIRST_CHUNK = 64 * 1024;
const NONE: Lines = { bytes: Buffer.alloc(0), tooLong: 0 };
const ONE_TOO_LONG: Lines = { bytes: Buffer.alloc(0), tooLong: 1 };

/**
 * Whether the file holds what was seen before, now that `bytes` have been read behind it. Only a look afterwards proves
 * that these belong to it: a file may be cut to nothing and grow past the offset at any moment.
 */
async function isAsSeen({ handle, offset, tail, edge }: LineSource, bytes: Buffer): Promise<boolean> {
  const part = bytes.subarray(0, EDGE);
  if (!part.subarray(0, edge.length).equals(edge.subarray(0, part.length))) return false;
  const again = await readAt(handle, offset - tail.length, tail.length + part.length);
  return again.equals(Buffer.concat([tail, part]));
}

/** Moves the source to the end of the lines. */
function take(source: LineSource, bytes: Buffer): Lines {
  if (source.head.length < EDGE) {
    source.head = Buffer.concat([source.head, bytes.subarray(0, EDGE - source.head.length)]);
  }
  source.tail = Buffer.concat([source.tail, bytes.subarray(-EDGE)]).subarray(-EDGE);
  source.edge = NONE.bytes;
  source.offset += bytes.length;
  return { bytes, tooLong: 0 };
}

/** No `\n` in sight: the line goes on, or is too long, or begins with a hole. */
function keepPart(source: LineSource, space: LineSpace, part: Buffer): Lines | 'end' {
  source.edge = Buffer.from(part.subarray(0, EDGE));
  if (part.length <= space.maxLine) return 'end';
  // A writer that does not append leaves a hole of any size when the log is cut short: no part of the line behind it.
  const hole = countZeros(part);
  if (hole > 0) take(source, part.subarray(0, hole));
  else source.skipped = source.offset + part.length;
  return NONE;
}

function countZeros(bytes: Buffer): number {
  let count = 0;
  while (count < bytes.length && bytes[count] === 0) count++;
  return count;
}

/** Looks one chunk further for the end of a line that is too long. */
async function passLine(source: LineSource, limit: number, space: LineSpace): Promise<Lines | 'end' | 'changed'> {
  const wanted = Math.min(space.chunk, space.buffer.length, limit - source.skipped);
  if (wanted <= 0) return wanted === 0 ? 'end' : 'changed';
  const { bytesRead } = await source.handle.read(space.buffer, 0, wanted, source.skipped);
  if (bytesRead === 0) return 'changed';
  const end = space.buffer.subarray(0, bytesRead).indexOf(NEWLINE);
  if (end >= 0) return passTo(source, source.skipped + end + 1);
  source.skipped += bytesRead;
  return NONE;
}

async function passTo(source: LineSource, offset: number): Promise<Lines | 'changed'> {
  const edges = await edgesAt(source.handle, offset);
  if (edges === null) return 'changed';
  Object.assign(source, { ...edges, edge: NONE.bytes, skipped: 0 });
  return ONE_TOO_LONG;
}
