import { once } from 'node:events';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { file, folder, give, isForPeople, launch } from '../support/cli.ts';
import { readSamples } from '../support/exposition.ts';
import { get } from '../support/http.ts';
import { exportEntries, writeJournal, writeScript } from '../support/journal.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';
import { eventually, home } from '../support/trailgauge.ts';

const REACTION = { config: fixture('reaction/etc'), command: fixture('reaction/reaction') };
const MATCH = 'INFO ssh.failedlogin: match ["192.0.2.1"]\n';
const UP = 'trailgauge_source_up{source="reaction"}';

interface SourceStatus {
  readonly name: string;
  readonly state: string;
  readonly problem: string | null;
}

interface Running {
  readonly url: string;
  /** Sends a signal, and gives how the program ended. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  log(): string;
}

/** The program as a user without rights, until the test ends. */
async function unprivileged(t: Test, reaction: Readonly<Record<string, unknown>>): Promise<Running> {
  const place = give(folder(t));
  const config = { listen: { port: 0 }, state: { directory: join(place, 'state') }, sources: { reaction } };
  const path = file(place, 'c.json', JSON.stringify(config));
  const child = launch(['-c', path, 'start'], { unprivileged: true });
  t.teardown(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'close');
  const url = await eventually(
    () => `the program to listen:\n${log}`,
    () => /"url":"([^"]+)"/.exec(log)?.[1],
  );
  return {
    url,
    log: () => log,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const [code] = await ended;
      return code as number | null;
    },
  };
}

async function statusOf({ url }: Pick<Running, 'url'>): Promise<SourceStatus> {
  const { sources } = JSON.parse((await get(`${url}/api/v1/status`)).text) as { sources: SourceStatus[] };
  const [source] = sources;
  if (!source) throw new Error('no source');
  return source;
}

async function samplesOf({ url }: Pick<Running, 'url'>): Promise<Record<string, number>> {
  return readSamples((await get(`${url}/metrics`)).text);
}

t.test('a log that is missing: the source waits, says why, and goes on when it appears', async (t) => {
  const place = folder(t);
  const log = join(place, 'below', 'reaction.log');
  const { start } = home(t, { sources: { reaction: { ...REACTION, logs: { file: log } } } });
  const program = await start();
  await eventually('the problem', async () => (await statusOf(program)).problem !== null);
  t.match(await statusOf(program), { state: 'waiting', problem: `${log} does not exist` });
  t.equal((await samplesOf(program))[UP], 0);
  t.match((await get(program.url)).text, `${log} does not exist`);
  t.equal((await get(`${program.url}/-/ready`)).status, 200, 'it can do no more');
  mkdirSync(join(place, 'below'));
  writeFileSync(log, MATCH);
  await eventually('the match', async () => {
    const samples = await samplesOf(program);
    return samples['reaction_matches_total{stream="ssh",filter="failedlogin"}'] === 1 && samples[UP] === 1;
  });
  t.match(await statusOf(program), { state: 'reading', problem: null });
  t.equal(await program.stop(), 0);
  t.ok(isForPeople(program.log()), program.log());
});

t.test('a log that may not be read', async (t) => {
  const log = file(folder(t), 'reaction.log', '');
  chmodSync(log, 0o000);
  const program = await unprivileged(t, { ...REACTION, logs: { file: log } });
  await eventually('the problem', async () => (await statusOf(program)).problem !== null);
  t.match((await statusOf(program)).problem, /^no permission to read .*reaction\.log$/);
  t.equal((await samplesOf(program))[UP], 0);
  chmodSync(log, 0o644);
  appendFileSync(log, MATCH);
  await eventually('the file to be read', async () => (await samplesOf(program))[UP] === 1);
  t.equal(await program.end(), 0);
  t.ok(isForPeople(program.log()), program.log());
});

t.test('a journal that may not be read', async (t) => {
  if (!need(t, 'journalctl', 'systemd-journal-remote')) return;
  const journal = join(folder(t), 'journal');
  mkdirSync(journal);
  writeJournal(join(journal, 'a.journal'), exportEntries(0, 3));
  chmodSync(journal, 0o000);
  const program = await unprivileged(t, { ...REACTION, logs: { systemd: 'reaction', directory: journal } });
  await eventually('the problem', async () => (await statusOf(program)).problem !== null);
  t.match((await statusOf(program)).problem, /permission|cannot be read/i);
  t.match((await statusOf(program)).problem, 'systemd-journal');
  t.equal((await samplesOf(program))[UP], 0);
  t.equal(await program.end(), 0);
  chmodSync(journal, 0o755);
  t.ok(isForPeople(program.log()), program.log());
});

t.test('without reaction, or with one that hangs or prints nonsense, the log is counted all the same', async (t) => {
  const scripts = folder(t);
  const commands = [
    join(scripts, 'none'),
    writeScript(join(scripts, 'hangs'), `[ "$1" = show ] && exec sleep 600; exec ${REACTION.command} "$@"`),
    writeScript(join(scripts, 'nonsense'), 'head -c 100000 /dev/urandom'),
    writeScript(join(scripts, 'garbage'), 'echo "thread \'main\' panicked at: not : valid : [yaml"'),
  ];
  const run = async (command: string) => {
    const log = file(folder(t), 'reaction.log', '');
    const { start } = home(t, { sources: { reaction: { ...REACTION, command, logs: { file: log } } } });
    const program = await start({ until: 'listening' });
    await eventually('the source to read', async () => (await statusOf(program)).state === 'reading');
    appendFileSync(log, MATCH);
    await eventually(`the match, with ${command}`, async () => {
      const samples = await samplesOf(program);
      return samples['reaction_matches_total{stream="ssh",filter="failedlogin"}'] === 1;
    });
    const pending = Object.keys(await samplesOf(program)).filter((name) => name.startsWith('reaction_pending'));
    t.same(pending, [], 'and nothing is made up');
    t.equal(await program.stop(), 0, `ends, with ${command}`);
    t.ok(isForPeople(program.log()), program.log());
  };
  await Promise.all(commands.map(run));
});

t.test('SIGTERM, SIGINT and SIGHUP end it, a second signal at once', async (t) => {
  const scripts = folder(t);
  // A supervisor that takes its time: ten seconds, after which it would not be waited for.
  writeScript(
    join(scripts, 'systemd-notify'),
    `case "$*" in *STOPPING*) touch ${scripts}/stopping; exec sleep 600 ;; esac`,
  );
  const { start } = home(t, { sources: { reaction: { ...REACTION, logs: { file: fixture('reaction/v2.log') } } } });
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    const quick = await start();
    process.kill(quick.pid, signal);
    t.same(await quick.ended, { code: 0, signal: null });
    t.match(quick.log(), /"msg":"stopping".*\n.*"msg":"stopped"/);

    const env = { NOTIFY_SOCKET: join(scripts, 'notify'), PATH: `${scripts}:${process.env.PATH}` };
    const slow = await start({ env });
    process.kill(slow.pid, signal);
    await eventually('the end to begin', () => existsSync(join(scripts, 'stopping')));
    rmSync(join(scripts, 'stopping'));
    process.kill(slow.pid, signal);
    t.same(await slow.ended, { code, signal: null }, 'nobody is waited for');
  }
});

t.test('what the supervisor gave is not for children', async (t) => {
  const scripts = folder(t);
  const note = (name: string, more: string) =>
    writeScript(join(scripts, name), `env >>${scripts}/${name}.env\n${more}`);
  note('journalctl', 'exec sleep 600');
  note('systemd-notify', `echo "$*" >>${scripts}/told`);
  const command = note('reaction', `exec ${fixture('reaction/reaction')} "$@"`);
  const { start } = home(t, {
    sources: {
      reaction: { ...REACTION, command, logs: { file: fixture('reaction/v2.log') } },
      'reaction/journal': { ...REACTION, command, logs: { systemd: 'reaction', directory: scripts } },
    },
  });
  const env = {
    NOTIFY_SOCKET: join(scripts, 'notify'),
    WATCHDOG_USEC: '600000',
    PATH: `${scripts}:${process.env.PATH}`,
  };
  const program = await start({ until: 'listening', env });
  const told = () => (existsSync(join(scripts, 'told')) ? readFileSync(join(scripts, 'told'), 'utf8') : '');
  const seen = (name: string) => existsSync(join(scripts, `${name}.env`));
  await eventually('all to be called', () => seen('journalctl') && seen('reaction') && told().includes('WATCHDOG=1'));
  t.equal(await program.stop(), 0);
  t.match(told(), 'STOPPING=1');
  for (const name of ['journalctl', 'reaction']) {
    const given = readFileSync(join(scripts, `${name}.env`), 'utf8');
    t.match(given, /^PATH=/m);
    t.notMatch(given, /^(?:NOTIFY_SOCKET|WATCHDOG_USEC|WATCHDOG_PID)=/m, name);
  }
});

t.test('a HEAD of the metrics takes nothing from any scraper, and tells no length', async (t) => {
  const sources = { reaction: { ...REACTION, logs: { file: fixture('reaction/v2.log') } } };
  const { start } = home(t, { sources });
  const program = await start();
  const { status, headers, text } = await get(`${program.url}/metrics`, { method: 'HEAD' });
  t.match({ status, headers, text }, { status: 200, headers: { 'content-type': /^text\/plain/ }, text: '' });
  t.notOk('content-length' in headers);
  t.equal(await program.stop(), 0);
});

t.test('headers of the web configuration go before those of the status page', async (t) => {
  const web = {
    http_server_config: {
      headers: { 'Content-Security-Policy': "default-src 'self'", 'X-Frame-Options': 'deny', 'X-XSS-Protection': '0' },
    },
  };
  const path = file(folder(t), 'web.yml', JSON.stringify(web));
  const sources = { reaction: { ...REACTION, logs: { file: fixture('reaction/v2.log') } } };
  const { start } = home(t, { listen: { port: 0, web_config: path }, sources });
  const program = await start();
  for (const place of ['/', '/metrics', '/-/healthy', '/none']) {
    const { headers } = await get(`${program.url}${place}`);
    t.equal(headers['content-security-policy'], "default-src 'self'", place);
    t.equal(headers['x-frame-options'], 'deny', place);
  }
  t.equal((await get(program.url)).headers['x-content-type-options'], 'nosniff', 'the others stay');
  t.equal(await program.stop(), 0);
});
