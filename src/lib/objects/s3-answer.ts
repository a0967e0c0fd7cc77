import { Readable } from 'node:stream';
import { retryAfterMs } from '../http.ts';
import { chunksOf, type ReadLimits } from './chunks.ts';

/** What is known of the last answer to a call, beside what the SDK makes of it. */
export interface Seen {
  /** Null as long as none came. */
  status: number | null;
  /** Of the header `Date`, in milliseconds since 1970. */
  time: number | null;
  retryAfterMs: number | null;
  /** The region that the bucket is in, if the answer tells it. */
  region: string | null;
  /** The media type, without its parameters. */
  type: string;
  /** The body cannot be one of S3: it is neither XML nor empty. Bodies of objects are not looked at. */
  foreign: boolean;
}

/** Where `watch` goes in the middleware of the SDK: below all that makes something of an answer. */
export const WATCHED = { step: 'deserialize', priority: 'low', name: 'watchAnswer' } as const;

/** Most of a listing or an error, in bytes: a thousand keys of full length, encoded, take a third of it. */
const BODY_LIMIT = 16 * 1024 * 1024;

/** Nothing seen yet. */
export function unseen(): Seen {
  return { status: null, time: null, retryAfterMs: null, region: null, type: '', foreign: false };
}

interface Sent {
  readonly headers: Record<string, string>;
  readonly hostname: string;
}

interface Raw {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: Readable;
}

/** Middleware that keeps in `seen` what is seen of the last answer; `object`: a good one has an object as its body. */
export function watch<A extends { readonly request: unknown }, R extends { readonly response: unknown }>(
  handle: (args: A) => Promise<R>,
  seen: Seen,
  limits: ReadLimits & { readonly object: boolean },
): (args: A) => Promise<R> {
  return async (args) => {
    prepare(args.request as Sent, seen);
    const result = await handle(args);
    await look(result.response as Raw, seen, limits);
    return result;
  };
}

/**
 * Prepares one request, of each try anew. What it adds is not signed: the XML API of Google Cloud Storage changes the
 * header `Accept-Encoding` before it checks the signature, and unpacks what it stored as gzip unless asked for gzip. No
 * other store unpacks, but something in between could pack.
 */
function prepare({ headers, hostname }: Sent, seen: Seen): void {
  Object.assign(seen, unseen());
  headers['accept-encoding'] = hostname.endsWith('storage.googleapis.com') ? 'gzip' : 'identity';
}

/**
 * Looks at an answer before the SDK does. Bodies that the SDK would read into memory are read here, within limits. Throws
 * if a listing is none, as the SDK would take any text for an empty one, and if the store wants to be left alone.
 */
async function look(raw: Raw, seen: Seen, limits: ReadLimits & { readonly object: boolean }): Promise<void> {
  note(raw, seen);
  const isGood = raw.statusCode >= 200 && raw.statusCode < 300;
  if (isGood && limits.object) return;
  const body = await whole(raw.body, limits);
  const begin = body.subarray(0, 1_024).toString();
  const text = begin.replace(/^\ufeff/, '').trimStart();
  seen.foreign = text === '' ? isGood : !/^<(?:\?xml|Error|ListBucketResult)[\s>]/.test(text);
  if (isGood && seen.foreign) throw new Error('not a listing');
  // The SDK would ask again after 5 s at most, whatever the store wants.
  if (!isGood && seen.retryAfterMs) throw Object.assign(new Error('UnknownError'), { Code: codeIn(text) });
  raw.body = Readable.from(seen.foreign ? Buffer.alloc(0) : body);
}

function note({ statusCode, headers }: Raw, seen: Seen): void {
  const time = Date.parse(headers.date ?? '');
  seen.status = statusCode;
  seen.time = Number.isNaN(time) ? null : time;
  seen.retryAfterMs = retryAfterMs(headers['retry-after'], seen.time ?? Date.now());
  seen.region = /^[a-z0-9-]{2,40}$/.exec(headers['x-amz-bucket-region'] ?? '')?.[0] ?? null;
  seen.type = headers['content-type']?.split(';', 1)[0]?.trim() ?? '';
}

function codeIn(text: string): string {
  return /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(text)?.[1] ?? 'Unknown';
}

async function whole(body: Readable, limits: ReadLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(body, limits)) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw new Error(`more than ${BODY_LIMIT} bytes, wanted a page of a listing`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
