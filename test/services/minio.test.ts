import { gzipSync } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import t, { type Test } from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { get } from '../support/http.ts';
import { type Minio, type MinioAnswer, startMinio } from '../support/minio.ts';
import { need } from '../support/services.ts';
import { type Keys, presigned } from '../support/sign-v4.ts';
import { type Exposition, parseExposition } from '../support/strict-exposition.ts';
import { eventually, home } from '../support/trailgauge.ts';

/** Reads the logs, and looks around; has no rights to what the others do. */
const READER: Keys = { access: 'reader-of-test', secret: 'not-a-real-secret-1' };
/** Lists, and may do nothing else. */
const VISITOR: Keys = { access: 'visitor-of-test', secret: 'not-a-real-secret-2' };
const LOGS = 'logs';
const PREFIX = 'audit/';
const PART = 5 * 1024 * 1024;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
t.setTimeout(170_000);

/** A call that the test made, and how MinIO answered it. */
interface Call {
  readonly api: string;
  readonly bucket: string;
  readonly code: number;
  readonly id: string;
}

interface Answered {
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** Calls, all of which have to be found again in the metrics. */
class Ledger {
  readonly calls: Call[] = [];

  /** A call with the SDK; null if MinIO refused it. */
  async s3<T extends Answered>(api: string, bucket: string, act: () => Promise<T>): Promise<T | null> {
    const [answered, output] = await act().then(
      (output) => [output, output] as const,
      (error: unknown) => [error as Answered, null] as const,
    );
    const { httpStatusCode: code, requestId: id = '' } = answered.$metadata;
    // Without a status there was no answer.
    if (code === undefined) throw answered;
    this.calls.push({ api, bucket, code, id });
    return output;
  }

  async plain(api: string, bucket: string, act: () => Promise<MinioAnswer>): Promise<MinioAnswer> {
    const answer = await act();
    this.calls.push({ api, bucket, code: answer.status, id: answer.id });
    return answer;
  }
}

interface AuditEntry {
  readonly api: {
    readonly name?: string;
    readonly bucket?: string;
    readonly statusCode?: number;
    readonly rx: number;
    readonly tx: number;
    readonly timeToResponseInNS: string;
  };
  readonly requestID?: string;
  readonly requestPath?: string;
  readonly accessKey?: string;
}

/** What is sent and received in `photos`, in bytes, where nothing is refused. */
const photos = { sent: 0, received: 0 };
/** What nobody who reads a document may find in it. */
const secrets: string[] = [];

t.test('a real MinIO, its audit log, and what is made of it', async (t) => {
  if (!need(t, 'minio', 'openssl')) return;
  const minio = await startMinio(t);
  const ledger = new Ledger();
  await furnish(minio, ledger);
  await visit(t, minio, ledger);
  const packer = packerOf(minio, ledger);
  await packer.pack(2);

  await t.test('once: whatever the format', async (t) => {
    const sources = Object.fromEntries(
      ['auto', 'minio'].map((format) => [`s3-audit/${format}`, { ...section(minio), format }]),
    );
    const { code, stdout, stderr } = await home(t, { sources }).run('once');
    t.equal(code, 0, stderr);
    const exposition = parseExposition(stdout);
    for (const source of ['auto', 'minio'])
      await t.test(source, async (t) => check(t, { exposition, source, ledger, packer }));
  });

  await t.test('start: what comes later, its own reading, and the writer', async (t) => {
    const bulk = await fakeBulk(t);
    const writers = { elasticsearch: { url: bulk.url, index: 'trails' } };
    const program = await home(t, {
      sources: { 's3-audit': { ...section(minio), interval: '200ms' } },
      writers,
    }).start();
    const scrape = async () => parseExposition((await get(`${program.url}/metrics`)).text);
    const itemsAre = (count: number) =>
      eventually(
        () => `${count} records:\n${program.log()}`,
        async () => (await scrape()).value('trailgauge_source_items_total', { source: 's3-audit' }) === count,
      );
    await itemsAre(packer.entries().length);
    await visit(t, minio, ledger);
    await readAbout(minio);
    await packer.pack(1);
    await itemsAre(packer.entries().length);
    const exposition = await scrape();
    check(t, { exposition, source: '', ledger, packer });
    const own = packer.entries().filter(isOwn);
    const apis = new Set(own.map(({ api }) => api.name));
    t.ok(
      ['GetObject', 'ListObjectsV2', 'PutObject'].every((api) => apis.has(api)),
      'the reading was audited too',
    );
    t.ok(own.some(({ api, accessKey }) => api.bucket !== LOGS && accessKey === READER.access));

    const wanted = packer.entries().filter((entry) => entry.api.name !== undefined && !isOwn(entry));
    await eventually('the documents', () => bulk.documents.size >= wanted.length);
    t.equal(await program.stop(), 0);
    const texts = [...bulk.documents.values()].map((document) => JSON.stringify(document));
    const ids = texts.map((document) => /"requestID":"([0-9A-F]+)"/.exec(document)?.[1]);
    t.same(ids.toSorted(), wanted.map(({ requestID }) => requestID).toSorted(), 'each record is there once');
    const items = bulk.requests.reduce((sum, { count }) => sum + count, 0);
    t.equal(items, wanted.length, 'and was sent once');
    t.same(bulk.problems, []);
    t.ok(
      texts.some((document) => document.includes('"X-Amz-Signature"')),
      'the presigned call is among them',
    );
    for (const secret of secrets) {
      t.ok(
        minio.records.some((record) => record.includes(secret)),
        'MinIO writes it down',
      );
      t.notOk(
        texts.some((document) => document.includes(secret)),
        `${secret} is in no document`,
      );
    }
  });

  await t.test('doctor', (t) => doctor(t, minio));
});

/** Buckets and users. */
async function furnish(minio: Minio, ledger: Ledger): Promise<void> {
  const root = minio.client(minio.root);
  for (const Bucket of ['photos', 'shop', LOGS])
    await ledger.s3('PutBucket', Bucket, () => root.send(new CreateBucketCommand({ Bucket })));
  const logs = [`arn:aws:s3:::${LOGS}`, `arn:aws:s3:::${LOGS}/*`];
  await addUser(minio, ledger, READER, [{ Action: ['s3:ListBucket', 's3:GetObject'], Resource: logs }]);
  await addUser(minio, ledger, VISITOR, [{ Action: ['s3:ListBucket'], Resource: ['arn:aws:s3:::*'] }]);
}

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

async function addUser(minio: Minio, ledger: Ledger, keys: Keys, statements: readonly Statement[]): Promise<void> {
  const { access, secret } = keys;
  const policy = { Version: '2012-10-17', Statement: statements.map((one) => ({ Effect: 'Allow', ...one })) };
  const calls = [
    ['AddCannedPolicy', { name: 'add-canned-policy', query: { name: access }, body: policy }],
    [
      'AddUser',
      { name: 'add-user', query: { accessKey: access }, body: { secretKey: secret, status: 'enabled' }, secret: true },
    ],
    [
      'SetPolicyForUserOrGroup',
      { name: 'set-user-or-group-policy', query: { policyName: access, userOrGroup: access, isGroup: 'false' } },
    ],
  ] as const;
  for (const [api, call] of calls) {
    const { status, body } = await ledger.plain(api, '', () => minio.admin(call));
    if (status !== 200) throw new Error(`${api}: found ${status} ${body}, wanted 200`);
  }
}

/** Does a number of things, and is refused others. */
async function visit(t: Test, minio: Minio, ledger: Ledger): Promise<void> {
  const before = ledger.calls.length;
  const root = minio.client(minio.root);
  await takePhotos(minio, root, ledger);
  await upload(root, ledger);
  await goShopping(minio, root, ledger);
  const codes = new Set(ledger.calls.slice(before).map(({ code }) => code));
  t.same([...codes].toSorted(), [200, 204, 206, 304, 403, 404, 412, 416], 'MinIO answers in all these ways');
}

/** All of it allowed, with every byte counted. */
async function takePhotos(minio: Minio, root: S3Client, ledger: Ledger): Promise<void> {
  const Bucket = 'photos';
  const put = async (Key: string, Body: Buffer) => {
    photos.sent += Body.length;
    await ledger.s3('PutObject', Bucket, () => root.send(new PutObjectCommand({ Bucket, Key, Body })));
  };
  const read = async (Key: string, more: object = {}) => {
    await ledger.s3('GetObject', Bucket, async () => {
      const output = await root.send(new GetObjectCommand({ Bucket, Key, ...more }));
      photos.received += (await output.Body?.transformToByteArray())?.length ?? 0;
      return output;
    });
  };
  await put('a b/ü+1.jpg', Buffer.alloc(100_000, 1));
  await put('empty', Buffer.alloc(0));
  await read('a b/ü+1.jpg');
  await read('a b/ü+1.jpg', { Range: 'bytes=10-19' });
  await read('empty');
  const address = presigned(
    `${minio.url}/photos/${encodeURIComponent('a b')}/${encodeURIComponent('ü+1.jpg')}`,
    minio.root,
  );
  secrets.push(address.searchParams.get('X-Amz-Signature') ?? '');
  const { body } = await ledger.plain('GetObject', Bucket, () => minio.ask('GET', address));
  photos.received += body.length;
}

/** In parts, to the end and not. */
async function upload(root: S3Client, ledger: Ledger): Promise<void> {
  const place = { Bucket: 'shop', Key: 'film' };
  const begin = () => ledger.s3('NewMultipartUpload', 'shop', () => root.send(new CreateMultipartUploadCommand(place)));
  const { UploadId } = (await begin())!;
  const Parts = [];
  for (const [index, length] of [PART, 100].entries()) {
    const part = { PartNumber: index + 1, Body: Buffer.alloc(length, index) };
    const send = () => root.send(new UploadPartCommand({ ...place, UploadId, ...part }));
    Parts.push({ PartNumber: index + 1, ETag: (await ledger.s3('PutObjectPart', 'shop', send))?.ETag });
  }
  const complete = new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } });
  await ledger.s3('CompleteMultipartUpload', 'shop', () => root.send(complete));
  const other = (await begin())!.UploadId;
  const abort = new AbortMultipartUploadCommand({ ...place, UploadId: other });
  await ledger.s3('AbortMultipartUpload', 'shop', () => root.send(abort));
}

async function goShopping(minio: Minio, root: S3Client, ledger: Ledger): Promise<void> {
  const [Bucket, Key] = ['shop', 'film'];
  const place = { Bucket, Key };
  const none = { Bucket, Key: 'none' };
  const head = await ledger.s3('HeadObject', Bucket, () => root.send(new HeadObjectCommand(place)));
  const seen = { ...place, IfNoneMatch: head?.ETag };
  const other = { ...place, IfMatch: '"00000000000000000000000000000000"' };
  const beyond = { ...place, Range: 'bytes=999999999-' };
  for (const input of [none, seen, other, beyond])
    await ledger.s3('GetObject', Bucket, () => root.send(new GetObjectCommand(input)));
  await ledger.s3('GetObject', 'nowhere', () => root.send(new GetObjectCommand({ ...place, Bucket: 'nowhere' })));
  await ledger.s3('HeadObject', Bucket, () => root.send(new HeadObjectCommand(none)));
  await ledger.s3('HeadBucket', 'nowhere', () => root.send(new HeadBucketCommand({ Bucket: 'nowhere' })));
  await ledger.s3('ListBuckets', '', () => root.send(new ListBucketsCommand({})));
  await ledger.s3('ListObjectsV2', Bucket, () => root.send(new ListObjectsV2Command({ Bucket })));
  await ledger.s3('ListObjectsV1', Bucket, () => root.send(new ListObjectsCommand({ Bucket })));

  const copy = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: 'shop/film' });
  await ledger.s3('CopyObject', Bucket, () => root.send(copy));
  await ledger.s3('DeleteObject', Bucket, () => root.send(new DeleteObjectCommand({ Bucket, Key: 'copy' })));
  const many = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }, { Key: 'b' }] } });
  await ledger.s3('DeleteMultipleObjects', Bucket, () => root.send(many));

  const visitor = minio.client(VISITOR);
  await ledger.s3('ListObjectsV2', Bucket, () => visitor.send(new ListObjectsV2Command({ Bucket })));
  await ledger.s3('GetObject', Bucket, () => visitor.send(new GetObjectCommand(place)));
  await ledger.s3('PutObject', Bucket, () => visitor.send(new PutObjectCommand({ ...place, Body: 'x' })));
  const strangers = [
    { ...VISITOR, secret: 'another-secret' },
    { access: 'nobody', secret: 'a-secret' },
  ];
  for (const stranger of strangers)
    await ledger.s3('GetObject', Bucket, () => minio.client(stranger).send(new GetObjectCommand(place)));
  await ledger.plain('GetObject', Bucket, () => minio.ask('GET', new URL('/shop/film', minio.url)));
}

/** Calls of the reader that are not about the log bucket. */
async function readAbout(minio: Minio): Promise<void> {
  const reader = minio.client(READER);
  await reader.send(new ListBucketsCommand({}));
  await reader.send(new GetObjectCommand({ Bucket: 'shop', Key: 'film' })).catch(() => {});
}

interface Packer {
  /** What is in the log bucket by now. */
  entries(): readonly AuditEntry[];
  /** Puts what was audited since into so many objects, once all calls of the ledger are there. */
  pack(objects: number): Promise<void>;
}

/** What ships the audit log into a bucket. */
function packerOf(minio: Minio, ledger: Ledger): Packer {
  const root = minio.client(minio.root);
  const ids = new Set<string>();
  let packed = 0;
  let read = 0;
  let objects = 0;
  const isThere = () => {
    for (; read < minio.records.length; read++) ids.add(entryOf(minio.records[read]!).requestID ?? '');
    return ledger.calls.every(({ id }) => ids.has(id));
  };
  const put = async (lines: readonly string[]) => {
    objects += 1;
    const now = new Date().toISOString();
    const Key = `${PREFIX}${now.slice(0, 10).replaceAll('-', '/')}/${now.slice(11, 19)}-${objects}.ndjson.gz`;
    const Body = gzipSync(lines.map((line) => `${line}\n`).join(''));
    await root.send(new PutObjectCommand({ Bucket: LOGS, Key, Body }));
  };
  return {
    entries: () => minio.records.slice(0, packed).map(entryOf),
    pack: async (count) => {
      await eventually('the audit records', isThere);
      const lines = minio.records.slice(packed);
      packed += lines.length;
      const size = Math.ceil(lines.length / count);
      for (let at = 0; at < lines.length; at += size) await put(lines.slice(at, at + size));
    },
  };
}

interface Checking {
  readonly exposition: Exposition;
  /** Of the label; empty for a source without a name. */
  readonly source: string;
  readonly ledger: Ledger;
  readonly packer: Packer;
}

/** The metrics tell what the test did, and what MinIO answered. */
function check(t: Test, { exposition, source, ledger, packer }: Checking): void {
  const label = source === '' ? {} : { source };
  const value = (name: string, labels: Readonly<Record<string, string>>) =>
    exposition.value(name, { ...label, ...labels });
  const shown = [...exposition.samples.values()].filter(
    ({ name, labels, value }) => name === 's3_requests_total' && value > 0 && (labels.get('source') ?? '') === source,
  );
  const requests = shown.map(({ labels, value }) => [
    `${labels.get('api')} ${labels.get('bucket')} ${labels.get('code')}`,
    value,
  ]);
  const calls = ledger.calls.filter(({ bucket }) => bucket !== LOGS);
  t.same(Object.fromEntries(requests), countsOf(calls.map(({ api, bucket, code }) => `${api} ${bucket} ${code}`)));

  const byId = new Map(packer.entries().map((entry) => [entry.requestID, entry]));
  for (const kind of new Set(calls.map(({ api, bucket }) => `${api} ${bucket}`))) {
    const [api = '', bucket = ''] = kind.split(' ');
    const list = calls.filter((call) => call.api === api && call.bucket === bucket);
    const told = list.map(({ id }) => byId.get(id)!.api);
    const seconds = told.map(({ timeToResponseInNS }) => Number(timeToResponseInNS) / 1e9);
    t.equal(value('s3_request_duration_seconds_count', { api, bucket }), list.length, kind);
    const off = (value('s3_request_duration_seconds_sum', { api, bucket }) ?? 0) - sum(seconds);
    t.ok(Math.abs(off) < 1e-6, `${kind}: ${off} s too much`);
    t.equal(value('s3_request_duration_seconds_max', { api, bucket }), Math.max(...seconds), kind);
    t.equal(value('s3_request_bytes_total', { api, bucket }), sum(told.map(({ rx }) => rx)), kind);
    t.equal(value('s3_response_bytes_total', { api, bucket }), sum(told.map(({ tx }) => tx)), kind);
  }
  t.equal(value('s3_request_bytes_total', { api: 'PutObject', bucket: 'photos' }), photos.sent);
  t.equal(value('s3_response_bytes_total', { api: 'GetObject', bucket: 'photos' }), photos.received);
  const reads = calls.filter(({ api }) => api === 'GetObject').length;
  t.equal(value('s3_time_to_first_byte_seconds_count', { api: 'GetObject' }), reads);

  const of = { source: source === '' ? 's3-audit' : `s3-audit/${source}` };
  const own = packer.entries().filter(isOwn).length;
  const items = packer.entries().length;
  t.equal(exposition.value('trailgauge_source_items_total', of), items);
  t.equal(exposition.value('trailgauge_source_rejected_total', { ...of, reason: 'excluded' }), own);
  t.equal(exposition.value('trailgauge_source_events_total', of), items - own);
  t.equal(exposition.value('trailgauge_source_errors_total', of), 0);
}

/** About the log bucket, or by who reads it. */
function isOwn({ api, accessKey }: AuditEntry): boolean {
  return api.bucket === LOGS || accessKey === READER.access;
}

async function doctor(t: Test, minio: Minio): Promise<void> {
  const well = section(minio);
  const as = ({ access, secret }: Keys) => ({ ...well, access_key: access, secret_key: secret });
  const cases: readonly (readonly [section: object, last: RegExp])[] = [
    [well, /^ok +audit\/[0-9/]+\/[0-9:]+-[0-9]\.ndjson\.gz can be read$/],
    [
      as({ ...READER, secret: 'another-secret' }),
      /^FAIL cannot list .* 403 SignatureDoesNotMatch: the secret key does not fit the access key; check both$/,
    ],
    [
      as({ access: 'nobody', secret: 'a-secret' }),
      /^FAIL cannot list .* 403 InvalidAccessKeyId: the access key is not known/,
    ],
    [as(VISITOR), /^FAIL cannot read .* 403 AccessDenied: not allowed; give the key the permission s3:GetObject/],
    [
      { ...well, bucket: 'shop' },
      /^FAIL cannot list .* 403 AccessDenied: not allowed; give the key the permission s3:ListBucket/,
    ],
    [{ ...as(minio.root), bucket: 'nowhere' }, /^FAIL cannot list .* 404 NoSuchBucket: there is no such bucket/],
    [{ ...well, ca: null }, /^FAIL cannot list .* the certificate is not trusted; add the one that signed it as ca/],
    [
      { ...well, endpoint: minio.url.replace('https', 'http') },
      /^FAIL cannot list bucket logs at .*: the answer was 400/,
    ],
  ];
  const place = folder(t);
  const sources = Object.fromEntries(cases.map(([one], index) => [`s3-audit/${index}`, one]));
  const path = file(place, 'c.json', JSON.stringify({ state: { directory: `${place}/state` }, sources }));
  const { code, stdout, stderr } = await cli(['-c', path, 'doctor']);
  t.equal(code, 1);
  t.ok(isForPeople(stdout + stderr), stdout + stderr);
  for (const [index, [, last]] of cases.entries()) {
    const lines = stdout.split('\n').filter((line) => line.includes(` s3-audit/${index}: `));
    t.match((lines.at(-1) ?? '').replace(/ +s3-audit\/[0-9]+: /, ' '), last);
  }
}

function section({ url, ca }: Minio): Readonly<Record<string, unknown>> {
  const { access, secret } = READER;
  const store = { endpoint: url, ca, bucket: LOGS, prefix: PREFIX, access_key: access, secret_key: secret };
  return { ...store, layout: 'dated' };
}

function entryOf(record: string): AuditEntry {
  return JSON.parse(record) as AuditEntry;
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
