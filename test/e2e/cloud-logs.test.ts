import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../src/core/event.ts';
import { CLOUDTRAIL_METRICS } from '../../src/sources/cloudtrail/metrics.ts';
import { GCP_LOGS_METRICS } from '../../src/sources/gcp-logs/metrics.ts';
import { mainCounter } from '../../src/writers/main-counter.ts';
import { cli, folder, isForPeople } from '../support/cli.ts';
import { type FakeS3, fakeS3 } from '../support/fake-s3.ts';
import { fixture } from '../support/paths.ts';
import { type Exposition, parseExposition, type Sample, seriesKey } from '../support/strict-exposition.ts';
import { home } from '../support/trailgauge.ts';
import { treeOf } from '../support/tree.ts';

t.setTimeout(120_000);

/** A series in an `expected.json`. */
interface Expected {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Case {
  readonly source: string;
  readonly fixture: string;
  readonly metrics: Readonly<Record<string, { readonly name: string; readonly type: string }>>;
}

const CLOUDTRAIL: Case = { source: 'cloudtrail', fixture: 'cloudtrail', metrics: CLOUDTRAIL_METRICS };
const GCP: Case = { source: 'gcp-logs', fixture: 'gcs', metrics: GCP_LOGS_METRICS };
const CASES = [CLOUDTRAIL, GCP] as const;

/** Their window is of now, and what the fixtures tell of is long gone. */
const SKETCHES = new Set(['top', 'topError', 'distinct']);
const OWN = /^trailgauge_source_(?:items|events|rejected|duplicates)_total$/;

/** What an exposition shows of a source, and what a fixture wants of it; what is 0 is nowhere. */
function compared(exposition: Exposition, { fixture: name, metrics }: Case) {
  const wanted = JSON.parse(readFileSync(fixture(`object-logs/${name}/expected.json`), 'utf8')) as Expected[];
  const names = new Set(lasting(metrics).flatMap(({ name: metric }) => [metric, `${metric}_count`, `${metric}_sum`]));
  const untold = new Set(['cloudtrail_delivery_lag_seconds_sum', 'gcp_delivery_lag_seconds_sum']);
  const isTold = ({ name: metric, value }: Sample) =>
    value !== 0 && (names.has(metric) || OWN.test(metric)) && !untold.has(metric);
  return {
    found: Object.fromEntries([...exposition.samples.values()].filter(isTold).map(({ key, value }) => [key, value])),
    wanted: Object.fromEntries(
      wanted.map(({ name: metric, labels, value }) => [seriesKey(metric, Object.entries(labels)), value]),
    ),
  };
}

function lasting(metrics: Case['metrics']) {
  return Object.values(metrics).filter(({ type }) => !SKETCHES.has(type));
}

/** The section for a store that holds a fixture. */
function inBucket(s3: FakeS3, more: Readonly<Record<string, unknown>> = {}) {
  const { url: endpoint, bucket, accessKey: access_key, secretKey: secret_key } = s3;
  return { endpoint, bucket, access_key, secret_key, ...more };
}

async function runOnce(t: Test, sources: Readonly<Record<string, unknown>>, ...args: readonly string[]) {
  const { code, stdout, stderr } = await home(t, { sources }).run('once', ...args);
  t.equal(code, 0, stderr);
  return { exposition: parseExposition(stdout), stderr };
}

for (const one of CASES) {
  t.test(`${one.source}: a folder, a bucket, and a folder without layout show the same`, async (t) => {
    const tree = fixture(`object-logs/${one.fixture}/tree`);
    const s3 = await fakeS3(t);
    for (const [key, content] of treeOf(tree)) {
      s3.put(`a b/${key}`, content);
      s3.put(`2024/${key}`, content);
    }
    const loose = folder(t);
    for (const [index, [key, content]] of treeOf(tree).entries()) {
      if (!key.includes('Digest')) writeFileSync(join(loose, `${index}-${basename(key)}`), content);
    }
    const { fixture: _, ...wanted } = one;
    const sections = [{ directory: tree }, inBucket(s3, { prefix: 'a b' }), { directory: loose }];
    const shown = await Promise.all(sections.map((section) => runOnce(t, { [wanted.source]: section })));
    for (const [index, { exposition, stderr }] of shown.entries()) {
      const { found, wanted } = compared(exposition, one);
      t.same(found, wanted, Object.keys(sections[index] ?? {}).join());
      t.ok(isForPeople(stderr), stderr);
      for (const { name, type } of lasting(one.metrics)) {
        const samples = exposition.families.get(name)?.samples ?? [];
        t.ok(
          samples.some(({ value }) => value > 0),
          `${name} (${type}) is touched`,
        );
      }
    }
    const lists = s3.log.filter(({ kind, delimiter }) => kind === 'list' && delimiter === '');
    t.same(
      lists.filter(({ prefix }) => !/\/(?:CloudTrail|syslog|requests|activity)\//.test(prefix)),
      [],
      'no listing of all',
    );
  });
}

t.test('all 15 controls are there from the start', async (t) => {
  const { exposition } = await runOnce(t, {
    cloudtrail: { directory: folder(t) },
    'gcp-logs': { directory: folder(t) },
  });
  const controls = exposition.families.get('cloudtrail_security_events_total')?.samples ?? [];
  t.equal(controls.length, 15);
  t.ok(controls.every(({ value }) => value === 0));
});

t.test('once with a range, and with digests', async (t) => {
  const directory = fixture('object-logs/cloudtrail/tree');
  const [ranged, read, proven] = await Promise.all([
    runOnce(t, { cloudtrail: { directory } }, '--since', '2013-01-01T00:00:00Z', '--until', '2014-01-01T00:00:00Z'),
    runOnce(t, { cloudtrail: { directory } }),
    runOnce(t, { cloudtrail: { directory, digests: true } }),
  ]);
  t.equal(ranged.exposition.value('trailgauge_source_events_total', { source: 'cloudtrail' }), 1);
  const { found, wanted } = compared(proven.exposition, CLOUDTRAIL);
  t.same(found, wanted, 'a digest whose hashes are right changes nothing');
  for (const { exposition } of [read, proven]) {
    const errors = exposition.value('trailgauge_source_errors_total', { source: 'cloudtrail' });
    t.equal(errors, 2, 'files that are broken');
  }
});

interface Account {
  readonly event?: Event;
  readonly rejected?: string;
  readonly metrics: readonly { readonly series: string; readonly by: number }[];
}

t.test('explain: each event goes to writers under the name and the labels of its counter', async (t) => {
  const place = folder(t);
  const config = join(place, 'c.json');
  const section = { directory: place };
  const sources = { 'cloudtrail/x': { ...section, labels: ['event'] }, 'gcp-logs': section };
  writeFileSync(config, JSON.stringify({ sources }));
  const lines = join(place, 'lines');
  const cases: readonly (readonly [source: string, files: readonly string[], config: boolean])[] = [
    ['cloudtrail/x', paths('cloudtrail', /bbbb/), true],
    ['gcp-logs', paths('gcs', /(?:requests|activity).*json$/), false],
  ];
  for (const [source, files, isConfigured] of cases) {
    const ran = await Promise.all(
      files.map((file) => cli([...(isConfigured ? ['-c', config] : []), '-f', 'json', 'explain', source, file])),
    );
    const accounts = ran.flatMap(({ code, stdout, stderr }) => {
      t.equal(code, 0, stderr);
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Account);
    });
    const events = accounts.filter(({ event }) => event);
    t.ok(events.length >= 10, `${events.length} events of ${source}`);
    for (const { event, metrics } of events) {
      const { name, labels } = mainCounter(event as Event);
      const text = [...labels].map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',');
      t.same(
        metrics.filter(({ series }) => series.startsWith(`${name}_total{`)),
        [{ series: `${name}_total{${text}}`, by: 1 }],
      );
    }
  }
  const [whole] = paths('cloudtrail', /bbbb/);
  const asLines = (text: string) => text.replace(/"time":[0-9]+,/g, '');
  const told = (await cli(['-f', 'json', 'explain', 'cloudtrail', whole ?? ''])).stdout;
  const raws = told
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.stringify((JSON.parse(line) as Account).event?.data.raw));
  writeFileSync(lines, `${raws.join('\n')}\nhello\n`);
  const again = (await cli(['-f', 'json', 'explain', 'cloudtrail', lines])).stdout;
  t.equal(asLines(again).split('\n').length, asLines(told).split('\n').length + 1, 'lines that are records');
  t.match(again, '"rejected":"malformed"');
});

function paths(name: string, wanted: RegExp): readonly string[] {
  const tree = fixture(`object-logs/${name}/tree`);
  return treeOf(tree).flatMap(([key]) => (wanted.test(key) && !key.includes('Digest') ? [join(tree, key)] : []));
}

t.test('explain: a file that is cut, and nonsense', async (t) => {
  const [cut] = paths('cloudtrail', /eeee/);
  const [gzip, text, empty] = await Promise.all([
    cli(['explain', 'cloudtrail', cut ?? '']),
    cli(['explain', 'gcp-logs'], { stdin: 'x\n{}\n' }),
    cli(['explain', 'cloudtrail'], { stdin: '' }),
  ]);
  t.match(gzip, { code: 1, stdout: '', stderr: /is no sound gzip/ });
  t.ok(isForPeople(gzip.stderr), gzip.stderr);
  t.match(text, { code: 0, stdout: 'x\n  rejected: malformed\n{}\n  rejected: shape\n' });
  t.match(empty, { code: 0, stdout: '', stderr: '' });
});

t.test('the same ids in each run, and each event once at a writer', async (t) => {
  const directory = fixture('object-logs/cloudtrail/tree');
  const gcs = fixture('object-logs/gcs/tree');
  const sources = { cloudtrail: { directory, labels: ['event'] }, 'gcp-logs': { directory: gcs } };
  const place = home(t, { sources, writers: { stdout: {} } });
  const ran = await Promise.all([place.run('once'), place.run('once')]);
  const [first = [], second = []] = ran.map(({ stdout }) =>
    stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : [])),
  );
  t.equal(first.length, 31 + 16);
  t.same(second.map(({ id }) => id).sort(), first.map(({ id }) => id).sort());
  t.equal(new Set(first.map(({ id }) => id)).size, first.length);
  const counts = new Map<string, number>();
  for (const event of first) {
    const { name, labels } = mainCounter(event);
    const key = seriesKey(`${name}_total`, labels);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const text = ran[0]?.stdout.split('\n').filter((line) => !line.startsWith('{')) ?? [];
  const shown = [...parseExposition(text.join('\n')).samples.values()].filter(
    ({ name, value }) => /^(?:cloudtrail_events|gcp_log_entries)_total$/.test(name) && value > 0,
  );
  t.same(Object.fromEntries(counts), Object.fromEntries(shown.map(({ key, value }) => [key, value])));
});

t.test('doctor: a bucket, a folder, digests, and nothing', async (t) => {
  const s3 = await fakeS3(t);
  const tree = folder(t);
  mkdirSync(join(tree, 'copy'));
  cpSync(fixture('object-logs/gcs/tree'), join(tree, 'copy'), { recursive: true });
  for (const [key, content] of treeOf(fixture('object-logs/cloudtrail/tree'))) s3.put(key, content);
  const sources = {
    'cloudtrail/bucket': inBucket(s3, { digests: true }),
    'cloudtrail/none': { directory: join(tree, 'none') },
    'gcp-logs': { directory: tree },
    'gcp-logs/closed': inBucket(s3, { secret_key: 'wrong' }),
  };
  const { code, stdout, stderr } = await home(t, { sources }).run('doctor');
  t.equal(code, 1, stderr);
  const lines = (name: string) => stdout.split('\n').filter((line) => line.includes(` ${name}: `));
  t.match(lines('cloudtrail/bucket'), [
    /^FAIL .* holds no logs of the last days/,
    /^FAIL .*found no digest of the last day/,
  ]);
  t.match(lines('cloudtrail/none'), [/^FAIL .* is not there; create it/]);
  t.match(lines('gcp-logs'), [/^ok .* holds 5 logs/, /^ok .* can be read$/]);
  t.match(lines('gcp-logs/closed'), [/^FAIL .*SignatureDoesNotMatch|signature/i]);
  t.ok(isForPeople(stdout), stdout);
  t.equal(readdirSync(tree).length, 1);
});
