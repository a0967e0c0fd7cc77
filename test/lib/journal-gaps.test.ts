import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exportEntries, exportEntry, temporaryFolder, writeJournal } from '../support/journal.ts';
import { lines, reader } from '../support/journal-reader.ts';
import { need } from '../support/services.ts';

if (!need(t, 'journalctl', 'systemd-journal-remote')) process.exit();

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
