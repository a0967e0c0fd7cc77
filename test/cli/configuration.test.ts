// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what a user writes
import { spawnSync } from 'node:child_process';
import { once as ended } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { parse } from 'yaml';
import { WRITERS } from '../../src/writers/index.ts';
import { cli, file, folder, launch } from '../support/cli.ts';
import { fixture } from '../support/paths.ts';
import { eventually, main } from '../support/trailgauge.ts';

t.test('a configuration that cannot be read', async (t) => {
  const place = folder(t);
  const closed = file(place, 'closed.yaml', 'log: {}\n');
  chmodSync(closed, 0o000);
  const none = join(place, 'none.yaml');
  const wish = 'wanted a configuration (see: trailgauge defaults)';
  const cases: readonly (readonly [path: string, message: string])[] = [
    [none, `trailgauge: configuration ${none}: found no such file, ${wish}\n`],
    [place, `trailgauge: configuration ${place}: found a directory, ${wish}\n`],
    [closed, `trailgauge: configuration ${closed}: found no permission to read it, ${wish}\n`],
  ];
  const runs = cases.flatMap(([path, message]) => {
    const commands = path === none ? ['test-config', 'start', 'once', 'doctor'] : ['test-config', 'start'];
    return commands.map((command) => ({ command, path, message }));
  });
  const ran = await Promise.all(runs.map(({ command, path }) => cli(['-c', path, command], { unprivileged: true })));
  for (const [index, { command, path, message }] of runs.entries()) {
    t.same(ran[index], { code: 2, stdout: '', stderr: message }, `${command} ${path}`);
  }
});

t.test('every error, with its file, line and column, in the order of the file', async (t) => {
  const place = folder(t);
  const path = file(
    place,
    'bad.yaml',
    ['listen: { prot: 9090 }', 'log: { level: loud }', 'sources:', '  recation: { hold: ${HOLD} }']
      .join('\n')
      .replace('${HOLD}', '"${HOLD}"'),
  );
  const errors = [
    `${path}:1:11: listen.prot: found unknown key "prot", wanted perhaps port`,
    `${path}:2:15: log.level: found "loud", wanted one of trace, debug, info, warn, error, fatal, silent`,
    `${path}:4:3: sources.recation: found source type "recation", wanted perhaps reaction`,
    `${path}:4:21: sources.recation.hold: found \${HOLD}, but the environment has no HOLD; wanted it set, or \${HOLD:-default}`,
  ];
  const expected = { code: 2, stdout: '', stderr: `${errors.join('\n')}\n` };
  const all = [['test-config'], ['start'], ['explain', 'reaction']].map((command) => ['-c', path, ...command]);
  for (const ran of await Promise.all(all.map((args) => cli(args)))) t.same(ran, expected);
});

t.test('errors of the web configuration, and of what goes together, beside all others', async (t) => {
  const place = folder(t);
  const web = file(
    place,
    'web.yml',
    [
      'tls_server_config: { cert_file: none.crt, key_file: none.key }',
      'basic_auth_users: { alice: hunter2 }',
      'rate_limit: { intervl: 1s }',
    ].join('\n'),
  );
  const path = file(
    place,
    'bad.yaml',
    [
      'log: { level: loud }',
      `listen: { address: 0.0.0.0, port: x, web_config: ${web} }`,
      'sources: { ingest: { cloudevents: {} }, reaction: { hold: soon } }',
      'writers:',
      '  stdout: { sources: [cts], batch: many }',
      '  neo4j: {}',
    ].join('\n'),
  );
  const atWeb = `${path}:2:50: listen.web_config: ${web}`;
  const tls = 'tls_server_config';
  const errors = [
    `${path}:1:15: log.level: found "loud", wanted one of`,
    `${path}:2:35: listen.port: found "x", wanted a whole number`,
    `${atWeb}:3: rate_limit.intervl: unknown key, did you mean interval?`,
    `${atWeb}:2: basic_auth_users.alice: wanted a bcrypt hash`,
    `${atWeb}:1: ${tls}.cert_file: cannot read ${place}/none.crt: ENOENT`,
    `${atWeb}:1: ${tls}.key_file: cannot read ${place}/none.key: ENOENT`,
    `${path}:3:35: sources.ingest.cloudevents.token: found none, with listen.address "0.0.0.0"`,
    `${path}:3:59: sources.reaction.hold: found "soon"`,
    `${path}:5:23: writers.stdout.sources[0]: found source "cts", wanted one that is configured: ingest, reaction`,
    `${path}:5:36: writers.stdout.batch: found "many"`,
    `${path}:6:10: writers.neo4j: $NEO4J_URI`,
  ];
  for (const command of ['test-config', 'start']) {
    const { code, stdout, stderr } = await cli(['-c', path, command], { env: { NEO4J_URI: 'nonsense' } });
    t.same({ code, stdout }, { code: 2, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    t.equal(lines.length, errors.length, stderr);
    for (const [index, start] of errors.entries()) t.equal(lines[index]?.slice(0, start.length), start);
    t.notMatch(stderr, 'hunter2');
  }
});

t.test('-f json asks for JSON', async (t) => {
  const place = folder(t);
  const path = file(place, 'c.yaml', 'log: { level: info }\n');
  const stderr = `${path}:1:1: not valid JSON: found "l", wanted a value or a key in double quotes\n`;
  const commands = ['test-config', 'once'].map((command) => ['-c', path, '-f', 'json', command]);
  for (const ran of await Promise.all(commands.map((args) => cli(args)))) t.same(ran, { code: 2, stdout: '', stderr });
});

t.test('the defaults are a configuration that is complete already', async (t) => {
  const place = folder(t);
  const [yaml, json] = await Promise.all([cli(['defaults']), cli(['--defaults', '-f', 'json'])]);
  t.match(yaml, { code: 0, stderr: '' });
  t.match(yaml.stdout, /^# The whole configuration/);
  const value = parse(yaml.stdout);
  const { writers, ...rest } = JSON.parse(json.stdout);
  t.same(value, rest);
  t.same(writers, {}, 'all of them are off, which a comment says');
  t.same(Object.keys(value), ['log', 'listen', 'state', 'metrics', 'addresses', 'sources']);

  const fromYaml = file(place, 'defaults.yaml', yaml.stdout);
  const fromJson = file(place, 'defaults.json', json.stdout);
  const [nothing, one, two, three] = await Promise.all([
    cli(['-c', file(place, 'empty.yaml', ''), 'test-config']),
    cli(['-c', fromYaml, 'test-config']),
    cli(['-c', fromJson, '-f', 'json', 'test-config']),
    cli(['-c', fromYaml, 'test-config', '--format', 'json']),
  ]);
  for (const ran of [nothing, one, two, three]) t.match(ran, { code: 0, stderr: '' });
  t.same(parse(one?.stdout ?? ''), { ...value, writers });
  t.equal(nothing?.stdout, one?.stdout);
  t.equal(two?.stdout, json.stdout, 'the very same text');
  t.equal(three?.stdout, json.stdout);
  const again = await cli(['-c', file(place, 'again.yaml', one?.stdout ?? ''), 'test-config']);
  t.equal(again.stdout, one?.stdout);
});

t.test('what is off in the defaults is complete as well, once its comment signs are taken away', async (t) => {
  const place = folder(t);
  const { stdout } = await cli(['defaults']);
  const off = stdout.slice(stdout.indexOf('# writers:\n'));
  const { writers } = parse(off.replaceAll(/^# /gm, '')) as { writers: Record<string, object> };
  t.same(
    Object.keys(writers),
    WRITERS.map(({ type }) => type),
  );
  for (const [type, section] of Object.entries(writers)) {
    // A transaction of a thousand events takes longer than a request.
    const timeout = type === 'neo4j' ? '60s' : '30s';
    t.match(section, { sources: [], queue: '1GiB', batch: 1_000, timeout, drain: '5s' }, type);
  }
  const url = 'http://localhost:8086';
  const given = { ...writers, influx: { ...writers.influx, url, database: 'trails' }, elasticsearch: { url } };
  const { code, stderr } = await cli([
    '-c',
    file(place, 'all.yaml', JSON.stringify({ writers: given })),
    'test-config',
  ]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
});

t.test('what was written stays as it was written', async (t) => {
  const place = folder(t);
  const path = file(
    place,
    'c.yaml',
    'listen: { port: "${PORT}" }\nsources: { reaction: { hold: 2m }, reaction/edge: { logs: { file: "${LOG:-/l}" } } }\n',
  );
  const { code, stdout } = await cli(['-c', path, 'test-config'], { env: { PORT: '9000' } });
  t.equal(code, 0);
  t.match(parse(stdout), {
    listen: { port: 9000 },
    sources: { reaction: { hold: '2m' }, 'reaction/edge': { logs: { file: '/l', systemd: null }, hold: '60s' } },
  });
});

t.test('the configuration may come by a pipe', async (t) => {
  const line = `echo 'log: { level: warn }' | "${process.execPath}" "${main}" -c /dev/stdin test-config`;
  const { status, stdout } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
  t.equal(status, 0);
  t.equal(parse(stdout).log.level, 'warn');
});

t.test('-c - is standard input', async (t) => {
  const place = folder(t);
  file(place, 'v2.log', 'INFO ssh.failedlogin: match ["192.0.2.1"]\n');
  // Relative paths begin at the working directory, as those of a file do.
  const reaction = { config: fixture('reaction/etc'), command: '/absent', logs: { file: 'v2.log' } };
  const given = { log: { level: 'error' }, listen: { port: 0 }, state: { directory: 'state' }, sources: { reaction } };
  const stdin = JSON.stringify(given);
  const run = (...args: readonly string[]) => cli(['-c', '-', ...args], { cwd: place, stdin });
  const [tested, json, once, backfill, explained, doctor] = await Promise.all([
    run('test-config'),
    run('-f', 'json', 'test-config'),
    run('once'),
    run('backfill', '--since', '1h'),
    run('explain', 'reaction', 'v2.log'),
    run('doctor'),
  ]);
  t.match(tested, { code: 0, stderr: '' });
  t.equal(parse(tested.stdout).log.level, 'error');
  t.equal(JSON.parse(json.stdout).log.level, 'error');
  t.match(once.stdout, 'reaction_matches_total{stream="ssh",filter="failedlogin"} 1\n');
  t.match(backfill, { code: 0, stdout: /# EOF\n$/ });
  t.match(explained, { code: 0, stdout: 'reaction_matches_total' });
  t.match(doctor.stdout, /^ok {3}configuration: standard input\n.*\nok {3}reaction: log v2\.log: 1 lines of reaction/);
  const empty = await cli(['-c', '-', 'test-config']);
  t.equal(empty.stdout, (await cli(['-c', '/dev/null', 'test-config'])).stdout);

  const child = launch(['-c', '-', 'start'], { cwd: place });
  child.stdin.end(stdin.replace('"error"', '"info"'));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  const exit = ended(child, 'exit');
  await eventually(
    () => `the start:\n${log}`,
    () => log.includes('"msg":"started"'),
  );
  child.kill('SIGTERM');
  t.same(await exit, [0, null], log);
});

t.test('what is wrong with standard input', async (t) => {
  const bad = await Promise.all(
    ['test-config', 'start', 'once', 'doctor'].map((command) =>
      cli(['-c', '-', command], { stdin: 'listen: { prot: 9090 }\n' }),
    ),
  );
  const stderr = 'standard input:1:11: listen.prot: found unknown key "prot", wanted perhaps port\n';
  for (const ran of bad) t.same(ran, { code: 2, stdout: '', stderr });
  t.match(await cli(['-c', '-', 'start'], { stdin: 'listen: { web_config: /absent }\n' }), {
    code: 2,
    stderr: /^standard input:1:[0-9]+: listen\.web_config: /,
  });
  t.same(await cli(['-c', '-', 'test-config'], { stdin: '#'.repeat(5_000_000) }), {
    code: 2,
    stdout: '',
    stderr: 'trailgauge: configuration standard input: found more than 4194304 characters, wanted at most so many\n',
  });
  const both = 'found standard input as configuration and as raw input, wanted a file for one of them';
  for (const more of [[], ['-']]) {
    const ran = await cli(['-c', '-', 'explain', 'reaction', ...more], { stdin: 'log: {}\n' });
    t.same(ran, { code: 2, stdout: '', stderr: `trailgauge: ${both}\n` });
  }
});

t.test('stopped while standard input is waited for', async (t) => {
  const child = launch(['-c', '-', 'start']);
  t.teardown(() => child.kill('SIGKILL'));
  // It asks for more once it has read this much.
  await new Promise<void>((resolve, reject) => {
    child.stdin.write('#'.repeat(1_000_000), (error) => (error ? reject(error) : resolve()));
  });
  const [stderr, exit] = [text(child.stderr), ended(child, 'exit')];
  child.kill('SIGINT');
  t.same(await exit, [2, null]);
  t.equal(await stderr, 'trailgauge: configuration standard input: stopped before its end\n');
});
