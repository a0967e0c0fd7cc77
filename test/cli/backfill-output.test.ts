import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { cli, file, folder, isForPeople, launch } from '../support/cli.ts';
import { fill, smallDisk } from '../support/disk.ts';
import { accessLine, auditStore, BEGIN, config, HOUR, iso, logOf, reactionConfig } from '../support/past-log.ts';
import { need, program } from '../support/services.ts';
import { BARE, eventually, main } from '../support/trailgauge.ts';

t.setTimeout(120_000);

t.test('wrong arguments', async (t) => {
  const place = folder(t);
  const path = reactionConfig(place, '');
  const time = 'a time such as 2026-05-09T10:12:45Z, or a duration such as 36h (that long ago)';
  const step = 'a duration such as 250ms, 60s, 5m, 36h or 7d, of 1s at least and of whole milliseconds';
  const cases: readonly (readonly [args: string, message: string])[] = [
    ['', 'Missing required argument: since'],
    ['--since yesterday', `--since: found "yesterday", wanted ${time}`],
    ['--since 2999-01-01T00:00:00Z', '--since: found "2999-01-01T00:00:00Z", wanted a time before now'],
    ['--since 0s', '--since: found "0s", wanted a time before now'],
    ['--since 1h --until soon', `--until: found "soon", wanted ${time}`],
    ['--since 1h --until 2h', '--until: found "2h", wanted a time after --since "1h"'],
    ['--since 1h --until 1h', '--until: found "1h", wanted a time after --since "1h"'],
    ['--since 1h --step 999ms', `--step: found "999ms", wanted ${step}`],
    ['--since 1h --step 1.0005s', `--step: found "1.0005s", wanted ${step}`],
    ['--since 1h --step often', `--step: found "often", wanted ${step}`],
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

t.test('what becomes much is told before it is written', async (t) => {
  const path = reactionConfig(folder(t), logOf([Date.UTC(2020, 0, 1)]));
  const child = launch(['-c', path, 'backfill', '--since', '2020-01-01T00:00:00Z', '--step', '1s']);
  const said = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  t.match(await said, /"samples":2\d{8},"gigabytes":\d+,"msg":"this becomes much: a longer --step makes it less"/);
});

t.test('standard output that cannot be written to', async (t) => {
  const path = reactionConfig(folder(t), logOf([BEGIN]));
  const command = `"$0" "$@" > /dev/full`;
  const args = ['-c', path, 'backfill', '--since', iso(BEGIN), '--until', iso(BEGIN + HOUR)];
  const { status, stderr } = spawnSync('env', [...BARE, 'sh', '-c', command, process.execPath, main, ...args], {
    encoding: 'utf8',
  });
  t.equal(status, 1);
  t.match(stderr, 'trailgauge: cannot write to standard output: ENOSPC: no space left on device, write\n');
});

t.test('SIGINT while it reads, and while it writes', async (t) => {
  const { s3, section, put } = await auditStore(t);
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
