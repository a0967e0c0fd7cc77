import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { exportEntry, writeJournal } from '../support/journal.ts';
import {
  accessLine,
  auditStore,
  BEGIN,
  COMMON,
  config,
  HOUR,
  iso,
  logOf,
  reactionConfig,
} from '../support/past-log.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';
import { parseExposition, seriesKey } from '../support/strict-exposition.ts';
import { parseHistory } from '../support/strict-history.ts';

t.setTimeout(120_000);

const MATCHES = seriesKey('reaction_matches_total', [
  ['stream', 'ssh'],
  ['filter', 'failedlogin'],
]);

const seconds = (ms: number) => ms / 1_000;

/** Steps up, as pairs of time and growth. */
function risesOf(points: readonly (readonly [number, number])[] = []): (readonly [number, number])[] {
  return points.flatMap(([time, value], index) => {
    const by = value - (points[index - 1]?.[1] ?? 0);
    return by === 0 ? [] : [[time, by] as const];
  });
}

t.test('a log of reaction 1: what was counted, when it was', async (t) => {
  const place = folder(t);
  const log = readFileSync(fixture('reaction/v1.log'), 'utf8');
  const path = config(place, { reaction: { ...COMMON, logs: { file: fixture('reaction/v1.log') } } });
  // Times of reaction 1 are local.
  const args = ['-c', path, 'backfill', '--since', '2024-05-01T00:00:00Z', '--until', '2024-05-04T00:00:00Z'];
  const { code, stdout, stderr } = await cli(args, { env: { TZ: 'UTC' } });
  t.equal(code, 0, stderr);
  const { series, types } = parseHistory(stdout);
  const truth = new Map<number, number>();
  for (const [, date = '', clock = ''] of log.matchAll(/^(\d+\/\d+\/\d+) (\S+) INFO {2}ssh\.failedlogin: match /gm)) {
    const time = Date.parse(`${date.replaceAll('/', '-')}T${clock}Z`);
    const step = seconds((Math.floor(time / 60_000) + 1) * 60_000);
    truth.set(step, (truth.get(step) ?? 0) + 1);
  }
  t.ok(truth.size > 0);
  t.same(risesOf(series.get(MATCHES)), [...truth]);
  t.equal(types.get('reaction_matches'), 'counter');
  const [first = 0] = [...truth.keys()];
  t.same(series.get(MATCHES)?.[0], [first - 60, 0]);
  t.same(series.get(MATCHES)?.at(-1)?.[0], seconds(Date.UTC(2024, 4, 4)));
  const gauges = [...types.keys()].filter((name) => types.get(name) === 'gauge' || name.startsWith('trailgauge'));
  t.same(gauges, [], 'nothing that tells of now');
  t.notOk(existsSync(join(place, 'state')), 'nothing is saved');
});

t.test('from `since` on, and before `until`: spans that follow each other count each event once', async (t) => {
  const place = folder(t);
  const times = [-1, 0, 1, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1, 2 * HOUR].map((after) => BEGIN + after);
  const path = reactionConfig(place, logOf(times));
  const ran = await Promise.all(
    [0, 1].map((hour) =>
      cli([
        ...['-c', path, 'backfill', '--step', '1h'],
        ...['--since', iso(BEGIN + hour * HOUR), '--until', iso(BEGIN + (hour + 1) * HOUR)],
      ]),
    ),
  );
  for (const [hour, { stdout, stderr }] of ran.entries()) {
    t.same(
      parseHistory(stdout).series.get(MATCHES),
      [
        [seconds(BEGIN + hour * HOUR), 0],
        [seconds(BEGIN + (hour + 1) * HOUR), 3],
      ],
      stderr,
    );
  }
});

t.test('an end that is not there yet is now', async (t) => {
  const place = folder(t);
  const now = Date.now();
  const path = reactionConfig(place, logOf([now - 90_000, now + HOUR]));
  const { code, stdout } = await cli(['-c', path, 'backfill', '--since', '1h', '--until', iso(now + 2 * HOUR)]);
  t.equal(code, 0);
  const points = parseHistory(stdout).series.get(MATCHES) ?? [];
  t.equal(points.at(-1)?.[1], 1);
  const last = (points.at(-1)?.[0] ?? 0) * 1_000;
  t.ok(last >= now && last <= Date.now(), iso(last));
});

t.test('a journal', async (t) => {
  if (!need(t, 'journalctl', 'systemd-journal-remote')) return;
  const place = folder(t);
  const directory = join(place, 'journal');
  mkdirSync(directory);
  // Entries lie a second apart.
  writeJournal(
    join(directory, 'a.journal'),
    Array.from({ length: 600 }, (_, number) =>
      exportEntry(number, { MESSAGE: 'INFO ssh.failedlogin: match ["192.0.2.1"]' }),
    ).join(''),
  );
  const path = config(place, { reaction: { ...COMMON, logs: { systemd: 'reaction', directory } } });
  const begin = 1_767_225_600;
  const args = ['--since', iso((begin + 60) * 1_000), '--until', iso((begin + 240) * 1_000)];
  const { code, stdout, stderr } = await cli(['-c', path, 'backfill', ...args]);
  t.equal(code, 0, stderr);
  t.same(parseHistory(stdout).series.get(MATCHES), [
    [begin + 60, 0],
    [begin + 120, 60],
    [begin + 180, 120],
    [begin + 240, 180],
  ]);
});

t.test('objects of a store: duplicates once, broken ones not at all, and each at its own time', async (t) => {
  const { section, put } = await auditStore(t);
  const place = folder(t);
  const lines = [accessLine(BEGIN, 200, 30), accessLine(BEGIN + 1_000, 200, 2_000), accessLine(BEGIN + HOUR, 404, 5)];
  put(BEGIN + 2 * HOUR, 'AAAA', lines.join(''));
  // It came earlier, and tells of later; and one line again.
  put(BEGIN + HOUR, 'BBBB', lines[0]! + accessLine(BEGIN + 2 * HOUR, 200, 1));
  put(BEGIN + HOUR, 'CCCC', gzipSync(accessLine(BEGIN + 60_000, 500, 9_000).repeat(100)).subarray(0, 60));
  put(BEGIN + HOUR, 'DDDD', 'this is no record\n');
  const path = config(place, { 's3-audit': section });
  const { code, stdout, stderr } = await cli([
    ...['-c', path, 'backfill', '--since', iso(BEGIN), '--until', iso(BEGIN + 3 * HOUR)],
  ]);
  t.equal(code, 0, stderr);
  t.ok(isForPeople(stderr), stderr);
  const { series, types } = parseHistory(stdout);
  const key = (name: string, more: Readonly<Record<string, string>> = {}) =>
    seriesKey(name, Object.entries({ api: 'REST.GET.OBJECT', bucket: 'pics', ...more }));
  const at = (ms: number) => seconds(BEGIN + ms) + 60;
  t.same(risesOf(series.get(key('s3_requests_total', { code: '200' }))), [
    [at(0), 2],
    [at(2 * HOUR), 1],
  ]);
  t.same(risesOf(series.get(key('s3_requests_total', { code: '404' }))), [[at(HOUR), 1]]);
  t.notOk(series.has(key('s3_requests_total', { code: '500' })), 'of a broken object nothing counts');
  t.same(risesOf(series.get(key('s3_request_duration_seconds_bucket', { le: '0.05' }))), [
    [at(0), 1],
    [at(HOUR), 1],
    [at(2 * HOUR), 1],
  ]);
  const [time, sum = 0] = series.get(key('s3_request_duration_seconds_sum'))?.at(-1) ?? [];
  t.equal(time, seconds(BEGIN + 3 * HOUR));
  t.ok(Math.abs(sum - 2.036) < 1e-9, `${sum}`);
  const longest = series.get(key('s3_request_duration_seconds_max')) ?? [];
  t.same(
    [longest[0], longest.at(-1)],
    [
      [at(0), 2],
      [seconds(BEGIN + 3 * HOUR), 0.001],
    ],
  );
  t.equal(longest.length, 180);
  t.equal(types.get('s3_request_duration_seconds'), 'histogram');
  t.notOk(types.has('s3_log_objects'), 'what is told of objects is not told of events');
  t.match(stderr, /"msg":"history is written"/);
});

t.test('in the end each source has what `once` shows', async (t) => {
  const directory = (name: string) => fixture(`object-logs/${name}/tree`);
  const sections = [
    { reaction: { ...COMMON, logs: { file: fixture('reaction/v2-stamped.log') } } },
    { 's3-audit': { directory: directory('lyve') } },
    { cloudtrail: { directory: directory('cloudtrail') } },
    { 'gcp-logs': { directory: directory('gcs') } },
  ];
  const span = ['--since', '2000-01-01T00:00:00Z', '--until', '2026-05-01T00:00:00Z'];
  for (const section of sections) {
    const path = config(folder(t), section);
    const [history, once] = await Promise.all([
      cli(['-c', path, 'backfill', '--step', '30d', ...span]),
      cli(['-c', path, 'once', '--format', 'openmetrics', ...span]),
    ]);
    const shown = [...parseExposition(once.stdout, 'openmetrics').families.values()]
      .filter(({ name, type }) => !/^trailgauge_|_objects$/.test(name) && type !== 'gauge')
      .flatMap(({ samples }) => samples)
      .filter(({ name, value }) => value > 0 && !name.endsWith('_created'));
    const { series } = parseHistory(history.stdout);
    const name = Object.keys(section).join();
    t.ok(shown.length > 3, name);
    t.same(
      Object.fromEntries(shown.map(({ key }) => [key, rounded(series.get(key)?.at(-1)?.[1])])),
      Object.fromEntries(shown.map(({ key, value }) => [key, rounded(value)])),
      name,
    );
    const known = new Set(shown.map(({ key }) => key));
    const more = [...series].filter(([key, points]) => !known.has(key) && (points.at(-1)?.[1] ?? 0) > 0);
    t.same(
      more.map(([key]) => key).filter((key) => !/_max/.test(key)),
      [],
      `nothing else of ${name}`,
    );
  }
});

/** Sums of seconds depend on their order. */
function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(12));
}

t.test('lines without a time: how many they are, and why they are left out', async (t) => {
  const place = folder(t);
  const log = `${logOf([BEGIN])}${'INFO ssh.failedlogin: match ["192.0.2.1"]\n'.repeat(7)}`;
  const path = reactionConfig(place, log);
  const args = ['-c', path, 'backfill', '--since', iso(BEGIN), '--until', iso(BEGIN + 60_000)];
  const { code, stdout, stderr } = await cli(args);
  t.equal(code, 0);
  t.equal(parseHistory(stdout).series.get(MATCHES)?.at(-1)?.[1], 1);
  const said = 'left out, as nothing tells when these events were: a log without times has no history';
  t.match(stderr, `"source":"reaction","events":7,"msg":"${said}"`);
  const none = await cli([
    '-c',
    config(place, { reaction: { ...COMMON, logs: { file: fixture('reaction/v2.log') } } }),
    ...args.slice(2),
  ]);
  t.equal(none.code, 0);
  t.equal(none.stdout, '# EOF\n');
  t.match(none.stderr, said);
});

t.test('what falls over the limit is counted as other, and told', async (t) => {
  const place = folder(t);
  const log = Array.from({ length: 9 }, (_, index) => `${iso(BEGIN)} INFO web.f${index}: match ["192.0.2.1"]\n`);
  const path = reactionConfig(place, log.join(''), { metrics: { series_limit: 4 } });
  const { code, stdout, stderr } = await cli([
    ...['-c', path, 'backfill', '--since', iso(BEGIN), '--until', iso(BEGIN + 60_000)],
  ]);
  t.equal(code, 0);
  const { series } = parseHistory(stdout);
  const other = seriesKey('reaction_matches_total', [
    ['stream', 'other'],
    ['filter', 'other'],
  ]);
  t.equal(series.get(other)?.at(-1)?.[1], 5);
  t.match(stderr, '"metric":"reaction_matches_total","events":5,"msg":"counted as `other`');
});

t.test('two sources of one type, and one that cannot be read', async (t) => {
  const place = folder(t);
  const logs = { file: file(place, 'r.log', logOf([BEGIN])) };
  const path = config(place, { reaction: { ...COMMON, logs }, 'reaction/edge': { ...COMMON, logs } });
  const span = ['--since', iso(BEGIN), '--until', iso(BEGIN + 60_000)];
  const { stdout } = await cli(['-c', path, 'backfill', ...span]);
  const { series } = parseHistory(stdout);
  t.same([...series.keys()].filter((key) => key.startsWith('reaction_matches_total')).length, 2);

  const none = join(place, 'none.log');
  const output = join(place, 'out.om');
  const bad = config(place, { reaction: { ...COMMON, logs }, 'reaction/edge': { ...COMMON, logs: { file: none } } });
  const failed = await cli(['-c', bad, 'backfill', ...span, '--output', output]);
  t.equal(failed.code, 1);
  t.match(failed.stderr, `cannot read ${none}: ${none} does not exist`);
  t.same(
    readdirSync(place).filter((name) => name.startsWith('out')),
    [],
  );
});
