import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { auditSection, lyveLine } from '../support/audit.ts';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { type FakeS3, type FakeS3Options, type Fault, fakeS3 } from '../support/fake-s3.ts';
import { fixture } from '../support/paths.ts';

type Section = Readonly<Record<string, unknown>>;

/** A configuration with one source, or with several by name. */
function config(place: string, sections: Section | readonly Section[]): string {
  const named = Array.isArray(sections) ? (sections as readonly Section[]) : null;
  const sources = named
    ? Object.fromEntries(named.map((section, index) => [`s3-audit/${index}`, section]))
    : { 's3-audit': sections };
  return file(place, 'c.json', JSON.stringify({ state: { directory: `${place}/state` }, sources }));
}

t.test('mistakes in the configuration', async (t) => {
  const keys = { access_key: 'a', secret_key: 's' };
  const endpoint = 'wanted an address such as https://HOST[:PORT], without user, path and query';
  const cases: readonly (readonly [section: Section, message: string])[] = [
    [{}, 'bucket: found neither bucket nor directory, wanted one of them'],
    [{ bucket: 'b', directory: '/d' }, 'directory: found both bucket and directory, wanted one of them'],
    [{ bucket: '' }, 'bucket: found "", wanted text that is not empty'],
    [{ bucket: 'b', access_key: 'a' }, 'secret_key: found access_key without secret_key, wanted both'],
    [{ bucket: 'b', secret_key: 'a' }, 'access_key: found secret_key without access_key, wanted both'],
    [{ bucket: 'b', layout: 'x' }, 'layout: found "x", wanted one of lyve, dated, flat'],
    [{ bucket: 'b', format: 'x' }, 'format: found "x", wanted one of auto, lyve, minio, aws-access-log, ceph'],
    [{ bucket: 'b', endpoint: 'localhost:9000' }, `endpoint: found "localhost:9000", ${endpoint}`],
    [{ bucket: 'b', endpoint: 'http://h/path' }, `endpoint: found "http://h/path", ${endpoint}`],
    [{ bucket: 'b', endpoint: 'http://h/?a' }, `endpoint: found "http://h/?a", ${endpoint}`],
    [
      { bucket: 'b', prefix: '/a' },
      'prefix: found "/a", wanted the beginning of keys, such as audit/, without a slash before it',
    ],
    [{ bucket: 'b', interval: 'x' }, 'interval: found "x", wanted a duration such as 250ms, 60s, 5m, 36h or 7d'],
    [{ bucket: 'b', since: -1 }, 'since: found -1, wanted a duration such as 250ms, 60s, 5m, 36h or 7d'],
    [{ bucket: 'b', path_style: 'perhaps' }, 'path_style: found "perhaps", wanted true or false'],
    [{ bucket: 'b', exclude: { own: 'perhaps' } }, 'exclude.own: found "perhaps", wanted true or false'],
    [{ bucket: 'b', exclude: { buckets: 'x' } }, 'exclude.buckets: found "x", wanted a list of texts'],
    [{ bucket: 'b', exclude: { apis: [1] } }, 'exclude.apis[0]: found 1, wanted text that is not empty'],
    [{ bucket: 'b', buckt: 1 }, 'buckt: found unknown key "buckt", wanted perhaps bucket'],
    [
      { bucket: 'b', ...keys, secret_key: { nowhere: 'hidden' } },
      'secret_key: found "<secret>", wanted a secret: text, { file: PATH }, { env: NAME } or { credential: NAME }',
    ],
  ];
  const sections = cases.map(([section]) => section);
  const { code, stdout, stderr } = await cli(['-c', config(folder(t), sections), 'test-config']);
  t.equal(code, 2);
  t.equal(stdout, '');
  const found = stderr.trimEnd().split('\n');
  const told = found.map((line) => line.replace(/^[^ ]+: /, ''));
  t.same(
    told,
    cases.map(([, message], index) => `sources.s3-audit/${index}.${message}`),
  );
});

t.test('the completed configuration, without its secret', async (t) => {
  const path = config(folder(t), { bucket: 'b', access_key: 'a', secret_key: 'hidden' });
  const { code, stdout } = await cli(['-c', path, 'test-config', '--format', 'json']);
  t.equal(code, 0);
  t.notMatch(stdout, 'hidden');
  t.match((JSON.parse(stdout) as { sources: Section }).sources['s3-audit'], {
    ...{
      endpoint: null,
      region: 'us-east-1',
      bucket: 'b',
      directory: null,
      prefix: '',
      access_key: 'a',
      secret_key: '<secret>',
    },
    ...{ path_style: null, ca: null, interval: '1m', since: '1h', layout: 'lyve', format: 'auto' },
    exclude: { own: true, buckets: [], accounts: [], apis: [] },
  });
});

/** What `doctor` says about each source, without its name. */
async function doctor(t: Test, sections: readonly Section[]): Promise<readonly (readonly string[])[]> {
  const { code, stdout, stderr } = await cli(['-c', config(folder(t), sections), 'doctor']);
  t.ok(isForPeople(stdout + stderr), stdout + stderr);
  const lines = stdout
    .replaceAll(/127\.0\.0\.1:[0-9]+/g, 'HOST')
    .trimEnd()
    .split('\n');
  t.equal(code, lines.some((line) => line.startsWith('FAIL')) ? 1 : 0);
  return sections.map((_, index) =>
    lines.flatMap((line) => {
      const place = ` s3-audit/${index}: `;
      return line.includes(place) ? [line.replace(place, ' ')] : [];
    }),
  );
}

async function storeWith(t: Test, options?: FakeS3Options): Promise<FakeS3> {
  const s3 = await fakeS3(t, options);
  const time = new Date(s3.clock() ?? 0).toISOString().slice(0, 13).replace('T', '-');
  const month = new Date(s3.clock() ?? 0).toLocaleString('en', { month: 'long', timeZone: 'UTC' });
  s3.put(`${month}-${time.slice(0, 4)}/S3-invoices-${time}-00-00.gz`, gzipSync(lyveLine('a')));
  return s3;
}

t.test('doctor: all is well', async (t) => {
  const s3 = await storeWith(t);
  const ahead = await storeWith(t);
  ahead.clock = () => Date.now() + 300_000;
  const [well = [], skewed = []] = await doctor(t, [auditSection(s3), auditSection(ahead)]);
  t.equal(well.length, 2);
  t.match(well[0], /^ok {3}bucket logs at HOST can be listed and holds 1 log of late, the newest of 20.*Z$/);
  t.match(well[1], /^ok {3}[A-Z][a-z]+-[0-9]{4}\/S3-invoices-[0-9-]+\.gz can be read$/);
  t.match(skewed[2], /^ok {3}its clock differs from the one here by (?:299|300) s; set the wrong one right$/);
});

t.test('doctor: more than a page', async (t) => {
  const s3 = await fakeS3(t, { maxKeys: 2 });
  const day = new Date(s3.clock() ?? 0).toISOString().slice(0, 10);
  for (const hour of ['01', '02', '03']) s3.put(`${day}-${hour}-00-00-A`, lyveLine(hour));
  const [[told] = []] = await doctor(t, [{ ...auditSection(s3), layout: 'flat' }]);
  t.match(told, /holds at least 2 logs of late, the newest of these of 20.*Z$/);
});

t.test('doctor: what is wrong, and what to do', async (t) => {
  const [s3, noList, noGet, page] = await Promise.all([storeWith(t), storeWith(t), storeWith(t), storeWith(t)]);
  const denied: Fault = { kind: 'error', status: 403, code: 'AccessDenied', message: 'Access Denied' };
  noList.before = ({ kind }) => (kind === 'list' ? denied : null);
  noGet.before = ({ kind }) => (kind === 'get' ? denied : null);
  page.before = () => ({
    kind: 'answer',
    status: 200,
    type: 'text/html',
    body: '<!doctype html><title>Console</title>',
  });
  const list = 'FAIL cannot list bucket logs at HOST: ';
  const nowhere =
    'FAIL bucket logs at HOST can be listed, but holds no logs of the last days where they are looked for; check prefix and layout';
  const section = auditSection(s3);
  const cases: readonly (readonly [section: Section, last: string | RegExp])[] = [
    [
      { ...section, access_key: 'WRONG' },
      `${list}the answer was 403 InvalidAccessKeyId: the access key is not known there; check it, and the endpoint`,
    ],
    [
      { ...section, secret_key: 'wrong' },
      `${list}the answer was 403 SignatureDoesNotMatch: the secret key does not fit the access key; check both`,
    ],
    [
      { ...section, bucket: 'none' },
      /^FAIL cannot list bucket none at HOST: the answer was 404 NoSuchBucket: there is no such bucket; check its name/,
    ],
    [{ ...section, prefix: 'elsewhere' }, nowhere],
    [{ ...section, layout: 'flat' }, nowhere],
    [{ ...section, endpoint: 'http://127.0.0.1:9' }, /^FAIL .*: the connection was refused; check the host and port/],
    [{ ...section, ca: '/none.pem' }, 'FAIL ca: cannot read /none.pem: ENOENT, wanted a file of certificates (PEM)'],
    [{ ...section, secret_key: { file: '/none' } }, /^FAIL cannot list bucket .*: the secret key cannot be had: /],
    [
      auditSection(noList),
      `${list}the answer was 403 AccessDenied: not allowed; give the key the permission s3:ListBucket, and check the name of the bucket`,
    ],
    [
      auditSection(noGet),
      /^FAIL cannot read ".*" of bucket logs at HOST: the answer was 403 AccessDenied: not allowed; give the key the permission s3:GetObject/,
    ],
    [auditSection(page), /^FAIL cannot list bucket logs at HOST: .*; check the endpoint$/],
  ];
  const found = await doctor(
    t,
    cases.map(([one]) => one),
  );
  for (const [index, [, last]] of cases.entries()) {
    const line = (found[index]?.at(-1) ?? '').replace(/^FAIL +/, 'FAIL ');
    if (typeof last === 'string') t.equal(line, last);
    else t.match(line, last);
  }
});

t.test('explain: a line, a packed file, hostile input', async (t) => {
  const place = folder(t);
  const path = config(place, { bucket: 'audit-logs' });
  const explain = (args: readonly string[], stdin = '') => cli(['-c', path, 'explain', 's3-audit', ...args], { stdin });
  const line = lyveLine('R1', { code: 403, headers: { authorization: 'hidden' } });
  const [one, packed, own, broken, hostile] = await Promise.all([
    explain([], line),
    explain([file(place, 'a.gz', ''), '-f', 'json']),
    explain([], lyveLine('R2', { bucket: 'audit-logs' })),
    explain([fixture('object-logs/gzip/truncated.gz')]),
    explain([fixture('object-logs/hostile/lines.ndjson')]),
  ]);
  t.equal(one.code, 0, one.stderr);
  t.match(one.stdout, 's3_requests_total{api="GetObject",bucket="invoices",code="403"} +1\n');
  t.match(one.stdout, '"id":"R1 2024-01-15T09:05:11.232Z GetObject"');
  t.match(one.stdout, '"authorization":"<secret>"');
  t.equal(packed.code, 0);
  t.match(own.stdout, '  rejected: excluded\n');
  t.equal(broken.code, 1);
  t.match(broken.stderr, 'is no sound gzip: ');
  t.equal(hostile.code, 0);
  t.match(hostile.stdout, '  rejected: malformed\n');
  t.match(hostile.stdout, '  rejected: shape\n');
  t.ok(isForPeople(one.stderr + broken.stderr + hostile.stderr));
  t.notMatch(hostile.stdout, /[^\n\P{Cc}]/u);

  const sound = await explain([fixture('object-logs/gzip/three-members.gz')]);
  t.equal(sound.stdout.split('\n').filter((text) => text.startsWith('  event: ')).length, 12);
});
