import type { Writable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';

/** Most bytes that an object may unpack to. */
export const UNPACKED_LIMIT = 16 * 2 ** 30;

/** An error that is the fault of the content, and not of who delivered it. */
export function brokenError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { broken: true });
}

/** Whether an error is the fault of the content. */
export function isBroken(error: unknown): boolean {
  return (error as { broken?: boolean } | null)?.broken === true;
}

/**
 * Bytes that are handed on at once: some times as many as are read at once, so that a log need not be waited for several
 * times for each piece of it, and a small object takes no more than it needs.
 */
const LEAST_CHUNK = 64 * 1024;
const MOST_CHUNK = 2 * 1024 * 1024;
const GROWTH = 16;

/**
 * The content of an object, unpacked if it begins as gzip does (RFC 1952), whatever its name says: all members, one after
 * the other. Throws a `brokenError` for what is cut short, damaged, or unpacks to more than `limit` bytes, perhaps after
 * most of it was handed on: nothing of it can be relied on before the end.
 */
export async function* unpacked(body: AsyncIterable<Buffer>, limit: number = UNPACKED_LIMIT): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of unzipped(body)) {
    total += chunk.length;
    if (total > limit) throw brokenError(`unpacks to more than ${limit} bytes`);
    yield chunk;
  }
}

async function* unzipped(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    const first = await beginning(chunks);
    if (first.length === 0) return;
    if (first[0] === 0x1f && first[1] === 0x8b) {
      yield* gunzipped(first, chunks);
      return;
    }
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}

/** At least two bytes, if there are that many. */
async function beginning(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    bytes = bytes.length === 0 ? next.value : Buffer.concat([bytes, next.value]);
  }
  return bytes;
}

async function* gunzipped(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, GROWTH * first.length)) });
  let failure: unknown = null;
  const feed = async () => {
    try {
      for (let chunk: Buffer | null = first; chunk !== null && !gunzip.destroyed; chunk = await nextOf(chunks)) {
        if (!gunzip.write(chunk) && !gunzip.destroyed) await drained(gunzip);
      }
      gunzip.end();
    } catch (error) {
      // Of the one who delivers, unless the content was found broken before.
      if (!gunzip.destroyed) failure = error;
      gunzip.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const fed = feed();
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    if (failure !== null) throw failure;
    throw brokenError(`is no sound gzip: ${error instanceof Error ? error.message : String(error)}`, error);
  } finally {
    gunzip.destroy();
    await fed;
  }
}

/** Resolves when more can be written, or nothing any more. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      stream.off('drain', end).off('close', end);
      resolve();
    };
    stream.on('drain', end).on('close', end);
  });
}

async function nextOf(chunks: AsyncIterator<Buffer>): Promise<Buffer | null> {
  const next = await chunks.next();
  return next.done ? null : next.value;
}

/** A piece of input that was read as a whole, unpacked if it is gzip. Throws a `brokenError` if it is not sound. */
export function unzippedInput(input: Buffer): Buffer {
  if (input[0] !== 0x1f || input[1] !== 0x8b) return input;
  try {
    return gunzipSync(input, { maxOutputLength: INPUT_LIMIT });
  } catch (cause) {
    throw brokenError(`is no sound gzip: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

const INPUT_LIMIT = 2 ** 30;
