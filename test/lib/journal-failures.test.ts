import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createExportParser } from '../../src/lib/journal-export.ts';
import { exportEntries, exportEntry, temporaryFolder, writeJournal, writeScript } from '../support/journal.ts';
import { alive, lines, noted, reader, until } from '../support/journal-reader.ts';
import { need } from '../support/services.ts';

if (!need(t, 'journalctl', 'systemd-journal-remote')) process.exit();

t.test('a child that is killed again and again: nothing lost, nothing twice', async (t) => {
  const directory = temporaryFolder(t);
  const { command, pids } = noted(temporaryFolder(t));
  const file = join(directory, 'a.journal');
  writeJournal(file, exportEntries(0, 300));
  const { take, told } = reader(t, { directory, command });
  const found: string[] = await take(300);
  for (let round = 1; round <= 4; round++) {
    const pid = pids().at(-1);
    // 0 would be this very test.
    if (pid === undefined || pid < 2) throw new Error(`found no process number, but ${pid}`);
    process.kill(pid, 'SIGKILL');
    writeJournal(file, exportEntries(300 * round, 300 * (round + 1)));
    found.push(...(await take(300)));
  }
  t.same(found, lines(0, 1500));
  t.equal(pids().length, 5);
  t.match(told.problems[0], 'was killed by SIGKILL');
  t.equal(told.problems.at(-1), null);
  t.same(told.gaps, []);
});

t.test('output cut anywhere: what is not whole is read again', async (t) => {
  const directory = temporaryFolder(t);
  const folder = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 200));
  const { command, pids } = noted(
    folder,
    `[ $(wc -l <${folder}/pids) -gt 4 ] && exec journalctl "$@"\njournalctl "$@" | head -c 9999`,
  );
  const { take, told } = reader(t, { directory, command });
  t.same(await take(200), lines(0, 200));
  t.equal(pids().length, 5);
  t.same(told.gaps, []);
});

t.test('a program that is not there, and comes', async (t) => {
  const directory = temporaryFolder(t);
  const command = join(temporaryFolder(t), 'journalctl');
  const tries: number[] = [];
  const backoff = (attempt: number) => {
    tries.push(attempt);
    return 5;
  };
  const { next, take, told, position } = reader(t, { directory, command, backoff, from: 'end', now: () => 5000 });
  await next();
  t.same(position(), { cursor: '', realtime: 5_000_000 }, 'what was there before is unknown: from now on');
  t.same(told.problems, [`${command} was not found`]);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 2));
  const taken = take(2);
  await until(() => tries.length > 3);
  writeScript(command, 'exec journalctl "$@"');
  t.same(await taken, lines(0, 2));
  t.same(tries.slice(0, 4), [0, 1, 2, 3]);
  t.same(told.problems, [`${command} was not found`, null]);
});

t.test('failures: told once each, with the last line of stderr', async (t) => {
  const folder = temporaryFolder(t);
  const count = join(folder, 'pids');
  const body = (text: string) => writeScript(join(folder, text.slice(0, 4)), `echo >>${count}\n${text}`);
  const cases: [string, string | RegExp][] = [
    [
      'echo one >&2; echo Failed to open: Permission denied >&2; exit 1',
      /ended with 1: Failed to open: Permission denied \(wanted a user in the group systemd-journal or adm\)$/,
    ],
    ['yes | head -c 1000000 >&2; exit 2', /ended with 2: y$/],
    ['printf "MESSAGE=a\\n\\n"; sleep 60', /failed: journalctl wrote an entry without __CURSOR/],
    ['true', /ended with 0$/],
    ['kill -TERM $$', /was killed by SIGTERM$/],
  ];
  for (const [text, problem] of cases) {
    rmSync(count, { force: true });
    const { next, told, abort } = reader(t, { directory: folder, command: body(text) });
    await next();
    const end = next();
    await until(() => existsSync(count) && readFileSync(count).length > 2);
    abort.abort();
    t.equal(await end, null);
    t.match(told.problems, [problem]);
    t.equal(told.problems.length, 1);
  }
});

t.test('once: throws when journalctl fails', async (t) => {
  const directory = join(temporaryFolder(t), 'absent');
  await t.rejects(reader(t, { directory, follow: false }).take(1), {
    message: `cannot read the journal of reaction: journalctl ended with 1: Failed to open ${directory}: No such file or directory`,
  });
  await t.rejects(reader(t, { directory, follow: false, command: '/absent' }).take(1), {
    message: 'cannot read the journal of reaction: /absent was not found',
  });
});

t.test('an abort kills the child at once, also while nobody asks', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 2));
  const waiting = noted(temporaryFolder(t));
  const one = reader(t, { directory, command: waiting.command });
  await one.take(2);
  const end = one.next();
  one.abort.abort();
  t.equal(await end, null);
  t.notOk(alive(waiting.pids()[0] ?? 0), 'while it waits for entries');

  const idle = noted(temporaryFolder(t));
  const two = reader(t, { directory, command: idle.command });
  await two.take(2);
  two.abort.abort();
  await until(() => !alive(idle.pids()[0] ?? 0));
  t.equal(await two.next(), null, 'while its reader is busy');

  const left = noted(temporaryFolder(t));
  const three = reader(t, { directory, command: left.command });
  await three.take(2);
  await three.batches.return(undefined);
  t.notOk(alive(left.pids()[0] ?? 0), 'when its reader goes');

  const backoff = reader(t, { directory, command: '/absent', backoff: () => 60_000 });
  await backoff.next();
  const ended = backoff.next();
  await until(() => backoff.told.problems.length > 0);
  backoff.abort.abort();
  t.equal(await ended, null, 'while it backs off');

  const early = new AbortController();
  early.abort();
  t.equal(await reader(t, { directory, signal: early.signal }).next(), null, 'before it began');
});

t.test('a slow reader slows the child down', async (t) => {
  const directory = temporaryFolder(t);
  const folder = temporaryFolder(t);
  const one = join(folder, 'one');
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 1));
  // Endless output; each 100 entries leave a byte in the file.
  const text = exportEntry(0).replace('__REAL', '__CURSOR=c\n__REAL').trimEnd();
  const hundred = Array.from({ length: 100 }, () => `${text}\n`).join('\n');
  const command = writeScript(
    join(folder, 'endless'),
    `while cat <<'END'\n${hundred}\nEND\ndo printf . >>${one}; done`,
  );
  t.equal(createExportParser(1e6).push(Buffer.from(`${hundred}\n`)).length, 100);
  const { next, abort } = reader(t, { directory, command });
  await next();
  await next();
  let before = -1;
  const written = () => (existsSync(one) ? readFileSync(one).length : 0);
  for (let now = written(); now !== before; now = written()) {
    before = now;
    await sleep(150);
  }
  t.ok(before * hundred.length < 2 ** 21, 'it stands still before 2 MiB');
  for (let more = 0; more < 100; more++) t.not((await next())?.entries.length, 0);
  abort.abort();
  t.equal(await next(), null);
});
