import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SOURCES as SPECS } from '../../src/sources/index.ts';
import { cli, folder, isForPeople } from '../support/cli.ts';
import { root } from '../support/paths.ts';
import { main } from '../support/trailgauge.ts';

const COMMANDS = [
  'start',
  'once',
  'backfill',
  'demo',
  'explain',
  'doctor',
  'defaults',
  'test-config',
  'metrics',
  'version',
];
const SOURCES = SPECS.map(({ type }) => type).join(', ');
const SEE = 'See trailgauge --help.\n';

t.test('bad command lines: exit code 2, nothing on stdout, and one message', async (t) => {
  const cases: readonly (readonly [args: string, message: string])[] = [
    ['', `found no command, wanted one of ${COMMANDS.join(', ')}\n${SEE}`],
    ['bogus', `found the command "bogus", wanted one of ${COMMANDS.join(', ')}\n${SEE}`],
    ['strat --now', `found the command "strat", wanted perhaps start\n${SEE}`],
    ['start now', `found unknown argument now\n${SEE}`],
    ['once --sinse 1h', `found unknown argument sinse\n${SEE}`],
    ['doctor --no-c', `found unknown argument no-c\n${SEE}`],
    ['-f xml version', `found what is not to choose from:\n  f: found "xml", wanted one of "yaml", "json"\n${SEE}`],
    ['start -c', `found nothing after c, wanted a value\n${SEE}`],
    ['explain', `found too few words after the command: 0, wanted 1 or more\n${SEE}`],
    ['explain reaction a b', `found unknown argument b\n${SEE}`],
    ['explain reactoin', `found source "reactoin", wanted one of ${SOURCES}\n`],
    ['explain reaction/edge', 'found source "reaction/edge", wanted one configured: reaction\n'],
    ['demo --port http', `--port: found "http", wanted a whole number from 0 to 65535\n${SEE}`],
    ['demo --port 65536', `--port: found "65536", wanted a whole number from 0 to 65535\n${SEE}`],
    [
      'once --since yesterday',
      '--since: found "yesterday", wanted a time such as 2026-05-09T10:12:45Z, or a duration such as 36h (that long ago)\n',
    ],
    ['once --since 1h --until 2h', '--until: found "2h", wanted a time after --since "1h"\n'],
    [
      'once --format xml',
      `found what is not to choose from:\n  format: found "xml", wanted one of "text", "openmetrics"\n${SEE}`,
    ],
  ];
  // The language of the machine makes no difference.
  const env = { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' };
  const ran = await Promise.all(cases.map(([args]) => cli(args.split(' ').filter(Boolean), { env })));
  for (const [index, [args, message]] of cases.entries()) {
    t.same(ran[index], { code: 2, stdout: '', stderr: `trailgauge: ${message}` }, args || 'no arguments');
  }
});

t.test('--help lists the commands that exist, and no others', async (t) => {
  const [long, short, ...each] = await Promise.all(
    [['--help'], ['-h'], ['start', '--help'], ['explain', '-h']].map((args) => cli(args)),
  );
  t.match(long, { code: 0, stderr: '' });
  t.same(short, long);
  const listed = [...(long?.stdout ?? '').matchAll(/^ {2}trailgauge ([a-z-]+)/gm)].map((match) => match[1]);
  t.same(listed, COMMANDS);
  t.match(each, [
    { code: 0, stdout: 'trailgauge start', stderr: '' },
    { code: 0, stdout: 'trailgauge explain <source> [file]', stderr: '' },
  ]);
});

t.test('version, as a command and as an option', async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = `trailgauge ${version} (revision test, Node.js ${process.version})\n`;
  const texts = await Promise.all([['version'], ['--version'], ['-V']].map((args) => cli(args)));
  for (const ran of texts) t.same(ran, { code: 0, stdout: wanted, stderr: '' });
  const inJson = ['version -f json', '-f json --version', 'version --format json', '-f yaml -f json version'];
  for (const { code, stdout } of await Promise.all(inJson.map((args) => cli(args.split(' '))))) {
    t.equal(code, 0);
    t.same(JSON.parse(stdout), { name: 'trailgauge', version, revision: 'test', node: process.version });
  }
});

t.test('the catalogue of metrics, as a table and as JSON', async (t) => {
  const { stdout } = await cli(['metrics', '-f', 'json']);
  const rows = JSON.parse(stdout) as { name: string; type: string; labels: string[]; help: string; source: string }[];
  t.ok(rows.length > 20);
  t.match(
    rows.find(({ name }) => name === 'reaction_matches_total'),
    {
      type: 'counter',
      labels: ['stream', 'filter'],
      source: 'reaction',
    },
  );
  t.match(
    rows.find(({ name }) => name === 'trailgauge_source_up'),
    { type: 'gauge', source: '-' },
  );
  t.equal(new Set(rows.map(({ name }) => name)).size, rows.length, 'each once');
  const table = (await cli(['metrics'])).stdout.split('\n');
  t.match(table[0], /^NAME +TYPE +SOURCE +LABELS +HELP$/);
  t.equal(table.length, rows.length + 2);
  for (const [index, { name }] of rows.entries()) t.equal(table[index + 1]?.split(' ')[0], name);
});

t.test('a reader that leaves early is no failure', async (t) => {
  const place = folder(t);
  const commands = ['defaults', 'metrics', '--help', '-f json metrics', 'explain reaction'];
  const leave = async (command: string) => {
    const args = command.split(' ');
    const input = 'INFO ssh.failedlogin: match ["192.0.2.1"]\n'.repeat(5_000);
    const child = spawn(process.execPath, [main, ...args], { cwd: place, stdio: 'pipe' });
    child.stdin.on('error', () => {});
    child.stdin.end(args[0] === 'explain' ? input : '');
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    t.equal(code, 0, command);
    t.ok(isForPeople(stderr), stderr);
  };
  await Promise.all(commands.map(leave));
});

t.test('a full disk behind stdout is a failure', async (t) => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${main}" metrics >/dev/full`], { stdio: 'ignore' });
  const [code] = await once(child, 'close');
  t.equal(code, 1);
});
