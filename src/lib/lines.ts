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
  readonly chunk: number;
}

/** Whole lines, each with its `\n`; `tooLong` counts lines that ended here and were left out. Both may be empty. */
export interface Lines {
  readonly bytes: Buffer;
  readonly tooLong: number;
}

/** Room for lines of up to `maxLine` bytes without their `\n`, read `chunk` bytes at a time. */
export function lineSpace(maxLine: number, chunk: number): LineSpace {
  return { buffer: Buffer.allocUnsafeSlow(EDGE + maxLine + 1), maxLine, chunk };
}

/**
 * Reads the next whole lines below `limit`, at least one, as many as a chunk holds. `end`: there are none (yet).
 * `changed`: the file is shorter, or does not hold what was read before.
 *
 * The bytes before the line are read once more, in the same call as the line, and compared: a file that was cut to
 * nothing and has grown again past the offset must not go unnoticed between a look at it and the reading.
 */
export async function cutLines(
  source: LineSource,
  limit: number,
  space: LineSpace,
): Promise<Lines | 'end' | 'changed'> {
  if (source.skipped > 0) return passLine(source, limit, space);
  if (limit <= source.offset) return limit === source.offset ? 'end' : 'changed';
  const lead = source.tail.length;
  const start = source.offset - lead;
  const most = Math.min(lead + space.maxLine + 1, limit - start);
  let filled = 0;
  for (let searched = 0; filled < most; ) {
    const wanted = Math.min(space.chunk, most - filled);
    const { bytesRead } = await source.handle.read(space.buffer, filled, wanted, start + filled);
    if (bytesRead === 0) return 'changed';
    filled += bytesRead;
    if (filled <= lead) continue;
    if (searched === 0 && !space.buffer.subarray(0, lead).equals(source.tail)) return 'changed';
    searched = Math.max(searched, lead);
    const last = space.buffer.subarray(searched, filled).lastIndexOf(NEWLINE);
    if (last >= 0) return take(source, space, searched + last + 1);
    searched = filled;
  }
  return keepPart(source, space, filled);
}

/** Takes what lies between the last `\n` and `limit` as a line of its own, without one: nothing more will come. */
export async function cutRest(source: LineSource, limit: number, space: LineSpace): Promise<Lines | 'end' | 'changed'> {
  const length = limit - source.offset;
  if (length <= 0) return length === 0 ? 'end' : 'changed';
  if (source.skipped > 0 || length > space.maxLine) return passTo(source, limit);
  const bytes = await readAt(source.handle, source.offset, length);
  if (bytes.length < length) return 'changed';
  const lead = source.tail.copy(space.buffer);
  bytes.copy(space.buffer, lead);
  return take(source, space, lead + length);
}

const NEWLINE = 10;
const NONE: Lines = { bytes: Buffer.alloc(0), tooLong: 0 };
const ONE_TOO_LONG: Lines = { bytes: Buffer.alloc(0), tooLong: 1 };

/** Moves the source to the end of the lines, which lie in the space behind the source's own tail. */
function take(source: LineSource, space: LineSpace, end: number): Lines {
  const lead = source.tail.length;
  const bytes = space.buffer.subarray(lead, end);
  if (source.head.length < EDGE) {
    source.head = Buffer.concat([source.head, bytes.subarray(0, EDGE - source.head.length)]);
  }
  source.tail = Buffer.from(space.buffer.subarray(Math.max(0, end - EDGE), end));
  source.edge = NONE.bytes;
  source.offset += bytes.length;
  return { bytes, tooLong: 0 };
}

/** No `\n` in sight: the line goes on, or is too long, or begins with a hole. */
function keepPart(source: LineSource, space: LineSpace, filled: number): Lines | 'end' {
  const lead = source.tail.length;
  const part = space.buffer.subarray(lead, filled);
  source.edge = Buffer.from(part.subarray(0, EDGE));
  if (part.length <= space.maxLine) return 'end';
  // A writer that does not append leaves a hole of any size when the log is cut short: no part of the line behind it.
  const hole = countZeros(part);
  if (hole > 0) take(source, space, lead + hole);
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
