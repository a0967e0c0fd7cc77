import { hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** A place in one file: how far its lines have been read, and enough of the bytes to know the file again. */
export interface FilePlace {
  readonly dev: string;
  /** Empty: no file has been read yet. */
  readonly ino: string;
  /** Bytes from the beginning of the file: the end of the last whole line. */
  readonly offset: number;
  /** Hash of the first `EDGE` bytes, of all up to `offset` if they are fewer. */
  readonly head: string;
  /** Hash of the last `EDGE` bytes before `offset`. Both are needed: such logs begin alike after every start. */
  readonly tail: string;
  /** When the file had last been written to, in whole milliseconds since 1970: an older file is no copy of this one. */
  readonly mtime: number;
}

/** Where to go on reading. Plain data for JSON or msgpack, below 700 bytes, mostly below 200. */
export interface FilePosition extends FilePlace {
  /** Files read before this one, oldest first, that may still get lines (renamed just now). */
  readonly before?: readonly FilePlace[];
}

/** How many bytes at either end of what has been read are compared before reading on. */
export const EDGE = 1024;

/** The position before any file has been seen: the first one that appears is read from its first byte. */
export const nowhere: FilePosition = { dev: '', ino: '', offset: 0, head: '', tail: '', mtime: 0 };

/** The bytes at either end of the first `offset` bytes of a file: each `EDGE` long, or as long as all of them. */
export interface Edges {
  readonly offset: number;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** Reads both edges of the first `offset` bytes of a file; null if it is shorter than that. */
export async function edgesAt(handle: FileHandle, offset: number): Promise<Edges | null> {
  const length = Math.min(EDGE, offset);
  const head = await readAt(handle, 0, length);
  const tail = offset <= EDGE ? head : await readAt(handle, offset - length, length);
  return head.length === length && tail.length === length ? { offset, head, tail } : null;
}

/** The edges at a saved place if the file holds the same bytes there, else null. */
export async function edgesIfSame(handle: FileHandle, place: FilePlace): Promise<Edges | null> {
  const edges = await edgesAt(handle, place.offset);
  return edges && digest(edges.head) === place.head && digest(edges.tail) === place.tail ? edges : null;
}

/** A short name for some bytes: 96 bits of SHA-256, empty for no bytes. */
export function digest(bytes: Buffer): string {
  return bytes.length === 0 ? '' : hash('sha256', bytes, 'base64url').slice(0, 16);
}

/** Reads `length` bytes at `start`; fewer if the file ends before. */
export async function readAt(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
