import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openS3, type S3Options } from '../../../src/lib/objects/s3.ts';
import type { ListPage, ListQuery, ObjectStore, StoredObject } from '../../../src/lib/objects/store.ts';
import { type FakeS3, type Fault, fakeS3 } from '../../support/fake-s3.ts';
import { need } from '../../support/services.ts';

const DAY = Date.parse('2026-02-06T00:00:00Z');
const go = new AbortController().signal;

function storeOf(t: Test, s3: FakeS3, options: Partial<S3Options> = {}): ObjectStore {
  const store = openS3({
    endpoint: s3.url,
    region: 'us-east-1',
    bucket: s3.bucket,
    accessKey: s3.accessKey,
    secretKey: async () => s3.secretKey,
    pathStyle: true,
    ...options,
  });
  t.teardown(() => store.close());
  return store;
}

async function all(store: ObjectStore, query: ListQuery): Promise<readonly ListPage[]> {
  const pages: ListPage[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const page: ListPage = await store.list({ ...query, ...(next && { next }) }, go);
    pages.push(page);
    next = page.next;
  }
  return pages;
}

async function content(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function read(store: ObjectStore, object: StoredObject): Promise<Buffer> {
  return content(await store.get(object, go));
}

/** The one object there is. */
async function only(store: ObjectStore): Promise<StoredObject> {
  return (await store.list({ prefix: '' }, go)).objects[0]!;
}

const error = (status: number, code: string, more: Partial<Extract<Fault, { kind: 'error' }>> = {}): Fault => ({
  kind: 'error',
  status,
  code,
  ...more,
});

/** How a call fails; a message of a store is never long, and always one line. */
async function failure(
  t: Test,
  promise: Promise<unknown>,
): Promise<{ message: string; kind: string; waitMs: unknown }> {
  try {
    await promise;
  } catch (caught) {
    const { message, kind, waitMs } = caught as { message: string; kind: string; waitMs: unknown };
    t.ok(message.length <= 320, `${message.length} characters`);
    t.notMatch(message, /[\p{Cc}\p{Zl}\p{Zp}]/u, 'one line');
    t.notMatch(message, /fake\/secret/, 'no secret');
    return { message: message.replace(/127\.0\.0\.1:[0-9]+/g, 'HOST'), kind, waitMs };
  }
  t.fail('it did not fail');
  return { message: '', kind: '', waitMs: null };
}

t.test('a listing tells key, ETag, size, time and the clock of the store', async (t) => {
  const s3 = await fakeS3(t);
  s3.clock = () => DAY + 5_000;
  const etag = s3.put('October-2022/S3-a.gz', 'hello', { modified: DAY + 123 });
  const store = storeOf(t, s3);
  t.match(store.name, /^bucket logs at 127\.0\.0\.1:[0-9]+$/);
  const object = { key: 'October-2022/S3-a.gz', etag, size: 5, modified: DAY + 123 };
  t.same(await store.list({ prefix: '' }, go), { objects: [object], folders: [], next: null, time: DAY + 5_000 });
  t.same(await read(store, object), Buffer.from('hello'));
  t.equal(s3.log.at(-1)?.ifMatch, `"${etag}"`);
  s3.clock = () => null;
  t.equal((await store.list({ prefix: 'none' }, go)).time, null);
});

t.test('keys of any kind come as they are, in the order of their bytes', async (t) => {
  const s3 = await fakeS3(t);
  const keys = [
    ' lead',
    'a b+c',
    'a%20b',
    'a&b<c>"\'',
    'AWSLogs/o-1/2022/10:00:00_S0.json',
    'x/../y',
    './z',
    '/first',
    'double//slash',
    'tab\tline\nend\r',
    'é ü',
    '\u{1f600}',
    '\uffee',
    "~!*'()",
    '+',
    'q?a=b#c',
  ];
  for (const key of keys) s3.put(key, `of ${key}`);
  const store = storeOf(t, s3);
  const { objects } = await store.list({ prefix: '' }, go);
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  t.same(
    objects.map(({ key }) => key),
    sorted,
  );
  for (const object of objects) t.equal((await read(store, object)).toString(), `of ${object.key}`);
  for (const [index, key] of sorted.entries()) {
    const behind = await store.list({ prefix: '', startAfter: key }, go);
    t.same(
      behind.objects.map((object) => object.key),
      sorted.slice(index + 1),
      key,
    );
    t.ok((await store.list({ prefix: key }, go)).objects.some((object) => object.key === key));
  }
});

t.test('pages follow each other, folders come once', async (t) => {
  const s3 = await fakeS3(t);
  s3.putMany(Array.from({ length: 2_500 }, (_, index) => `day 1/${String(index).padStart(5, '0')}`));
  s3.putMany(Array.from({ length: 1_200 }, (_, index) => `day 2/${index}+/x`));
  s3.put('top', '');
  const store = storeOf(t, s3);
  const pages = await all(store, { prefix: '' });
  t.same(
    pages.map(({ objects }) => objects.length),
    [1_000, 1_000, 1_000, 701],
  );
  t.equal(new Set(pages.flatMap(({ objects }) => objects.map(({ key }) => key))).size, 3_701);
  const top = await store.list({ prefix: '', folders: true }, go);
  t.same([top.folders, top.objects.map(({ key }) => key)], [['day 1/', 'day 2/'], ['top']]);
  const inner = await all(store, { prefix: 'day 2/', folders: true });
  t.same(
    inner.map(({ folders }) => folders.length),
    [1_000, 200],
  );
  t.ok(inner[0]?.folders.includes('day 2/0+/'));
  const late = await all(store, { prefix: 'day 1/', startAfter: 'day 1/00999' });
  t.same(
    late.map(({ objects }) => objects[0]?.key),
    ['day 1/01000', 'day 1/02000'],
  );
});

t.test('what changes while it is listed is listed or not, but nothing is lost', async (t) => {
  const s3 = await fakeS3(t, { maxKeys: 10 });
  s3.putMany(Array.from({ length: 30 }, (_, index) => `k${index + 10}`));
  s3.before = ({ continued }) => {
    if (!continued || s3.calls.list !== 2) return null;
    s3.remove('k19');
    s3.remove('k20');
    s3.put('k191', '');
    return null;
  };
  const keys = (await all(storeOf(t, s3), { prefix: 'k' })).flatMap(({ objects }) => objects.map(({ key }) => key));
  const expected = Array.from({ length: 30 }, (_, index) => `k${index + 10}`).flatMap((key) =>
    key === 'k20' ? ['k191'] : [key],
  );
  t.same(keys, expected);
});

t.test('a body comes as it is stored, whatever it is said to be', async (t) => {
  const s3 = await fakeS3(t);
  const body = randomBytes(3_000_000);
  s3.put('a', body, { headers: { 'content-encoding': 'gzip', 'x-amz-checksum-crc32': 'AAAAAA==' } });
  const store = storeOf(t, s3);
  const object = await only(store);
  t.ok((await read(store, object)).equals(body));
  s3.before = () => ({ kind: 'slow', bytes: 1_000_000, everyMs: 5 });
  t.ok((await read(store, object)).equals(body));
});

t.test('connections are used again, and more than eight at once', async (t) => {
  const s3 = await fakeS3(t);
  s3.putMany(
    Array.from({ length: 12 }, (_, index) => `k${index}`),
    { body: (key) => Buffer.from(key) },
  );
  const store = storeOf(t, s3);
  const { objects } = await store.list({ prefix: '' }, go);
  for (const object of objects) await read(store, object);
  t.equal(s3.connections(), 1);
  const open = await Promise.all(objects.map((object) => store.get(object, go)));
  t.same(
    await Promise.all(open.map(async (chunks) => (await content(chunks)).toString())),
    objects.map(({ key }) => key),
  );
});

t.test('who stops early lets go of the connection', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a', randomBytes(20_000_000));
  const store = storeOf(t, s3);
  const object = await only(store);
  const closed = async () => {
    while (s3.connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  for await (const chunk of await store.get(object, go)) {
    t.ok(chunk.length > 0);
    break;
  }
  await closed();
  const never = await store.get(object, go);
  await never[Symbol.asyncIterator]().return?.();
  await closed();
  const controller = new AbortController();
  const chunks = await store.get(object, controller.signal);
  controller.abort();
  const { message, kind } = await failure(t, content(chunks));
  t.match(
    message,
    /^cannot read "a" of bucket logs at HOST: the answer broke off \(given up\) after [0-9]+ of 20000000 bytes$/,
  );
  t.equal(kind, 'store');
  await closed();
});

t.test('a call that is given up ends at once', async (t) => {
  const s3 = await fakeS3(t);
  s3.before = () => ({ kind: 'hang', at: -1 });
  const store = storeOf(t, s3);
  const controller = new AbortController();
  const listing = failure(t, store.list({ prefix: '' }, controller.signal));
  while (s3.calls.list === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  t.equal((await listing).message, 'cannot list bucket logs at HOST: given up');
  t.equal(
    (await failure(t, store.list({ prefix: '' }, controller.signal))).message,
    'cannot list bucket logs at HOST: given up',
  );
  t.equal(s3.calls.list, 1);
});

t.test('objects that are gone or changed', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a"b', 'one');
  const store = storeOf(t, s3);
  const object = await only(store);
  s3.put('a"b', 'two');
  t.same(await failure(t, read(store, object)), {
    message: 'cannot read "a\\"b" of bucket logs at HOST: it has changed since it was listed',
    kind: 'changed',
    waitMs: null,
  });
  s3.remove('a"b');
  t.same(await failure(t, read(store, object)), {
    message: 'cannot read "a\\"b" of bucket logs at HOST: it is no longer there',
    kind: 'gone',
    waitMs: null,
  });
});

t.test('a store that does not look at If-Match', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a', 'one');
  const store = storeOf(t, s3);
  const object = await only(store);
  s3.before = () => ({ kind: 'answer', status: 200, type: 'text/plain', body: 'two', headers: { etag: '"other"' } });
  t.equal((await failure(t, read(store, object))).kind, 'changed');
});

t.test('an answer that is not the object', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a', 'one');
  const store = storeOf(t, s3);
  const object = await only(store);
  const page = { kind: 'answer', status: 200, type: 'text/html', body: '<h1>Log in</h1>' } as const;
  const empty = { ...page, body: '', headers: { etag: `"${object.etag}"` } };
  s3.fail('get', page, empty, { ...page, body: 'two' });
  for (const bytes of [15, 0]) {
    t.match(await failure(t, read(store, object)), {
      message: `cannot read "a" of bucket logs at HOST: the answer has ${bytes} bytes, wanted the 3 that are listed`,
      kind: 'store',
    });
  }
  t.same(await read(store, object), Buffer.from('two'), 'of the same length, as stores are that tell no ETag');
});

t.test('bodies that break off', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a', randomBytes(100_000));
  const store = storeOf(t, s3);
  const hasty = storeOf(t, s3, { timeoutMs: 1_000 });
  const object = await only(store);
  const faults: readonly (readonly [Fault, RegExp])[] = [
    [{ kind: 'cut', at: 60_000 }, /broke off \(the connection was closed too early\) after 60000 of 100000 bytes$/],
    [{ kind: 'cut', at: 0 }, /broke off \(the connection was closed too early\) after 0 of 100000 bytes$/],
    [
      { kind: 'reset-body', at: 1_000 },
      /broke off \(the connection was closed too early\) after [0-9]+ of 100000 bytes$/,
    ],
    [{ kind: 'hang', at: 1_000 }, /broke off \(nothing came for 1 s\) after 1000 of 100000 bytes$/],
  ];
  for (const [fault, message] of faults) {
    s3.fail('get', fault);
    const found = await failure(t, read(fault.kind === 'hang' ? hasty : store, object));
    t.match(found.message, message, JSON.stringify(fault));
    t.equal(found.kind, 'store');
  }
  t.equal((await read(store, object)).length, 100_000);
});

t.test('a reader that takes its time is no silence of the store', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a', randomBytes(8_000_000));
  const store = storeOf(t, s3, { timeoutMs: 600 });
  let length = 0;
  for await (const chunk of await store.get(await only(store), go)) {
    if (length === 0) await new Promise((resolve) => setTimeout(resolve, 1_000));
    length += chunk.length;
  }
  t.equal(length, 8_000_000);
});

t.test('what is over at the second try is not told', async (t) => {
  const s3 = await fakeS3(t);
  s3.put('a', 'one');
  const store = storeOf(t, s3);
  const object = await only(store);
  for (const fault of [error(503, 'SlowDown'), error(500, 'InternalError'), { kind: 'reset' } as const]) {
    s3.fail('any', fault);
    t.equal((await store.list({ prefix: '' }, go)).objects.length, 1);
    s3.fail('any', fault);
    t.equal((await read(store, object)).toString(), 'one');
  }
  for (const fault of [
    { kind: 'cut', at: 20 },
    { kind: 'reset-body', at: 20 },
  ] as const) {
    s3.fail('list', fault);
    t.equal((await store.list({ prefix: '' }, go)).objects.length, 1, fault.kind);
  }
});

t.test('errors tell what could not be done, what was answered, and what to do', async (t) => {
  const s3 = await fakeS3(t);
  s3.clock = () => DAY;
  s3.put('a', 'one');
  const stores = [storeOf(t, s3), storeOf(t, s3, { timeoutMs: 500 })] as const;
  const object = await only(stores[0]);
  const html = (status: number): Fault => ({
    kind: 'answer',
    status,
    type: 'text/html; charset=utf-8',
    body: '<html>\n<b>x',
  });
  const cases: readonly (readonly [Fault, string | RegExp])[] = [
    [
      error(403, 'AccessDenied'),
      'the answer was 403 AccessDenied: not allowed; give the key the permission PERMISSION, and check the name of the bucket',
    ],
    [
      error(404, 'NoSuchBucket'),
      'the answer was 404 NoSuchBucket: there is no such bucket; check its name, the endpoint and the region',
    ],
    [error(403, 'ExpiredToken'), 'the answer was 403 ExpiredToken: the session has expired; renew it'],
    [
      error(403, 'RequestTimeTooSkewed'),
      /^the answer was 403 RequestTimeTooSkewed: the clocks differ too much; that of this machine says 2[0-9T:.-]+Z, that of the store 2026-02-06T00:00:00\.000Z; set the wrong one$/,
    ],
    [
      error(301, 'PermanentRedirect', { headers: { 'x-amz-bucket-region': 'eu-west-1' } }),
      'the answer was 301 PermanentRedirect: the bucket is in region eu-west-1; set it',
    ],
    [
      error(400, 'AuthorizationHeaderMalformed', { more: { Region: 'eu-west-2' } }),
      'the answer was 400 AuthorizationHeaderMalformed: the bucket is in region eu-west-2; set it',
    ],
    [
      error(301, 'PermanentRedirect'),
      'the answer was 301 PermanentRedirect: the region is wrong; check it, and the endpoint',
    ],
    [error(503, 'SlowDown'), 'the answer was 503 SlowDown: the store is too busy; it is asked again'],
    [
      error(500, 'InternalError', { message: 'We met\nan\u0007 \u202e error.' }),
      'the answer was 500 InternalError (We met an error.)',
    ],
    [error(400, 'Odd', { message: 'x'.repeat(5_000) }), `the answer was 400 Odd (${'x'.repeat(100)}…)`],
    [
      error(403, 'InvalidObjectState'),
      'the answer was 403 InvalidObjectState: the object is archived; restore it to a class that can be read',
    ],
    [html(404), 'the answer was 404 with a body (text/html) that is not of S3; check the endpoint'],
    [html(502), 'the answer was 502 with a body (text/html) that is not of S3; check the endpoint'],
    [
      { kind: 'answer', status: 401, type: 'application/json', body: '{"a":1}' },
      'the answer was 401 with a body (application/json) that is not of S3; check the endpoint',
    ],
    [
      { kind: 'answer', status: 403, type: 'text/plain', body: '' },
      'the answer was 403: not allowed; give the key the permission PERMISSION, and check the name of the bucket',
    ],
    [{ kind: 'reset' }, 'the connection was closed without an answer (ECONNRESET)'],
    [{ kind: 'hang', at: -1 }, 'there was no answer within 0.5 s; check the endpoint and the network'],
  ];
  for (const [fault, wanted] of cases) {
    s3.before = () => fault;
    const store = stores[fault.kind === 'hang' ? 1 : 0];
    const calls = [
      ['cannot list bucket logs at HOST: ', 's3:ListBucket', () => store.list({ prefix: '' }, go)],
      ['cannot read "a" of bucket logs at HOST: ', 's3:GetObject', () => store.get(object, go)],
    ] as const;
    const found = await Promise.all(calls.map(([, , call]) => failure(t, call())));
    for (const [index, [head, permission]] of calls.entries()) {
      const { message = '', kind, waitMs } = found[index] ?? {};
      t.ok(message.startsWith(head), message);
      const reason = message.slice(head.length);
      if (typeof wanted === 'string') t.equal(reason, wanted.replace('PERMISSION', permission));
      else t.match(reason, wanted);
      t.same([kind, waitMs], ['store', null]);
    }
  }
});

t.test('a listing that is none', async (t) => {
  const s3 = await fakeS3(t);
  const store = storeOf(t, s3);
  const hasty = storeOf(t, s3, { timeoutMs: 1_000 });
  const head = 'cannot list bucket logs at HOST: ';
  const answer = (type: string, body: string): Fault => ({ kind: 'answer', status: 200, type, body });
  const cases: readonly (readonly [Fault, string])[] = [
    [
      answer('text/html', '<!DOCTYPE html><p>hello'),
      'the answer was 200 with a body (text/html) that is not of S3; check the endpoint',
    ],
    [answer('', 'hello'), 'the answer was 200 with a body (no type) that is not of S3; check the endpoint'],
    [answer('text/plain', ''), 'the answer was 200 with a body (text/plain) that is not of S3; check the endpoint'],
    [
      answer('application/xml', '<?xml version="1.0"?><rss><Contents/></rss>'),
      'the answer is XML, but no listing; check the endpoint',
    ],
    [
      answer('application/xml', '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'),
      'the answer says that more follows, but not where; check the endpoint',
    ],
    [{ kind: 'hang', at: 30 }, 'the answer broke off (nothing came for 1 s)'],
  ];
  for (const [fault, wanted] of cases) {
    s3.before = () => fault;
    t.equal(
      (await failure(t, (fault.kind === 'hang' ? hasty : store).list({ prefix: '' }, go))).message,
      head + wanted,
    );
  }
});

t.test('a listing without an end is not kept in memory', async (t) => {
  const s3 = await fakeS3(t);
  const store = storeOf(t, s3);
  s3.before = () => ({
    kind: 'answer',
    status: 200,
    type: 'application/xml',
    body: `<?xml ?>${' '.repeat(17 * 1024 * 1024)}`,
  });
  const { message } = await failure(t, store.list({ prefix: '' }, go));
  t.match(message, /broke off \(more than 16777216 bytes, wanted a page of a listing\)$/);
});

t.test('a store that wants to be left alone is asked only once', async (t) => {
  const s3 = await fakeS3(t);
  const store = storeOf(t, s3);
  const date = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 60_000).toUTCString();
  const cases = [
    [error(503, 'SlowDown', { headers: { 'retry-after': '7' } }), 7_000],
    [error(429, 'Odd', { headers: { 'retry-after': '9' } }), 9_000],
    [error(503, 'SlowDown', { headers: { 'retry-after': date } }), 60_000],
  ] as const;
  for (const [fault, ms] of cases) {
    s3.before = () => fault;
    const before = s3.calls.list;
    const { message, waitMs } = await failure(t, store.list({ prefix: '' }, go));
    t.match(message, /: the answer was (?:503 SlowDown|429 Odd): the store is too busy; it is asked again$/);
    t.ok(Math.abs(Number(waitMs) - ms) <= 1_000, String(waitMs));
    t.equal(s3.calls.list, before + 1);
  }
  s3.before = () => error(503, 'SlowDown', { headers: { 'retry-after': 'soon' } });
  t.equal((await failure(t, store.list({ prefix: '' }, go))).waitMs, null);
});

t.test('keys from the environment, where none are given', async (t) => {
  const s3 = await fakeS3(t);
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_EC2_METADATA_DISABLED', 'HOME', 'AWS_PROFILE'];
  const saved = names.map((name) => [name, process.env[name]] as const);
  t.teardown(() => {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of names) delete process.env[name];
  process.env.AWS_EC2_METADATA_DISABLED = 'true';
  process.env.HOME = '/nonexistent';
  const options = { accessKey: null, secretKey: () => Promise.reject(new Error('asked')) };
  t.equal(
    (await failure(t, storeOf(t, s3, options).list({ prefix: '' }, go))).message,
    'cannot list bucket logs at HOST: Could not load credentials from any providers; set an access key and a secret key, or give this machine a role',
  );
  process.env.AWS_ACCESS_KEY_ID = s3.accessKey;
  process.env.AWS_SECRET_ACCESS_KEY = s3.secretKey;
  t.same((await storeOf(t, s3, options).list({ prefix: '' }, go)).objects, []);
});

t.test('keys that are refused are asked for again', async (t) => {
  const s3 = await fakeS3(t);
  const secrets = ['wrong', s3.secretKey];
  let asked = 0;
  const store = storeOf(t, s3, { secretKey: async () => secrets[asked++] ?? '' });
  t.equal(
    (await failure(t, store.list({ prefix: '' }, go))).message,
    'cannot list bucket logs at HOST: the answer was 403 SignatureDoesNotMatch: the secret key does not fit the access key; check both',
  );
  t.equal(asked, 1);
  await store.list({ prefix: '' }, go);
  await store.list({ prefix: '' }, go);
  t.equal(asked, 2);
  const unknown = storeOf(t, s3, { accessKey: 'OTHER' });
  t.equal(
    (await failure(t, unknown.list({ prefix: '' }, go))).message,
    'cannot list bucket logs at HOST: the answer was 403 InvalidAccessKeyId: the access key is not known there; check it, and the endpoint',
  );
  const missing = storeOf(t, s3, { secretKey: () => Promise.reject(new Error('/run/key: ENOENT')) });
  t.equal(
    (await failure(t, missing.list({ prefix: '' }, go))).message,
    'cannot list bucket logs at HOST: the secret key cannot be had: /run/key: ENOENT; set an access key and a secret key, or give this machine a role',
  );
});

t.test('a region that is wrong, a bucket that is none, and clocks that differ', async (t) => {
  const s3 = await fakeS3(t, { region: 'eu-central-1', strictTime: true });
  t.equal(
    (await failure(t, storeOf(t, s3).list({ prefix: '' }, go))).message,
    'cannot list bucket logs at HOST: the answer was 400 AuthorizationHeaderMalformed: the bucket is in region eu-central-1; set it',
  );
  const region = 'eu-central-1';
  t.match(
    (await failure(t, storeOf(t, s3, { region, bucket: 'other' }).list({ prefix: '' }, go))).message,
    /NoSuchBucket/,
  );
  s3.clock = () => DAY;
  t.equal((await storeOf(t, s3, { region }).list({ prefix: '' }, go)).time, DAY);
});

t.test('places where there is no store', async (t) => {
  const s3 = await fakeS3(t);
  await s3.close();
  const refused = await failure(t, storeOf(t, s3).list({ prefix: '' }, go));
  t.equal(
    refused.message,
    'cannot list bucket logs at HOST: the connection was refused; check the host and port of the endpoint, and that the store runs (ECONNREFUSED)',
  );
  const unknown = await failure(t, storeOf(t, s3, { endpoint: 'http://nowhere.invalid' }).list({ prefix: '' }, go));
  t.match(unknown.message, /^cannot list bucket logs at nowhere\.invalid: .*\((?:ENOTFOUND|EAI_AGAIN)\)$/);
});

t.test('plain HTTP where TLS is expected', async (t) => {
  const s3 = await fakeS3(t);
  const { message } = await failure(
    t,
    storeOf(t, s3, { endpoint: s3.url.replace('http:', 'https:') }).list({ prefix: '' }, go),
  );
  t.match(message, /: the answer was not TLS; check whether the endpoint is http: \(EPROTO\)$/);
});

t.test('TLS is verified, and an authority can be added', async (t) => {
  if (!need(t, 'openssl')) return;
  const { key, cert } = certificate(t);
  const s3 = await fakeS3(t, { tls: { key, cert } });
  s3.put('a', 'one');
  t.match(
    (await failure(t, storeOf(t, s3).list({ prefix: '' }, go))).message,
    /: the certificate is not trusted; add the one that signed it as ca \([A-Z_]+\)$/,
  );
  const store = storeOf(t, s3, { ca: cert });
  t.equal((await read(store, await only(store))).toString(), 'one');
  const other = storeOf(t, s3, { ca: cert, endpoint: s3.url.replace('127.0.0.1', 'localhost') });
  t.match((await failure(t, other.list({ prefix: '' }, go))).message, /: the certificate is for another host; check/);
});

/** One of its own, for the address that the fake store has. */
function certificate(t: Test): { key: string; cert: string } {
  const place = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(place, { recursive: true }));
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
  const how = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const what = ['-subj', '/CN=fake', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...how, ...what, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

t.test('the store of AWS is named after its region', async (t) => {
  const options = { endpoint: null, region: 'eu-west-1', bucket: 'b', accessKey: null, pathStyle: false };
  t.equal(openS3({ ...options, secretKey: async () => '' }).name, 'bucket b at s3.eu-west-1.amazonaws.com');
});
