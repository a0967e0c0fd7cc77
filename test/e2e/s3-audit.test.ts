import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { differences, expectedSums } from '../sources/s3-audit/counted.ts';
import { auditSection, lyveLine, putTree, sumOf, sumsOf } from '../support/audit.ts';
import { type FakeS3, type Fault, fakeS3 } from '../support/fake-s3.ts';
import { fixture } from '../support/paths.ts';
import { home } from '../support/trailgauge.ts';

/** After everything that the fixtures tell of, but for the clocks that are wrong on purpose. */
const LATER = Date.UTC(2024, 5, 1);
const SOURCE = { source: 's3-audit' };
const KEY = 'January-2024/S3-invoices-2024-01-15-10-00-00.gz';

t.setTimeout(100_000);

interface Once {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** What `once` makes of all that a store holds. */
async function once(
  t: Test,
  s3: FakeS3,
  more: Readonly<Record<string, unknown>> = {},
  ...args: string[]
): Promise<Once> {
  const place = home(t, { sources: { 's3-audit': auditSection(s3, more) } });
  return place.run('once', ...args);
}

/** What is wrong with the metrics that a fixture tells of. */
function wrong(stdout: string, name: string): readonly string[] {
  const wanted = expectedSums(name);
  const names = new Set([...wanted.keys()].map((key) => key.split(' ')[0]));
  // What a fixture does not tell of does not matter to it.
  return differences(new Map([...sumsOf(stdout)].filter(([key]) => names.has(key.split(' ')[0]))), wanted);
}

t.test('the bucket of Lyve Cloud', async (t) => {
  const s3 = await fakeS3(t, { buckets: ['audit-logs'] });
  putTree(s3, fixture('object-logs/lyve/tree'), LATER);
  const { stdout, stderr, code } = await once(t, s3, { since: '36500d' });
  t.equal(code, 0);
  // How often a broken object is tried is not for the fixture to say.
  t.same(
    wrong(stdout, 'lyve/expected.json').filter((text) => !text.includes('"failed"')),
    [],
  );
  t.match(stderr, '"state":"quarantined","msg":"object is broken"');
  t.equal(sumOf(stdout, 's3_log_objects_total', { result: 'failed' }), 1, 'the cut object was tried twice');
  t.equal(sumOf(stdout, 's3_log_objects_total', { result: 'changed' }), 0);
  t.ok(s3.log.filter(({ kind }) => kind === 'get').every(({ ifMatch }) => ifMatch !== null));
  t.notOk(stdout.includes('FAKE') || stderr.includes('FAKE'));
});

t.test('MinIO, access logs, hostile lines: all three layouts', async (t) => {
  const bodyOf = (name: string) => readFileSync(fixture(`object-logs/${name}`));
  const cases: readonly (readonly [wanted: string, layout: string, objects: Readonly<Record<string, Buffer>>])[] = [
    ['minio', 'dated', { 'x/2024/01/15/node1.log': bodyOf('minio/epochs.ndjson') }],
    [
      'access-log',
      'flat',
      {
        '2024-01-15-10-00-00-AAAA': bodyOf('access-log/aws.log'),
        '2024-01-15-11-00-00-AAAA': gzipSync(bodyOf('access-log/ceph-standard.log')),
        '2024-01-15-12-00-00-AAAA': bodyOf('access-log/ceph-ops.ndjson'),
      },
    ],
    ['hostile', 'lyve', { [KEY]: bodyOf('hostile/lines.ndjson') }],
  ];
  await Promise.all(
    cases.map(async ([wanted, layout, objects]) => {
      const s3 = await fakeS3(t);
      for (const [key, body] of Object.entries(objects)) s3.put(key, body, { modified: LATER });
      const exclude = { own: false };
      const { stdout, code } = await once(t, s3, { layout, exclude });
      t.equal(code, 0);
      t.same(wrong(stdout, `${wanted}/expected.json`), [], wanted);
    }),
  );
});

t.test('lines of 1 MiB, and one byte more', async (t) => {
  const s3 = await fakeS3(t);
  const line = lyveLine('a');
  const padded = (bytes: number) => `${line.slice(0, -1)}${' '.repeat(bytes - line.length)}}`;
  s3.put(KEY, `${padded(1_048_576)}\r\n${padded(1_048_577)}\n${padded(1_048_576)}`);
  const { stdout } = await once(t, s3);
  t.equal(sumOf(stdout, 's3_requests_total', { api: 'GetObject', bucket: 'invoices', code: '200' }), 2);
  t.equal(sumOf(stdout, 'trailgauge_source_rejected_total', { ...SOURCE, reason: 'too_long' }), 1);
  t.equal(sumOf(stdout, 'trailgauge_source_items_total', SOURCE), 3);
  t.equal(sumOf(stdout, 'trailgauge_source_bytes_total', SOURCE), 3 * 1_048_576 + 4);
});

t.test('packed in all ways', async (t) => {
  const rows = readFileSync(fixture('object-logs/gzip/expected.tsv'), 'utf8').trimEnd().split('\n').slice(1);
  const s3 = await fakeS3(t);
  let records = 0;
  let broken = 0;
  for (const [index, row] of rows.entries()) {
    const [name = '', wanted = ''] = row.split('\t');
    const key = `January-2024/S3-b-2024-01-15-${String(index).padStart(2, '0')}-00-00.gz`;
    s3.put(key, readFileSync(fixture(`object-logs/gzip/${name}`)), { modified: LATER });
    if (wanted === 'broken') broken += 1;
    else records += Number(wanted);
  }
  // Neither the name nor a header says whether it is packed.
  s3.put(KEY, gzipSync(`${lyveLine('x')}\n`), {
    headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' },
  });
  const { stdout, code } = await once(t, s3);
  t.equal(code, 0);
  t.equal(sumOf(stdout, 'trailgauge_source_items_total', SOURCE), records + 1);
  t.equal(sumOf(stdout, 's3_log_objects_total', { result: 'done' }), rows.length - broken + 1);
  t.equal(sumOf(stdout, 's3_log_objects_total', { result: 'quarantined' }), broken);
});

t.test('what is excluded is counted as that', async (t) => {
  const s3 = await fakeS3(t);
  const minio = (accessKey: string) =>
    JSON.stringify({ api: { name: 'GetObject', bucket: 'b', statusCode: 200 }, requestID: accessKey, accessKey });
  const lines = [
    lyveLine('1', { bucket: s3.bucket }),
    minio(s3.accessKey),
    minio('somebody'),
    lyveLine('2', { bucket: 'scratch' }),
    lyveLine('3', { account: 'scanner' }),
    lyveLine('4', { api: 'HeadBucket' }),
    lyveLine('5', { bucket: 'SCRATCH' }),
    lyveLine('6'),
  ];
  s3.put(KEY, lines.join('\n'), { modified: LATER });
  const exclude = { buckets: ['scratch'], accounts: ['scanner'], apis: ['HeadBucket'] };
  const [all, some] = await Promise.all([
    once(t, s3, { exclude }),
    once(t, s3, { exclude: { own: false, accounts: ['somebody'] } }),
  ]);
  const excluded = { ...SOURCE, reason: 'excluded' };
  t.equal(sumOf(all.stdout, 'trailgauge_source_rejected_total', excluded), 5);
  t.equal(sumOf(all.stdout, 'trailgauge_source_events_total', SOURCE), 3);
  t.equal(sumOf(some.stdout, 'trailgauge_source_rejected_total', excluded), 1);
  t.equal(sumOf(some.stdout, 'trailgauge_source_events_total', SOURCE), 7);
});

t.test('--since and --until choose records by their own time', async (t) => {
  const s3 = await fakeS3(t);
  const times = ['2024-01-15T09:00:00Z', '2024-01-15T10:00:00Z', '2024-01-15T11:00:00Z'];
  const body = times.map((time, index) => lyveLine(String(index), { time })).join('\n');
  s3.put(KEY, body, { modified: Date.UTC(2024, 0, 15, 12) });
  // It came before any of the times asked for below.
  s3.put('January-2024/S3-old-2024-01-14-10-00-00.gz', lyveLine('old', { time: '2024-01-15T10:30:00Z' }), {
    modified: Date.UTC(2024, 0, 15, 9, 50),
  });
  const requests = (stdout: string) => sumOf(stdout, 'trailgauge_source_events_total', SOURCE);
  const [all, since, until, both, none] = await Promise.all([
    once(t, s3),
    once(t, s3, {}, '--since', times[1]!),
    once(t, s3, {}, '--until', times[1]!),
    once(t, s3, {}, '--since', times[1]!, '--until', times[2]!),
    once(t, s3, {}, '--since', '2024-01-15T13:00:00Z'),
  ]);
  t.equal(requests(all.stdout), 4);
  t.equal(requests(since.stdout), 2);
  t.equal(requests(until.stdout), 1);
  t.equal(requests(both.stdout), 1);
  t.equal(requests(none.stdout), 0);
});

t.test('a bucket without keys, and keys without folders', async (t) => {
  const [empty, plain] = await Promise.all([fakeS3(t), fakeS3(t)]);
  plain.put('notes.txt', 'x');
  plain.put('S3-invoices-2024-01-15-10-00-00.gz', gzipSync(lyveLine('a')));
  const ran = await Promise.all([once(t, empty), once(t, plain), once(t, empty, { layout: 'dated' })]);
  for (const { code, stdout } of ran) {
    t.equal(code, 0);
    t.equal(sumOf(stdout, 'trailgauge_source_up', SOURCE), 1);
  }
  t.equal(sumOf(ran[1].stdout, 's3_log_objects_total', { result: 'done' }), 1);
  t.equal(sumOf(ran[1].stdout, 's3_log_objects_total', { result: 'ignored' }), 1);
});

t.test('a store in trouble is waited for, not blamed on the object', async (t) => {
  const s3 = await fakeS3(t);
  const body = gzipSync(Array.from({ length: 400 }, (_, index) => lyveLine(`${index} ${Math.sin(index)}`)).join('\n'));
  s3.put(KEY, body, { modified: LATER });
  const slow: Fault = { kind: 'error', status: 503, code: 'SlowDown' };
  s3.fail('list', slow, slow);
  s3.fail('get', { kind: 'reset-body', at: 2_000 }, { kind: 'cut', at: 1_000 });
  const { stdout, code } = await once(t, s3);
  t.equal(code, 0);
  t.equal(sumOf(stdout, 'trailgauge_source_events_total', SOURCE), 400);
  t.equal(sumOf(stdout, 'trailgauge_source_items_total', SOURCE), 400);
  t.equal(sumOf(stdout, 's3_log_objects_total', { result: 'failed' }), 0);
  t.ok(sumOf(stdout, 'trailgauge_source_errors_total', SOURCE) >= 2);
});
