import type { ObjectContent } from '../../core/objects/reader.ts';
import { isObject, parseJson, textAt } from '../../lib/json-value.ts';
import { brokenError } from '../../lib/objects/broken.ts';
import { parseRfc3339 } from '../../lib/time.ts';

/** A file that a digest proves to exist. */
export interface DigestFile {
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the decompressed file, in lower-case hex. */
  readonly sha256: string;
  /** Of its events, in milliseconds since 1970, or null. */
  readonly oldest: number | null;
  readonly newest: number | null;
}

/** A digest file: what was delivered to one account and region in an hour, even if that is nothing. */
export interface Digest {
  /** In milliseconds since 1970; an hour before its end where it does not tell. */
  readonly start: number;
  readonly end: number;
  readonly files: readonly DigestFile[];
}

/**
 * Reads a digest file (AWS, "CloudTrail digest file structure"). Throws if it is none, or lists a file in a way that is
 * not understood: a proof with a gap is none.
 */
export function parseDigest(text: string): Digest {
  const value = parseJson(text);
  if (!isObject(value)) throw new Error('found no JSON object, wanted a digest of CloudTrail');
  const end = parseRfc3339(textAt(value, 'digestEndTime'));
  if (end === null) throw new Error(`digestEndTime: found ${shown(value.digestEndTime)}, wanted a time`);
  if (!Array.isArray(value.logFiles)) throw new Error(`logFiles: found ${shown(value.logFiles)}, wanted a list`);
  const start = parseRfc3339(textAt(value, 'digestStartTime')) ?? end - HOUR_MS;
  return { start: Math.min(start, end), end, files: value.logFiles.map(readFile) };
}

/** The content of a digest file, which holds no items; `tell` is given what it says, if it is whole. */
export function digestContent(tell: (digest: Digest) => void): ObjectContent<never> {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    given: 0,
    items: (chunk) => {
      length += chunk.length;
      // A chunk may be good only until the next one comes.
      if (length <= LONGEST) chunks.push(Buffer.from(chunk));
      return [];
    },
    end: () => {
      tell(soundDigest(chunks, length));
      return [];
    },
  };
}

function soundDigest(chunks: readonly Buffer[], length: number): Digest {
  try {
    if (length > LONGEST) throw new Error(`found ${length} bytes, wanted ${LONGEST} at most`);
    return parseDigest(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw brokenError(`is no sound digest file: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

const HOUR_MS = 3_600_000;
/** Bytes of a digest: some 400 for each file of an hour. */
const LONGEST = 16 * 1024 * 1024;

function readFile(value: unknown, index: number): DigestFile {
  const file = isObject(value) ? value : null;
  const wanted = (name: string, is: (text: string) => boolean, wish: string) => {
    const text = textAt(file, name);
    if (!is(text)) throw new Error(`logFiles.${index}.${name}: found ${shown(file?.[name])}, wanted ${wish}`);
    return text;
  };
  wanted('hashAlgorithm', (text) => text === 'SHA-256', '"SHA-256"');
  return {
    bucket: wanted('s3Bucket', isFilled, 'the name of a bucket'),
    key: wanted('s3Object', isKey, 'a key'),
    sha256: wanted('hashValue', (text) => /^[0-9A-Fa-f]{64}$/.test(text), '64 hex digits').toLowerCase(),
    oldest: parseRfc3339(textAt(file, 'oldestEventTime')),
    newest: parseRfc3339(textAt(file, 'newestEventTime')),
  };
}

/** S3 has no longer keys, in bytes. */
const LONGEST_KEY = 1_024;

function isKey(text: string): boolean {
  return text !== '' && Buffer.byteLength(text) <= LONGEST_KEY;
}

function isFilled(text: string): boolean {
  return text !== '';
}

/** What was found, short enough for a message, without going into it. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object') return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 80) : value);
}
