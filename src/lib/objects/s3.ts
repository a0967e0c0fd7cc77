import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type { _Object as Listed, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { chunksOf, held, type ReadLimits } from './chunks.ts';
import { type Seen, unseen, WATCHED, watch } from './s3-answer.ts';
import { type S3Access, type S3Connector, type S3Options, s3Connector, timeoutOf } from './s3-client.ts';
import { brokenOff, isKeyRefusal, s3Failure } from './s3-failure.ts';
import { shown } from './shown.ts';
import {
  type ListPage,
  type ListQuery,
  type ObjectStore,
  type StoredObject,
  type StoreError,
  storeError,
} from './store.ts';

export type { S3Options } from './s3-client.ts';

/** Keys of a page; no store gives more. */
const PAGE = 1_000;

/**
 * A bucket of S3, or of anything that speaks like it. The AWS SDK is loaded at the first call, and tries a call twice;
 * it verifies TLS, and corrects the time of its signatures where the clocks differ.
 */
export function openS3(options: S3Options): ObjectStore {
  const name = `bucket ${shown(options.bucket, 70)} at ${hostOf(options)}`;
  const connector = s3Connector(options);
  const house = { options, connector, name };
  return {
    name,
    list: (query, signal) => list(house, query, signal),
    get: (object, signal) => get(house, object, signal),
    close: connector.close,
  };
}

interface House {
  readonly options: S3Options;
  readonly connector: S3Connector;
  readonly name: string;
}

interface Call<T> {
  readonly cannot: string;
  readonly permission: 's3:ListBucket' | 's3:GetObject';
  readonly seen: Seen;
  readonly signal: AbortSignal;
  send(access: S3Access, limits: ReadLimits): Promise<T>;
}

async function list(house: House, query: ListQuery, signal: AbortSignal): Promise<ListPage> {
  const { prefix, startAfter, folders, next } = query;
  const seen = unseen();
  const cannot = `cannot list ${house.name}`;
  const input = {
    Bucket: house.options.bucket,
    Prefix: prefix,
    MaxKeys: PAGE,
    // Else a key with a character that XML cannot hold would spoil the page.
    EncodingType: 'url' as const,
    ...(folders && { Delimiter: '/' }),
    ...(next === undefined ? startAfter !== undefined && { StartAfter: startAfter } : { ContinuationToken: next }),
  };
  const send = ({ sdk, client }: S3Access, limits: ReadLimits) => {
    const command = new sdk.ListObjectsV2Command(input);
    command.middlewareStack.add((handle) => watch(handle, seen, { ...limits, object: false }), WATCHED);
    return client.send(command, { abortSignal: signal });
  };
  const output = await call(house, { cannot, permission: 's3:ListBucket', seen, signal, send });
  return pageOf(output, { cannot, time: seen.time, asked: next });
}

async function get(house: House, object: StoredObject, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
  const { key, etag, size } = object;
  const seen = unseen();
  const cannot = `cannot read ${JSON.stringify(shown(key, 120))} of ${house.name}`;
  const input = { Bucket: house.options.bucket, Key: key, ...(etag !== '' && { IfMatch: `"${etag}"` }) };
  const send = ({ sdk, client }: S3Access, limits: ReadLimits) => {
    const command = new sdk.GetObjectCommand(input);
    command.middlewareStack.add((handle) => watch(handle, seen, { ...limits, object: true }), WATCHED);
    return client.send(command, { abortSignal: signal });
  };
  const {
    Body,
    ETag = '',
    ContentLength = size,
  } = await call(house, { cannot, permission: 's3:GetObject', seen, signal, send });
  const stream = Body as Readable;
  const refuse = (reason: string, kind: StoreError['kind']) => {
    stream.destroy();
    throw storeError(`${cannot}: ${reason}`, { kind });
  };
  if (etag !== '' && ETag !== '' && unquoted(ETag) !== etag) refuse('it has changed since it was listed', 'changed');
  // Something in between may answer with a page of its own, or with nothing.
  if (ContentLength !== size)
    refuse(`the answer has ${ContentLength} bytes, wanted the ${size} that are listed`, 'store');
  const chunks = chunksOf(stream, { timeoutMs: timeoutOf(house.options), signal });
  return held(counted(chunks, ContentLength, cannot), () => chunks[Symbol.asyncIterator]().return?.());
}

async function call<T>({ connector, options }: House, { send, ...told }: Call<T>): Promise<T> {
  let access: S3Access | null = null;
  try {
    told.signal.throwIfAborted();
    // Each request and each body listens to it, and there may be many at once.
    setMaxListeners(0, told.signal);
    access = await connector.access(told.signal);
    return await send(access, { timeoutMs: timeoutOf(options), signal: told.signal });
  } catch (error) {
    if (access && isKeyRefusal(error)) connector.forget(access);
    throw s3Failure(error, { ...told, now: Date.now() });
  }
}

interface Asked {
  readonly cannot: string;
  readonly time: number | null;
  /** The page asked for, if it was not the first. */
  readonly asked: string | undefined;
}

function pageOf(output: ListObjectsV2CommandOutput, { cannot, time, asked }: Asked): ListPage {
  const { Contents = [], CommonPrefixes = [], EncodingType, IsTruncated, NextContinuationToken } = output;
  const wrong = (reason: string) => storeError(`${cannot}: ${reason}; check the endpoint`, { kind: 'store' });
  if (typeof IsTruncated !== 'boolean') throw wrong('the answer is XML, but no listing');
  const next = IsTruncated ? (NextContinuationToken ?? '') : null;
  if (next === '' || (next !== null && next === asked)) throw wrong('the answer says that more follows, but not where');
  const text = EncodingType === 'url' ? decoded : (value: string) => value;
  return {
    objects: Contents.flatMap((object) => objectOf(object, text)),
    folders: CommonPrefixes.flatMap(({ Prefix }) => (Prefix ? [text(Prefix)] : [])),
    next,
    time,
  };
}

function objectOf({ Key, ETag = '', Size = 0, LastModified }: Listed, text: (value: string) => string): StoredObject[] {
  if (!Key) return [];
  return [{ key: text(Key), etag: unquoted(ETag), size: Size, modified: LastModified?.getTime() ?? 0 }];
}

async function* counted(chunks: AsyncIterable<Buffer>, size: number, cannot: string): AsyncGenerator<Buffer> {
  let count = 0;
  try {
    for await (const chunk of chunks) {
      count += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw storeError(`${cannot}: ${brokenOff(cause)} after ${count} of ${size} bytes`, { kind: 'store', cause });
  }
  if (count !== size) throw storeError(`${cannot}: found ${count} bytes, wanted ${size}`, { kind: 'store' });
}

function unquoted(etag: string): string {
  return /^(?:W\/)?"(.*)"$/.exec(etag)?.[1] ?? etag;
}

/** What `EncodingType: 'url'` made of a key: `+` is a space. Bytes that are no UTF-8 become U+FFFD. */
function decoded(value: string): string {
  return value
    .replaceAll('+', ' ')
    .replace(/(?:%[0-9A-Fa-f]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
}

function hostOf({ endpoint, region }: S3Options): string {
  if (endpoint === null) return `s3.${region}.amazonaws.com`;
  return URL.canParse(endpoint) ? new URL(endpoint).host : 'an endpoint that is no URL';
}
