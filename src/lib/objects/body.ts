import { gunzipSync } from 'node:zlib';
import { brokenError } from './broken.ts';
import { ByteInput } from './byte-input.ts';
import { Checksum } from './checksum.ts';
import { gunzipped } from './gunzip.ts';

/** Most bytes that an object may unpack to. */
export const UNPACKED_LIMIT = 16 * 2 ** 30;

export interface UnpackOptions {
  /** Most bytes that it may unpack to. */
  readonly limit?: number;
  /** Is told of each chunk before it is handed on. */
  readonly sum?: Checksum;
}

/**
 * The content of an object, unpacked if it begins as gzip does (RFC 1952), whatever its name says: all members, one after
 * the other. Throws a `brokenError` for what is cut short, damaged, or unpacks to more than `limit` bytes, perhaps after
 * most of it was handed on: nothing of it can be relied on before the end.
 */
export async function* unpacked(body: AsyncIterable<Buffer>, options: UnpackOptions = {}): AsyncGenerator<Buffer> {
  const { limit = UNPACKED_LIMIT, sum = new Checksum() } = options;
  for await (const chunk of unzipped(body, sum)) {
    sum.add(chunk);
    if (sum.length > limit) throw brokenError(`unpacks to more than ${limit} bytes`);
    yield chunk;
  }
}

async function* unzipped(body: AsyncIterable<Buffer>, sum: Checksum): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]();
  const input = new ByteInput(chunks);
  try {
    const first = await input.atLeast(2);
    input.unread(first);
    if (first[0] === 0x1f && first[1] === 0x8b) yield* gunzipped(input, sum);
    else for (let chunk = await input.next(); chunk !== null; chunk = await input.next()) yield chunk;
  } finally {
    await chunks.return?.();
  }
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
