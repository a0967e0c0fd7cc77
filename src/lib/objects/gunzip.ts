import type { Writable } from 'node:stream';
import { createGunzip, createInflateRaw, type Gunzip, type InflateRaw } from 'node:zlib';
import { brokenError } from './broken.ts';
import type { ByteInput } from './byte-input.ts';
import type { Checksum } from './checksum.ts';

/**
 * Bytes that are handed on at once: some times as many as are read at once, so that a log need not be waited for several
 * times for each piece of it, and a small object takes no more than it needs.
 */
const LEAST_CHUNK = 64 * 1024;
const MOST_CHUNK = 2 * 1024 * 1024;
const GROWTH = 16;

/** Of a member's header (RFC 1952): its length without what is optional, and its only flag if it has a name. */
const HEADER = 10;
const DEFLATE = 8;
const FNAME = 8;
/** CRC-32 and length. */
const TRAILER = 8;

/**
 * What gzip unpacks to: all members, one after the other; zeros behind them, and what is behind those, are left alone. `sum`
 * is that of all that was handed on: as the CRC-32 is known by it, zlib is spared it where there is but one member, as a
 * rule. Throws a `brokenError` for what is no sound gzip.
 */
export async function* gunzipped(input: ByteInput, sum: Checksum): AsyncGenerator<Buffer> {
  const first = await input.atLeast(HEADER);
  const chunkSize = Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, GROWTH * first.length));
  const begin = dataBegin(first);
  input.unread(first.subarray(begin));
  if (begin > 0) {
    yield* through(createInflateRaw({ chunkSize }), input);
    await checkTrailer(input, sum);
    const next = await input.next();
    if (next === null || next[0] === 0) return;
    input.unread(next);
  }
  yield* through(createGunzip({ chunkSize }), input);
}

/** Where the data begins behind a header that holds nothing but perhaps a name; 0 for any other, and for one that is cut. */
function dataBegin(bytes: Buffer): number {
  if (bytes.length < HEADER || bytes[2] !== DEFLATE) return 0;
  if (bytes[3] === FNAME) return bytes.indexOf(0, HEADER) + 1;
  return bytes[3] === 0 ? HEADER : 0;
}

/** As zlib does, and in its words. */
async function checkTrailer(input: ByteInput, { crc, length }: Checksum): Promise<void> {
  const bytes = await input.atLeast(TRAILER);
  if (bytes.length >= 4 && bytes.readUInt32LE(0) !== crc) throw unsound('incorrect data check');
  if (bytes.length < TRAILER) throw unsound('unexpected end of file');
  if (bytes.readUInt32LE(4) !== length % 2 ** 32) throw unsound('incorrect length check');
  input.unread(bytes.subarray(TRAILER));
}

/** What comes out of a stream; input behind its end is given back. */
async function* through(stream: Gunzip | InflateRaw, input: ByteInput): AsyncGenerator<Buffer> {
  let failure: unknown = null;
  const feed = async () => {
    try {
      let fed = 0;
      for (let chunk = await input.next(); chunk !== null && !stream.destroyed; chunk = await input.next()) {
        fed += chunk.length;
        await written(stream, chunk);
        const unused = fed - stream.bytesWritten;
        if (unused === 0) continue;
        input.unread(chunk.subarray(chunk.length - unused));
        break;
      }
      stream.end();
    } catch (error) {
      // Of the one who delivers, unless the content was found broken before.
      if (!stream.destroyed) failure = error;
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const fed = feed();
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    if (failure !== null) throw failure;
    throw unsound(error instanceof Error ? error.message : String(error), error);
  } finally {
    stream.destroy();
    await fed;
  }
}

/** Resolves when a chunk was gone through, or nothing is any more. */
function written(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', resolve);
    stream.write(chunk, () => {
      stream.off('close', resolve);
      resolve();
    });
  });
}

function unsound(problem: string, cause?: unknown): Error {
  return brokenError(`is no sound gzip: ${problem}`, cause);
}
