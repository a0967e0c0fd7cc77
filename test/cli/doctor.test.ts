import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { exportEntries, writeJournal, writeScript } from '../support/journal.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';
import { home } from '../support/trailgauge.ts';

type Section = Readonly<Record<string, unknown>>;

/** A configuration in a folder of its own, with everything as it should be unless told otherwise. */
function config(place: string, reaction: Section, more: Section = {}): string {
  const state = { directory: join(place, 'state') };
  const good = {
    config: fixture('reaction/etc'),
    command: fixture('reaction/reaction'),
    socket: join(place, 'reaction.sock'),
    logs: { file: fixture('reaction/v2.log') },
  };
  return file(place, 'c.json', JSON.stringify({ state, sources: { reaction: { ...good, ...reaction } }, ...more }));
}

function linesOf(stdout: string): readonly string[] {
  return stdout.trimEnd().split('\n');
}

t.test('all is well, and nothing is made', async (t) => {
  const place = folder(t);
  const path = config(place, {});
  const { code, stdout, stderr } = await cli(['-c', path, 'doctor']);
  t.equal(code, 0);
  t.equal(stderr, '');
  t.same(linesOf(stdout), [
    `ok   configuration: ${path}`,
    `ok   state: ${place}/state can be made in ${place}`,
    `ok   reaction: log ${fixture('reaction/v2.log')}: 30 lines of reaction in the last 2065 bytes`,
    `ok   reaction: configuration ${fixture('reaction/etc')}: 5 streams, 6 filters`,
    'ok   reaction: reaction 2.3.0',
    `ok   reaction: socket ${place}/reaction.sock: reaction tells its pending actions`,
  ]);
  t.notOk(existsSync(join(place, 'state')));
});

t.test('everything is wrong', async (t) => {
  const place = folder(t);
  const web = file(place, 'web.yml', 'tls_server_confg: {}\n');
  const path = config(
    place,
    { config: join(place, 'etc'), command: join(place, 'none'), logs: { file: join(place, 'none.log') } },
    { state: { directory: file(place, 'state', '') }, listen: { web_config: web } },
  );
  const { code, stdout, stderr } = await cli(['-c', path, 'doctor']);
  t.equal(code, 1);
  t.equal(stderr, '');
  const missing = 'found no such program, wanted a path or a name in PATH';
  t.same(linesOf(stdout), [
    `ok   configuration: ${path}`,
    `FAIL web_config: ${web}:1: tls_server_confg: unknown key, did you mean tls_server_config?`,
    `FAIL state: state directory ${place}/state: found a file in its way, wanted a directory`,
    `FAIL reaction: log ${place}/none.log: found no such file, wanted the log of reaction; set logs.file, or logs.systemd if it goes to the journal`,
    `FAIL reaction: configuration ${place}/etc: cannot run ${place}/none test-config -c ${place}/etc: ${missing}; cannot read ${place}/etc: there is no such file or directory; without it patterns have no names`,
    `FAIL reaction: cannot run ${place}/none -V: ${missing}; set \`command\` to the path of reaction; without it there are no pending actions, and reaction_up is 0`,
  ]);
});

t.test('logs that tell nothing', async (t) => {
  const place = folder(t);
  const closed = file(place, 'closed.log', 'INFO ssh.failedlogin: match ["192.0.2.1"]\n');
  chmodSync(closed, 0o000);
  const pipe = join(place, 'pipe');
  spawnSync('mkfifo', [pipe]);
  const cases: readonly (readonly [log: string, message: RegExp | string])[] = [
    [closed, /^found no permission for user [0-9]+, wanted one who may read it$/],
    [place, 'found no plain file, wanted one'],
    [pipe, 'found no plain file, wanted one'],
    [
      file(place, 'warn.log', 'WARN x\nERROR ssh: y\n'),
      'found only WARN and ERROR lines; wanted INFO, so start reaction with -l INFO',
    ],
    [file(place, 'other.log', 'hello\nworld\n'), 'found no line of reaction among the last 2'],
  ];
  const ran = await Promise.all(
    cases.map(([log], index) => {
      mkdirSync(join(place, String(index)));
      const path = config(join(place, String(index)), { logs: { file: log } });
      return cli(['-c', path, 'doctor'], { unprivileged: true });
    }),
  );
  for (const [index, [log, message]] of cases.entries()) {
    t.equal(ran[index]?.code, 1);
    const line = linesOf(ran[index]?.stdout ?? '').find((text) => text.startsWith(`FAIL reaction: log ${log}: `)) ?? '';
    t.match(line.slice(`FAIL reaction: log ${log}: `.length), message, log);
  }
});

t.test('reaction that hangs, refuses or prints nonsense', async (t) => {
  const place = folder(t);
  const nonsense = writeScript(join(place, 'nonsense'), 'head -c 100000 /dev/urandom');
  const cases: readonly (readonly [reaction: Section, env: Readonly<Record<string, string>>, line: RegExp])[] = [
    [
      {},
      { FAKE_REACTION_MODE: 'down' },
      /^FAIL reaction: socket .*reaction\.sock: .* ended with 1: ERROR could not connect to the daemon: .*; is reaction running, and may this user write to its socket/m,
    ],
    [{}, { FAKE_REACTION_MODE: 'hang' }, /^FAIL reaction: socket .*: .*gave no answer within 5 s; is reaction/m],
    [{ command: nonsense, config: '/none' }, {}, /^FAIL reaction: configuration \/none: .* printed no /m],
    [
      {},
      { FAKE_REACTION_MODE: 'badconf' },
      /^ok {3}reaction: configuration .*: [0-9]+ streams, [0-9]+ filters, read from its files, as .* ended with 1: ERROR no stream configured$/m,
    ],
  ];
  const ran = await Promise.all(
    cases.map(([reaction, env], index) => {
      mkdirSync(join(place, String(index)));
      return cli(['-c', config(join(place, String(index)), reaction), 'doctor'], { env });
    }),
  );
  for (const [index, [, , line]] of cases.entries()) {
    t.match(ran[index]?.stdout, line);
    t.equal(ran[index]?.code, line.source.startsWith('^ok') ? 0 : 1);
    t.ok(isForPeople(ran[index]?.stdout ?? ''), `for people: ${ran[index]?.stdout}`);
    t.equal(ran[index]?.stderr, '');
    t.notMatch(ran[index]?.stdout, /[^\n\P{Cc}]/u, 'no control characters');
  }
});

t.test('a journal that may not be read', async (t) => {
  if (!need(t, 'journalctl', 'systemd-journal-remote')) return;
  const place = folder(t);
  const journal = join(place, 'journal');
  mkdirSync(journal);
  writeJournal(join(journal, 'a.journal'), exportEntries(0, 3));
  const path = config(place, { logs: { systemd: 'reaction', directory: journal } });
  const open = await cli(['-c', path, 'doctor']);
  t.match(open.stdout, /^ok {3}reaction: journal of reaction: newest entry of reaction: 2026-01-01T00:00:02\.000Z$/m);
  chmodSync(journal, 0o000);
  const closed = await cli(['-c', path, 'doctor'], { unprivileged: true });
  t.equal(closed.code, 1);
  const [line = ''] = linesOf(closed.stdout).filter((text) => text.startsWith('FAIL reaction: journal of reaction: '));
  t.match(line, journal);
  t.match(line, /permission|cannot be read/i);
  t.match(line, 'systemd-journal');
  t.ok(isForPeople(closed.stdout), closed.stdout);
  chmodSync(journal, 0o755);
});

t.test('state: in use is fine, damaged is not', async (t) => {
  const {
    folder: place,
    start,
    run,
  } = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: fixture('reaction/v2.log') },
      },
    },
  });
  const directory = join(place, 'state');
  const program = await start();
  const during = await run('doctor');
  t.equal(during.code, 0);
  const use = `found it in use by process ${program.pid}, wanted a directory of its own`;
  t.match(during.stdout, `ok   state: state directory ${directory}: ${use}\n`);
  t.equal(await program.stop(), 0);
  const after = await run('doctor');
  t.match(after.stdout, new RegExp(`^ok {3}state: ${directory} can be used and holds [1-9][0-9]* series$`, 'm'));
  t.same(readdirSync(directory).toSorted(), ['data.mdb', 'lock.mdb']);
  truncateSync(join(directory, 'data.mdb'), 8_192);
  const damaged = await run('doctor');
  t.equal(damaged.code, 1);
  t.match(
    damaged.stdout,
    `FAIL state: state directory ${directory}: found a damaged data.mdb, wanted one as this program`,
  );
});
