import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { FakeBucket, type FakeObject, md5 } from './fake-s3-bucket.ts';
import { type Draft, errorDraft, type Fault, objectDraft, send } from './fake-s3-faults.ts';
import { refusalOf } from './fake-s3-signature.ts';
import { afterOf, listingXml } from './fake-s3-xml.ts';

export type { Fault } from './fake-s3-faults.ts';

export interface FakeS3Options {
  /** The buckets; the first is the one meant where none is named. */
  readonly buckets?: readonly [string, ...string[]];
  /** The region that requests have to be signed for; any, if left out. */
  readonly region?: string;
  /** More keys that are known: access key to secret key. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Refuses requests that are a quarter of an hour off, as `RequestTimeTooSkewed`. */
  readonly strictTime?: boolean;
  /** Most keys of a page, whatever is asked for. */
  readonly maxKeys?: number;
  /** Serves HTTPS with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export type CallKind = 'list' | 'get' | 'other';

/** A call as it came in. */
export interface FakeCall {
  readonly kind: CallKind;
  readonly bucket: string;
  /** The key of `get`, else empty. */
  readonly key: string;
  /** Of `list`; decoded, and empty where not given. */
  readonly prefix: string;
  readonly delimiter: string;
  readonly startAfter: string;
  /** The page is not the first one of its listing. */
  readonly continued: boolean;
  readonly ifMatch: string | null;
}

export interface Putting {
  /** Milliseconds since 1970; the store's clock, if left out. */
  readonly modified?: number;
  /** Without quotes; the MD5 of the body, if left out. */
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bucket?: string;
}

export interface PuttingMany {
  readonly modified?: number | ((key: string) => number);
  /** Made anew each time; nothing, if left out. */
  readonly body?: (key: string) => Buffer;
  readonly bucket?: string;
}

export interface FakeS3 {
  readonly url: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Calls by kind, those with faults and refusals included. */
  readonly calls: Record<CallKind, number>;
  /** The last 10,000 calls, the newest last. */
  readonly log: readonly FakeCall[];
  /** The store's clock, in milliseconds since 1970, which `Date` tells; `Date` is left out where it gives null. */
  clock: () => number | null;
  /** Called before each call is answered; may change the store, and may give a fault. */
  before: ((call: FakeCall) => Fault | null | undefined | Promise<Fault | null | undefined>) | null;
  /** Gives the ETag. */
  put(key: string, body: string | Buffer, options?: Putting): string;
  /** Objects whose bodies are made when they are asked for: a million of them take a second. */
  putMany(keys: Iterable<string>, options?: PuttingMany): void;
  /** False if there was none. */
  remove(key: string, bucket?: string): boolean;
  /** The next calls of this kind, or of any, fail so: each fault once, in turn, after those given before. */
  fail(kind: CallKind | 'any', ...faults: readonly Fault[]): void;
  /** Connections that are open. */
  connections(): number;
  close(): Promise<void>;
}

const ACCESS_KEY = 'FAKEACCESSKEY';
const SECRET_KEY = 'fake/secret+key';
const LOG_LIMIT = 10_000;

/** A small S3 server on a port of its own, with signatures checked; closed at the end of the test. */
export async function fakeS3(t: Test, options: FakeS3Options = {}): Promise<FakeS3> {
  const names = options.buckets ?? ['logs'];
  const buckets = new Map(names.map((name) => [name, new FakeBucket()]));
  const keys = new Map([[ACCESS_KEY, SECRET_KEY], ...Object.entries(options.keys ?? {})]);
  const faults: (readonly [CallKind | 'any', Fault])[] = [];
  const log: FakeCall[] = [];
  const sockets = new Set<unknown>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const call = callOf(request);
    s3.calls[call.kind]++;
    if (log.push(call) > LOG_LIMIT) log.shift();
    const asked = await s3.before?.(call);
    const place = faults.findIndex(([kind]) => kind === 'any' || kind === call.kind);
    const fault = asked ?? (place < 0 ? null : faults.splice(place, 1)[0]![1]);
    const now = s3.clock();
    response.sendDate = false;
    if (now !== null) response.setHeader('date', new Date(now).toUTCString());
    const checking = {
      keys,
      region: options.region ?? null,
      now: now ?? Date.now(),
      strictTime: options.strictTime === true,
    };
    const refusal = refusalOf(request, checking);
    const draft = refusal
      ? errorDraft({ kind: 'error', ...refusal }, call.key)
      : draftOf(call, request, { buckets, options });
    send(response, draft, fault, `/${call.bucket}/${call.key}`);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void answer(request, response).catch((error: unknown) => {
      t.fail('the fake store failed', { error });
      response.destroy();
    });
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bucketOf = (name: string) => {
    const bucket = buckets.get(name);
    if (!bucket) throw new Error(`the fake store has no bucket ${name}`);
    return bucket;
  };
  const s3: FakeS3 = {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket: names[0],
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    calls: { list: 0, get: 0, other: 0 },
    log,
    clock: Date.now,
    before: null,
    put: (key, body, { modified, etag, headers = {}, bucket = names[0] } = {}) => {
      const bytes = Buffer.from(body);
      const tag = etag ?? md5(bytes);
      const object = { size: bytes.length, etag: tag, modified: modified ?? s3.clock() ?? Date.now(), headers };
      bucketOf(bucket).put(key, { ...object, body: () => bytes });
      return tag;
    },
    putMany: (many, { modified = s3.clock() ?? Date.now(), body = () => Buffer.alloc(0), bucket = names[0] } = {}) => {
      bucketOf(bucket).putMany(many, (key) => manyObject(key, body(key), modified));
    },
    remove: (key, bucket = names[0]) => bucketOf(bucket).remove(key),
    fail: (kind, ...added) => void faults.push(...added.map((fault) => [kind, fault] as const)),
    connections: () => sockets.size,
    close: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  t.teardown(s3.close);
  return s3;
}

function manyObject(key: string, body: Buffer, modified: number | ((key: string) => number)): FakeObject {
  const time = typeof modified === 'number' ? modified : modified(key);
  return { size: body.length, etag: md5(body), modified: time, headers: {}, body: () => body };
}

function callOf(request: IncomingMessage): FakeCall {
  // Not by URL, which would take `..` and `//` in a key for parts of a path.
  const [target = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const [, bucket = '', path = ''] = /^\/([^/]*)\/?(.*)$/s.exec(target) ?? [];
  const key = decodeURIComponent(path);
  const isGet = request.method === 'GET';
  const isList = isGet && key === '' && query.get('list-type') === '2';
  return {
    kind: isList ? 'list' : isGet && key !== '' ? 'get' : 'other',
    bucket: decodeURIComponent(bucket),
    key,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    startAfter: query.get('start-after') ?? '',
    continued: query.has('continuation-token'),
    ifMatch: request.headers['if-match'] ?? null,
  };
}

interface House {
  readonly buckets: ReadonlyMap<string, FakeBucket>;
  readonly options: FakeS3Options;
}

function draftOf(call: FakeCall, request: IncomingMessage, { buckets, options }: House): Draft {
  const bucket = buckets.get(call.bucket);
  const error = (status: number, code: string, message: string) =>
    errorDraft({ kind: 'error', status, code, message }, `/${call.bucket}/${call.key}`);
  if (!bucket) return error(404, 'NoSuchBucket', 'The specified bucket does not exist');
  if (call.kind === 'list') {
    const query = new URLSearchParams(request.url?.split(/\?(.*)/s)[1]);
    const token = query.get('continuation-token');
    const after = token === null ? null : afterOf(token);
    if (after === undefined) return error(400, 'InvalidArgument', 'The continuation token provided is incorrect');
    const maxKeys = Math.min(Number(query.get('max-keys') ?? 1_000), 1_000, options.maxKeys ?? 1_000);
    const listing = { ...call, after, maxKeys, encoding: query.get('encoding-type') ?? '' };
    const body = Buffer.from(listingXml(bucket, call.bucket, listing));
    return { status: 200, headers: { 'content-type': 'application/xml' }, body };
  }
  if (call.kind === 'other') return error(501, 'NotImplemented', 'This is not part of the fake store');
  const object = bucket.get(call.key);
  if (!object) return error(404, 'NoSuchKey', 'The specified key does not exist.');
  const isMatch = call.ifMatch === null || call.ifMatch === '*' || call.ifMatch.replace(/^"|"$/g, '') === object.etag;
  if (!isMatch) return error(412, 'PreconditionFailed', 'At least one of the preconditions you specified did not hold');
  return objectDraft(object);
}
