import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exportEntries, exportEntry, temporaryFolder, writeJournal } from '../support/journal.ts';
import { lines, reader, until } from '../support/journal-reader.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';

if (!need(t, 'journalctl', 'systemd-journal-remote')) process.exit();

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

t.test('once: from a time on, and before a time', async (t) => {
  const directory = temporaryFolder(t);
  writeJournal(join(directory, 'a.journal'), exportEntries(0, 20));
  const at = (second: number) => 1_767_225_600_000 + second * 1000;
  const { take } = reader(t, { directory, follow: false, since: at(5), until: at(9) });
  t.same(await take(100), lines(5, 9));
  t.same(
    await reader(t, { directory, follow: false, since: at(4) + 0.001, until: at(9) + 0.001 }).take(100),
    lines(5, 10),
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
