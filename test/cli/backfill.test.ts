import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { cli, file, folder, isForPeople, launch } from '../support/cli.ts';
import { fill, smallDisk } from '../support/disk.ts';
import { fakeS3 } from '../support/fake-s3.ts';
import { exportEntry, writeJournal } from '../support/journal.ts';
import { fixture } from '../support/paths.ts';
import { need, program } from '../support/services.ts';
import { seriesKey } from '../support/strict-exposition.ts';
import { parseHistory } from '../support/strict-history.ts';
import { BARE, eventually, main } from '../support/trailgauge.ts';

t.setTimeout(120_000);

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 4, 9, 10);
const MATCHES = seriesKey('reaction_matches_total', [
  ['stream', 'ssh'],
  ['filter', 'failedlogin'],
]);

const iso = (ms: number) => new Date(ms).toISOString();
const seconds = (ms: number) => ms / 1_000;

/** One match at each of these times. */
function logOf(times: readonly number[]): string {
  return times.map((time) => `${iso(time)} INFO ssh.failedlogin: match ["192.0.2.1"]\n`).join('');
}

function config(place: string, sources: Readonly<Record<string, unknown>>, more: object = {}): string {
  return file(place, 'c.json', JSON.stringify({ state: { directory: join(place, 'state') }, sources, ...more }));
}

/** A configuration with one log of reaction, which holds this. */
function reactionConfig(place: string, log: string, more: object = {}): string {
  return config(place, { reaction: { ...COMMON, logs: { file: file(place, 'r.log', log) } } }, more);
}

// What reaction itself knows would be shown at 0.
const COMMON = { config: '/nowhere', command: '/nowhere', hold: '0s' };

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

/** A line of an AWS server access log. */
function accessLine(time: number, code: number, ms: number): string {
  const date = new Date(time).toUTCString().slice(5, 25).split(' ');
  const stamp = `${date[0]}/${date[1]}/${date[2]}:${date[3]} +0000`;
  const id = time.toString(16);
  return `ab12 pics [${stamp}] 192.0.2.7 ana ${id} REST.GET.OBJECT k "GET /k HTTP/1.1" ${code} - 20 40 ${ms} 12 "-" "sdk" -\n`;
}

async function store(t: Test) {
  const s3 = await fakeS3(t);
  const section = {
    ...{ endpoint: s3.url, bucket: s3.bucket, access_key: s3.accessKey, secret_key: s3.secretKey },
    layout: 'flat',
  };
  const put = (time: number, name: string, body: string | Buffer) =>
    s3.put(`${iso(time).slice(0, 19).replaceAll(/[T:]/g, '-')}-${name}`, body, { modified: time });
  return { s3, section, put };
}

t.test('objects of a store: duplicates once, broken ones not at all, and each at its own time', async (t) => {
  const { section, put } = await store(t);
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

t.test('wrong arguments', async (t) => {
  const place = folder(t);
  const path = reactionConfig(place, '');
  const time = 'a time such as 2026-05-09T10:12:45Z, or a duration such as 36h (that long ago)';
  const step = 'a duration such as 250ms, 60s, 5m, 36h or 7d, of 1s at least and of whole milliseconds';
  const cases: readonly (readonly [args: string, message: string])[] = [
    ['', 'Missing required argument: since'],
    ['--since', 'found nothing after since, wanted a value'],
    ['--since yesterday', `--since: found "yesterday", wanted ${time}`],
    ['--since 2999-01-01T00:00:00Z', '--since: found "2999-01-01T00:00:00Z", wanted a time before now'],
    ['--since 0s', '--since: found "0s", wanted a time before now'],
    ['--since 1h --until soon', `--until: found "soon", wanted ${time}`],
    ['--since 1h --until 2h', '--until: found "2h", wanted a time after --since "1h"'],
    ['--since 1h --until 1h', '--until: found "1h", wanted a time after --since "1h"'],
    ['--since 1h --step 999ms', `--step: found "999ms", wanted ${step}`],
    ['--since 1h --step 1.0005s', `--step: found "1.0005s", wanted ${step}`],
    ['--since 1h --step often', `--step: found "often", wanted ${step}`],
    ['--since 1h --every 1m', 'found unknown argument every'],
    ['--since 1h --output=', '--output: found "", wanted the name of a file'],
  ];
  const ran = await Promise.all(
    cases.map(([args]) => cli(['-c', path, 'backfill', ...args.split(' ').filter(Boolean)])),
  );
  for (const [index, [args, message]] of cases.entries()) {
    t.equal(ran[index]?.code, 2, args);
    t.equal(ran[index]?.stdout, '', args);
    t.ok(ran[index]?.stderr.startsWith(`trailgauge: ${message}\n`), `${args}: ${ran[index]?.stderr}`);
  }
});

t.test('--output: the file is there when it is whole', async (t) => {
  const place = folder(t);
  const path = reactionConfig(place, logOf([BEGIN]));
  const args = ['-c', path, 'backfill', '--since', iso(BEGIN), '--until', iso(BEGIN + HOUR)];
  const output = file(place, 'out.om', 'what was there before');
  const { code, stdout } = await cli([...args, '--output', 'out.om'], { cwd: place });
  t.equal(code, 0);
  t.equal(stdout, '');
  t.equal(readFileSync(output, 'utf8'), (await cli(args)).stdout);
  t.same(readdirSync(place).sort(), ['c.json', 'out.om', 'r.log']);

  const denied = join(place, 'denied');
  mkdirSync(denied);
  chmodSync(denied, 0o555);
  const cases: readonly (readonly [output: string, message: string])[] = [
    [join(denied, 'out'), `--output: cannot write ${denied}/out.partial: found no permission to write it`],
    [join(place, 'none', 'out'), `--output: cannot write ${place}/none/out.partial: its folder does not exist`],
    [join(output, 'out'), `--output: cannot write ${output}/out.partial: found a file in its way, wanted a folder`],
    [place, `--output: found the directory ${place}, wanted the name of a file`],
  ];
  const ran = await Promise.all(cases.map(([where]) => cli([...args, '--output', where], { unprivileged: true })));
  for (const [index, [where, message]] of cases.entries()) {
    t.equal(ran[index]?.code, 1, where);
    t.match(ran[index]?.stderr, `"msg":"${message}"`);
  }
  const nothing = await cli([...args, '--output', '/dev/null']);
  t.equal(nothing.code, 0, 'what is no file is written to as it is');
  t.ok(statSync('/dev/null').isCharacterDevice());
});

t.test('--output on a disk that becomes full, or is too small from the start', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const place = folder(t);
  const path = reactionConfig(place, logOf([BEGIN]));
  const args = ['-c', path, 'backfill', '--since', iso(BEGIN), '--step', '1s', '--until'];
  const output = join(disk, 'out.om');
  const { stdout } = await cli([...args, iso(BEGIN + 4 * HOUR)]);
  const filler = fill(disk, stdout.length - 16_384);
  const full = await cli([...args, iso(BEGIN + 4 * HOUR), '--output', output]);
  t.equal(full.code, 1, full.stderr);
  t.match(full.stderr, `"msg":"--output: cannot write ${output}.partial: no space left on the disk"`);
  t.ok(isForPeople(full.stderr), full.stderr);
  filler.remove();
  t.same(readdirSync(disk), []);
  const small = await cli([...args, iso(BEGIN + 48 * HOUR), '--output', output]);
  t.equal(small.code, 1);
  t.match(
    small.stderr,
    /"msg":"--output: at least \d+ MB are to be written, found \d MB free in .*, wanted more room, a longer --step or a shorter time"/,
  );
  t.same(readdirSync(disk), []);
});

t.test('a temporary folder that is full', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  fill(disk);
  const place = folder(t);
  const times = Array.from({ length: 400_000 }, (_, index) => BEGIN - index * 1_000);
  const path = reactionConfig(place, logOf(times));
  const output = join(place, 'out.om');
  const { code, stderr } = await cli(
    ['-c', path, 'backfill', '--since', iso(BEGIN - 400_000_000), '--step', '1s', '--output', output],
    { env: { TMPDIR: disk } },
  );
  t.equal(code, 1);
  const said = stderr.split('\n').filter((line) => line.includes('"level":60'));
  t.equal(said.length, 1, stderr);
  t.match(said[0], `"msg":"temporary folder ${disk}: no space left on the disk"`);
  t.notOk(existsSync(output));
  t.same(readdirSync(disk), ['filler']);
});

t.test('a reader that goes away', async (t) => {
  const place = folder(t);
  const path = reactionConfig(place, logOf([BEGIN]));
  const args = ['-c', path, 'backfill', '--since', iso(BEGIN), '--until', iso(BEGIN + 48 * HOUR), '--step', '1s'];
  const child = launch(args, { env: { TMPDIR: place } });
  const said = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
  t.notMatch(await said, /"level":(?:50|60)/);
  t.same(readdirSync(place).sort(), ['c.json', 'r.log']);
});

t.test('SIGINT while it reads, and while it writes', async (t) => {
  const { s3, section, put } = await store(t);
  const place = folder(t);
  const temporary = join(place, 'tmp');
  mkdirSync(temporary);
  put(BEGIN, 'AAAA', accessLine(BEGIN, 200, 1));
  const output = join(place, 'out.om');
  const path = config(place, { 's3-audit': section });
  let asked = false;
  s3.before = (call) => {
    if (call.kind !== 'get') return null;
    asked = true;
    return new Promise(() => {});
  };
  const args = ['-c', path, 'backfill', '--since', iso(BEGIN), '--output', output];
  const reading = launch(args, { env: { TMPDIR: temporary } });
  const saidReading = text(reading.stderr);
  await eventually('the object to be asked for', () => asked);
  t.ok(existsSync(`${output}.partial`));
  reading.kill('SIGINT');
  const [readingCode] = await once(reading, 'exit');
  t.equal(readingCode, 1);
  t.match(await saidReading, '"msg":"stopped before all was written"');

  const other = folder(t);
  const log = reactionConfig(other, logOf([BEGIN]));
  const span = ['--since', iso(BEGIN), '--until', iso(BEGIN + 48 * HOUR), '--step', '1s'];
  const writing = launch(['-c', log, 'backfill', ...span], { env: { TMPDIR: temporary } });
  const saidWriting = text(writing.stderr);
  await once(writing.stdout, 'readable');
  writing.kill('SIGINT');
  const [written, [writingCode]] = await Promise.all([text(writing.stdout), once(writing, 'exit')]);
  t.equal(writingCode, 1);
  t.match(await saidWriting, '"msg":"stopped before all was written"');
  t.notMatch(written, '# EOF', 'nobody takes it for the whole');
  t.same(readdirSync(temporary), []);
  t.same(readdirSync(place).sort(), ['c.json', 'tmp']);
});

t.test('a terminal is shown how far it is', async (t) => {
  if (!need(t, 'script')) return;
  const place = folder(t);
  const path = reactionConfig(place, logOf([BEGIN]));
  const span = ['--since', iso(BEGIN), '--until', iso(BEGIN + 48 * HOUR), '--step', '1s'];
  const args = [process.execPath, main, '-c', path, 'backfill', ...span, '--output', join(place, 'out.om')];
  const command = ['env', ...BARE, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(program('script') ?? '', ['-qec', command, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [shown, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  t.equal(code, 0);
  // What clears the line is not easily read.
  const lines = shown.replaceAll('\r\x1b[K', '\n').replaceAll('\x1b', '');
  t.match(lines, /\nwriting {2}\[#* *\] \d+ % {2}1 events, \d+ series\r/);
  t.match(lines, /\n[^#%\n]*history is written/);
  t.equal(spawnSync('tail', ['-n1', join(place, 'out.om')], { encoding: 'utf8' }).stdout, '# EOF\n');
  const { stderr } = await cli(['-c', path, 'backfill', ...span]);
  t.notMatch(stderr, '\x1b');
});
