import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { followJournal, type JournalBatch, type JournalOptions, type JournalPosition } from '../../src/lib/journal.ts';
import { createExportParser } from '../../src/lib/journal-export.ts';
import { exportEntries, exportEntry, temporaryFolder, writeJournal, writeScript } from '../support/journal.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';

if (!need(t, 'journalctl', 'systemd-journal-remote')) process.exit();

type Told = { readonly problems: (string | null)[]; readonly gaps: string[] };

/** A reader of which a test takes what it wants; `take(n)` ends at n entries, or fails the test by its time limit. */
function reader(t: Test, options: Partial<JournalOptions> & { directory: string }) {
  const abort = new AbortController();
  const told: Told = { problems: [], gaps: [] };
  const batches = followJournal({
    unit: 'reaction',
    follow: true,
    from: 'start',
    signal: abort.signal,
    backoff: () => 5,
    onProblem: (problem) => told.problems.push(problem),
    onGap: (gap) => told.gaps.push(gap),
    ...options,
  });
  t.teardown(() => abort.abort());
  let position: JournalPosition | null = null;
  async function next(): Promise<JournalBatch | null> {
    const { value, done } = await batches.next();
    if (done) return null;
    position = value.position;
    return value;
  }
  async function take(count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) {
      const batch = await next();
      if (batch === null) break;
      found.push(...batch.entries.flatMap(({ messages }) => messages));
    }
    return found;
  }
  return { abort, told, batches, next, take, position: () => position };
}

function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `INFO a.b: match ["${from + index}"]`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** journalctl behind a script that writes down the process numbers of its lives. */
function noted(folder: string, body = 'exec journalctl "$@"') {
  const file = join(folder, 'pids');
  const command = writeScript(join(folder, 'noted'), `echo $$ >>${file}\n${body}`);
  const pids = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map(Number) : []);
  return { command, pids };
}

/** A `MESSAGE` of `-o json`: a string, the bytes of one, or several of either. */
function linesOfJson(message: unknown): string[] {
  if (message === undefined) return [];
  if (typeof message === 'string') return message.replace(/\n$/, '').split('\n');
  const list = message as unknown[];
  if (typeof list[0] === 'number') return linesOfJson(Buffer.from(list as number[]).toString());
  return list.flatMap(linesOfJson);
}

t.test('once: all of two boots, the same as journalctl says in JSON', async (t) => {
  const directory = temporaryFolder(t);
  for (const boot of ['boot1', 'boot2']) {
    writeJournal(join(directory, `${boot}.journal`), readFileSync(fixture(`reaction/journal-${boot}.export`)));
  }
  const wanted = readFileSync(fixture('reaction/journal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map((entry) => ({
      messages: linesOfJson(entry.MESSAGE),
      time: Number(entry.__REALTIME_TIMESTAMP) / 1000,
      invocation: entry._SYSTEMD_INVOCATION_ID,
    }));
  const { batches, told } = reader(t, { directory, follow: false });
  const found: unknown[] = [];
  for await (const batch of batches) {
    for (const { messages, time, invocation } of batch.entries) found.push({ messages, time, invocation });
    t.equal(batch.live, false);
    t.equal(batch.position?.cursor, batch.entries.at(-1)?.cursor);
  }
  t.strictSame(found, wanted);
  t.same(told, { problems: [], gaps: [] });
});

t.test('once: from a time to a time, both included', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 20));
  const at = (second: number) => 1_767_225_600_000 + second * 1000;
  const { take } = reader(t, { directory, follow: false, since: at(5), until: at(9) });
  t.same(await take(100), lines(5, 10));
  t.same(
    await reader(t, { directory, follow: false, since: at(4) + 0.001, until: at(9) - 0.001 }).take(100),
    lines(5, 9),
  );
  t.same(await reader(t, { directory, follow: false, since: -5000 }).take(100), lines(0, 20));
});

t.test('the first start: the position first, then only what is new', async (t) => {
  const directory = temporaryFolder(t);
  const file = join(directory, 'a.journal');
  writeJournal(file, exportEntries(0, 5));
  const { next, take, told } = reader(t, { directory, from: 'end' });
  const first = await next();
  t.same(first?.entries, []);
  t.match(first?.position, { cursor: /^s=/, realtime: 1_767_225_604_000_000 });
  // Written between the position and the first look: the child is not started yet.
  writeJournal(file, exportEntries(5, 7));
  t.same(await take(2), lines(5, 7));
  writeJournal(file, exportEntries(7, 8));
  t.same(await take(1), lines(7, 8));
  t.same(told, { problems: [], gaps: [] });
});

t.test('a restart goes on behind the last batch, whatever unit, folder or boot is new', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 5) + exportEntry(5, { _SYSTEMD_UNIT: 'other.service' }));
  const first = reader(t, { directory });
  t.same(await first.take(5), lines(0, 5));
  first.abort.abort();
  t.equal(await first.next(), null);
  const boot = { _BOOT_ID: '2'.repeat(32) };
  writeJournal(join(directory, 'b.journal'), exportEntry(6, boot) + exportEntry(7, boot));
  const again = reader(t, { directory, from: first.position() ?? 'end' });
  t.same((await again.next())?.position, first.position(), 'the position it was given');
  t.same(await again.take(2), lines(6, 8));
  t.same(again.told, { problems: [], gaps: [] });
});

t.test('no entry yet: everything from then on counts, over a restart and with any time stamp', async (t) => {
  const directory = temporaryFolder(t);
  const file = join(directory, 'a.journal');
  writeJournal(file, exportEntry(0, { _SYSTEMD_UNIT: 'other.service' }));
  const first = reader(t, { directory, from: 'end' });
  await first.next();
  const position = first.position();
  t.same(position, { cursor: '', realtime: 0 });
  first.abort.abort();
  await first.next();
  writeJournal(file, exportEntries(1, 3));
  t.same(await reader(t, { directory, from: position ?? 'end' }).take(2), lines(1, 3));
});

t.test('an empty folder, and one that is made later', async (t) => {
  const folder = temporaryFolder(t);
  const directory = join(folder, 'late');
  const late = reader(t, { directory, from: 'end', backoff: () => 60_000 });
  t.same((await late.next())?.position, { cursor: '', realtime: 0 });
  t.match(late.told.problems, [`${directory} does not exist`]);
  const taken = late.take(2);
  await until(() => late.told.problems.length > 1);
  t.match(late.told.problems[1], 'No such file or directory');
  mkdirSync(directory);
  const empty = reader(t, { directory, from: 'end' });
  t.same((await empty.next())?.position, { cursor: '', realtime: 0 });
  const takenToo = empty.take(2);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 2));
  t.same(await taken, lines(0, 2));
  t.same(await takenToo, lines(0, 2));
  t.equal(late.told.problems.at(-1), null);
  t.same(empty.told.problems, []);
});

t.test('a child that is killed again and again: nothing lost, nothing twice', async (t) => {
  const directory = temporaryFolder(t);
  const { command, pids } = noted(temporaryFolder(t));
  const file = join(directory, 'a.journal');
  writeJournal(file, exportEntries(0, 300));
  const { take, told } = reader(t, { directory, command });
  const found: string[] = await take(300);
  for (let round = 1; round <= 4; round++) {
    process.kill(pids().at(-1) ?? 0, 'SIGKILL');
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

t.test('a vacuumed cursor is a gap, and skips no entry', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 5));
  const first = reader(t, { directory });
  await first.take(5);
  first.abort.abort();
  writeJournal(join(directory, 'b.journal'), exportEntries(5, 9));
  rmSync(join(directory, 'a.journal'));
  const again = reader(t, { directory, from: first.position() ?? 'end' });
  t.same(await again.take(4), lines(5, 9));
  t.match(again.told.gaps, ['gone from the journal']);
});

t.test('the same entries in a new sequence are not read again', async (t) => {
  const directory = temporaryFolder(t);
  const file = join(directory, 'a.journal');
  const same = { __MONOTONIC_TIMESTAMP: '9', __REALTIME_TIMESTAMP: '1767225600000000' };
  const written = [0, 1, 2].map((number) => exportEntry(number, same)).join('');
  writeJournal(file, written);
  const first = reader(t, { directory });
  await first.take(3);
  first.abort.abort();
  rmSync(file);
  writeJournal(file, written + exportEntry(3));
  const again = reader(t, { directory, from: first.position() ?? 'end' });
  t.same(await again.take(1), lines(3, 4));
  t.same(again.told.gaps, []);
});

t.test('a refused cursor: on from its time', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 9));
  const from = { cursor: 'nonsense', realtime: (1_767_225_600 + 4) * 1e6 };
  const { next, take, told } = reader(t, { directory, from });
  t.same((await next())?.position, from);
  t.same((await next())?.position, { cursor: '', realtime: from.realtime }, 'to be saved in its place');
  t.same(await take(4), lines(5, 9));
  t.match(told, { problems: [], gaps: [/^the journal refused the saved cursor nonsense$/] });
});

t.test('a journal whose folder is replaced', async (t) => {
  const folder = temporaryFolder(t);
  const directory = join(folder, 'journal');
  mkdirSync(directory);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 2));
  const { take, told } = reader(t, { directory });
  t.same(await take(2), lines(0, 2));
  renameSync(directory, join(folder, 'old'));
  mkdirSync(directory);
  copyFileSync(join(folder, 'old', 'a.journal'), join(directory, 'a.journal'));
  writeJournal(join(directory, 'a.journal'), exportEntries(2, 4));
  t.same(await take(2), lines(2, 4));
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

t.test('live: what was written after the reading began', async (t) => {
  const directory = temporaryFolder(t);
  const file = join(directory, 'a.journal');
  writeJournal(file, exportEntries(0, 2));
  const { next } = reader(t, { directory, now: () => 1_767_225_610_000 });
  await next();
  t.equal((await next())?.live, false);
  writeJournal(file, exportEntries(20, 21));
  t.equal((await next())?.live, true);
});
