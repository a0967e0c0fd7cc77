import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import t, { type Test } from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { get } from '../support/http.ts';
import { type Minio, startMinio } from '../support/minio.ts';
import { type Call, furnish, Ledger, LOGS, lookAround, READER, VISITOR, visit } from '../support/minio-visit.ts';
import { need } from '../support/services.ts';
import type { Keys } from '../support/sign-v4.ts';
import { type Exposition, parseExposition } from '../support/strict-exposition.ts';
import { eventually, home } from '../support/trailgauge.ts';

const PREFIX = 'audit/';
/** Of who reads, and of what packs. */
const OWN_CALLS = ['GetObject', 'ListObjectsV2', 'PutObject'] as const;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
t.setTimeout(170_000);

/** What is read here of a record of MinIO. */
interface AuditEntry {
  readonly api: {
    readonly name?: string;
    readonly bucket?: string;
    readonly rx: number;
    readonly tx: number;
    readonly timeToResponseInNS: string;
  };
  readonly requestID?: string;
  readonly accessKey?: string;
}

t.test('a real MinIO, its audit log, and what is made of it', async (t) => {
  if (!need(t, 'minio', 'openssl')) return;
  const minio = await startMinio(t);
  const ledger = new Ledger();
  await furnish(minio, ledger);
  await visit(minio, ledger);
  const codes = new Set(ledger.calls.map(({ code }) => code));
  t.same([...codes].toSorted(), [200, 204, 206, 304, 400, 403, 404, 412, 416], 'it answers in all these ways');
  const packer = packerOf(minio, ledger);
  await packer.pack(2);

  await t.test('once: whatever the format', async (t) => {
    const formats = ['auto', 'minio'].map((format) => [`s3-audit/${format}`, { ...section(minio), format }]);
    const { code, stdout, stderr } = await home(t, { sources: Object.fromEntries(formats) }).run('once');
    t.equal(code, 0, stderr);
    const exposition = parseExposition(stdout);
    for (const name of ['auto', 'minio']) check(t, { exposition, name, ledger, packer });
  });
  await t.test('start: what comes later, its own reading, and the writer', (t) => follow(t, minio, ledger, packer));
  await t.test('doctor', (t) => doctor(t, minio));
});

async function follow(t: Test, minio: Minio, ledger: Ledger, packer: Packer): Promise<void> {
  const bulk = await fakeBulk(t);
  const program = await home(t, {
    sources: { 's3-audit': { ...section(minio), interval: '200ms' } },
    writers: { elasticsearch: { url: bulk.url, index: 'trails' } },
  }).start();
  const scrape = async () => parseExposition((await get(`${program.url}/metrics`)).text);
  const readAll = async () => {
    const items = (await scrape()).value('trailgauge_source_items_total', { source: 's3-audit' });
    return items === packer.entries().length;
  };
  await eventually(() => `what was there:\n${program.log()}`, readAll);
  await visit(minio, ledger);
  await lookAround(minio, ledger);
  const isAudited = (api: string) => minio.records.some((text) => text.includes(`{"name":"${api}","bucket":"${LOGS}"`));
  await eventually('the reading and the packing to be audited as well', () => OWN_CALLS.every(isAudited));
  await packer.pack(1);
  await eventually(() => `what came later:\n${program.log()}`, readAll);
  check(t, { exposition: await scrape(), name: '', ledger, packer });

  t.ok(packer.entries().filter(isOwn).length >= OWN_CALLS.length + ledger.own.length);
  const wanted = packer.entries().filter((entry) => entry.api.name !== undefined && !isOwn(entry));
  await eventually('the documents', () => bulk.documents.size >= wanted.length);
  t.equal(await program.stop(), 0);
  const texts = [...bulk.documents.values()].map((document) => JSON.stringify(document));
  const ids = texts.map((document) => /"requestID":"([0-9A-F]+)"/.exec(document)?.[1]);
  t.same(ids.toSorted(), wanted.map(({ requestID }) => requestID).toSorted(), 'each record is there once');
  t.equal(sum(bulk.requests.map(({ count }) => count)), wanted.length, 'and was sent once');
  t.same(bulk.problems, []);
  const holding = (list: readonly string[]) =>
    ledger.secrets.filter((secret) => list.some((one) => one.includes(secret)));
  t.same(holding(minio.records), ledger.secrets, 'MinIO writes secrets down');
  t.same(holding(texts), [], 'which are in no document');
  for (const name of ['X-Amz-Signature', 'X-Amz-Server-Side-Encryption-Customer-Key', 'WebIdentityToken'])
    t.ok(
      texts.some((document) => document.includes(`"${name}":"<secret>"`)),
      name,
    );
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
  const entries: AuditEntry[] = [];
  let packed = 0;
  let objects = 0;
  const areThere = () => {
    for (const record of minio.records.slice(entries.length)) entries.push(JSON.parse(record) as AuditEntry);
    const ids = new Set(entries.map(({ requestID }) => requestID));
    const nameless = entries.filter(({ api }) => api.name === undefined).length;
    return (
      nameless === ledger.nameless && [...ledger.calls.map(({ id }) => id), ...ledger.own].every((id) => ids.has(id))
    );
  };
  const put = async (lines: readonly string[]) => {
    objects += 1;
    const now = new Date().toISOString();
    const Key = `${PREFIX}${now.slice(0, 10).replaceAll('-', '/')}/${now.slice(11, 19)}-${objects}.ndjson.gz`;
    const Body = gzipSync(lines.map((line) => `${line}\n`).join(''));
    await root.send(new PutObjectCommand({ Bucket: LOGS, Key, Body }));
  };
  return {
    entries: () => entries.slice(0, packed),
    pack: async (count) => {
      await eventually('the audit records', areThere);
      const lines = minio.records.slice(packed, entries.length);
      packed = entries.length;
      const size = Math.ceil(lines.length / count);
      for (let at = 0; at < lines.length; at += size) await put(lines.slice(at, at + size));
    },
  };
}

interface Checking {
  readonly exposition: Exposition;
  /** Of the source; empty for one without. */
  readonly name: string;
  readonly ledger: Ledger;
  readonly packer: Packer;
}

/** The metrics tell what the test did, and what MinIO answered. */
function check(t: Test, { exposition, name, ledger, packer }: Checking): void {
  const label = name === '' ? {} : { source: name };
  const calls = ledger.calls.filter(({ bucket }) => bucket !== LOGS);
  const isShown = (labels: ReadonlyMap<string, string>) => (labels.get('source') ?? '') === name;
  const shown = [...exposition.samples.values()].flatMap(({ name, labels, value }) => {
    const texts = ['api', 'bucket', 'code'].map((label) => labels.get(label) ?? '');
    return name === 's3_requests_total' && isShown(labels) && value > 0 ? [[texts.join(' '), value] as const] : [];
  });
  t.same(
    Object.fromEntries(shown),
    countsOf(calls.map(({ api, bucket, code }) => `${api} ${bucket} ${code}`)),
    `${name} requests`,
  );

  const entries = new Map(packer.entries().map((entry) => [entry.requestID, entry.api]));
  const kinds = new Map(calls.map(({ api, bucket }) => [`${api} ${bucket}`, { api, bucket }]));
  const found = ({ api, bucket }: Kind) => {
    const labels = { ...label, api, ...(bucket !== '' && { bucket }) };
    const value = (metric: string) => exposition.value(metric, labels) ?? Number.NaN;
    return {
      count: value('s3_request_duration_seconds_count'),
      ns: Math.round(value('s3_request_duration_seconds_sum') * 1e9),
      longest: Math.round(value('s3_request_duration_seconds_max') * 1e9),
      sent: value('s3_request_bytes_total'),
      received: value('s3_response_bytes_total'),
    };
  };
  const wanted = ({ api, bucket }: Kind) => {
    const list = calls.filter((call) => call.api === api && call.bucket === bucket);
    const told = list.flatMap(({ id }) => entries.get(id) ?? []);
    const ns = told.map(({ timeToResponseInNS }) => Number(timeToResponseInNS));
    return {
      count: list.length,
      ns: sum(ns),
      longest: Math.max(...ns),
      sent: sum(told.map(({ rx }) => rx)),
      received: sum(told.map(({ tx }) => tx)),
    };
  };
  const each = (of: (kind: Kind) => object) => Object.fromEntries([...kinds].map(([text, kind]) => [text, of(kind)]));
  t.same(each(found), each(wanted), `${name} durations and bytes`);
  const photos = { ...label, bucket: 'photos' };
  t.equal(exposition.value('s3_request_bytes_total', { ...photos, api: 'PutObject' }), ledger.sent);
  t.equal(exposition.value('s3_response_bytes_total', { ...photos, api: 'GetObject' }), ledger.received);
  const reads = calls.filter(({ api }) => api === 'GetObject').length;
  t.equal(exposition.value('s3_time_to_first_byte_seconds_count', { ...label, api: 'GetObject' }), reads);

  const source = name === '' ? 's3-audit' : name;
  const count = (metric: string, labels = {}) => exposition.value(`trailgauge_source_${metric}`, { source, ...labels });
  const all = packer.entries().length;
  const own = packer.entries().filter(isOwn).length;
  t.same(
    {
      items: count('items_total'),
      events: count('events_total'),
      excluded: count('rejected_total', { reason: 'excluded' }),
      shape: count('rejected_total', { reason: 'shape' }),
      malformed: count('rejected_total', { reason: 'malformed' }),
      errors: count('errors_total'),
    },
    {
      ...{ items: all, events: all - own - ledger.nameless, excluded: own },
      ...{ shape: ledger.nameless, malformed: 0, errors: 0 },
    },
    `${name} items`,
  );
}

type Kind = Pick<Call, 'api' | 'bucket'>;

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

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
