import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { bytesOf, type Cell } from '../../src/core/cells.ts';
import { openState, STATE_FORMAT, tryState } from '../../src/core/state.ts';
import { folder } from '../support/cli.ts';
import { program } from '../support/services.ts';

const DAMAGED =
  'found a damaged data.mdb, wanted one as this program wrote it; restore it, or move it away to start anew (totals then begin at 0)';

/** Some hundred pages of everything, with free ones in between. */
async function fill(directory: string): Promise<void> {
  const state = await openState(directory);
  const rows = Array.from({ length: 600 }, (_, index) => ['reaction', index + 1, 1, '', `s${index}`, 'f'.repeat(40)]);
  for (let round = 1; round <= 3; round++) {
    const pages = Array.from({ length: 10 }, (_, page): Cell[] => [
      [
        ['rows', 'reaction_matches_total', page],
        [...rows.slice(page * 60, (page + 1) * 60), null, null],
      ],
      [['totals', 'reaction_matches_total', page], bytesOf(new Float64Array(128).fill(round))],
    ]);
    const entries = rows
      .slice(0, 100)
      .map((row, index): Cell => [['entry', 'reaction', index, 'long'.repeat(20)], row]);
    const long: Cell = [['entry', 'reaction', 'x'.repeat(5_000)], 'x'.repeat(9_000)];
    await state.commit([...pages.flat(), ...entries, long, [['position', 'reaction'], { offset: 5 }]]);
  }
  await state.close();
}

t.test('a damaged file is refused before anything is done with it', async (t) => {
  const place = folder(t);
  const good = join(place, 'good');
  await fill(good);
  const content = readFileSync(join(good, 'data.mdb'));
  const expected = await loaded(good);
  let number = 0;

  /** The error that a file with this content gives; null if all is there in spite of it. */
  async function problemOf(bytes: Buffer): Promise<string | null> {
    const directory = join(place, String(number++));
    mkdirSync(directory);
    writeFileSync(join(directory, 'data.mdb'), bytes);
    try {
      t.same(await loaded(directory), expected, 'nothing is missing');
      return null;
    } catch (error) {
      return (error as Error).message.replace(`state directory ${directory}: `, '');
    }
  }

  t.equal(await problemOf(content.subarray(0, content.length / 2)), DAMAGED, 'cut in half');
  t.equal(await problemOf(content.subarray(0, 4096)), DAMAGED, 'one page');
  t.equal(await problemOf(content.subarray(0, 10)), DAMAGED, 'ten bytes');
  t.equal(await problemOf(Buffer.from('hello\n'.repeat(10_000))), DAMAGED, 'a text');
  t.equal(await problemOf(Buffer.alloc(content.length)), DAMAGED, 'zeros');
  t.equal(await problemOf(Buffer.alloc(content.length, 0xff)), DAMAGED, 'ones');
  const noise = Buffer.from(content);
  for (let at = 8192; at < noise.length; at++) noise[at] = (at * 2_654_435_761) >>> 24;
  t.equal(await problemOf(noise), DAMAGED, 'noise after a good beginning');

  const pages = content.length / 4096;
  const problems = new Set<string | null>();
  for (let page = 0; page < pages; page++) {
    const bytes = Buffer.from(content).fill(0, page * 4096, (page + 1) * 4096);
    problems.add(await problemOf(bytes));
  }
  t.same([...problems].toSorted(), [DAMAGED, null], 'each page of zeros is noticed, or was free');
  problems.clear();
  for (let sector = 0; sector < content.length / 512; sector += 7) {
    problems.add(await problemOf(Buffer.from(content).fill(0, sector * 512, (sector + 1) * 512)));
  }
  t.same([...problems].toSorted(), [DAMAGED, null], 'so is each sector');
});

async function loaded(directory: string): Promise<unknown> {
  const state = await openState(directory);
  try {
    const saved = state.load();
    return ['rows', 'totals', 'entry', 'position'].map((kind) => saved.under(kind));
  } finally {
    await state.close();
  }
}

t.test('the state of a newer version is left alone', async (t) => {
  const directory = folder(t);
  await fill(directory);
  const root = open({ path: directory, noSubdir: false, overlappingSync: false });
  await root.openDB({ name: 'meta' }).put('format', STATE_FORMAT + 1);
  await root.close();
  const before = readFileSync(join(directory, 'data.mdb'));
  const message = `state directory ${directory}: found format ${STATE_FORMAT + 1}, wanted ${STATE_FORMAT}: it was written by another version of trailgauge; use that one, or another directory`;
  await t.rejects(openState(directory), { message });
  await t.rejects(tryState(directory), { message });
  t.ok(readFileSync(join(directory, 'data.mdb')).equals(before));
});

t.test('a directory that cannot be one', async (t) => {
  const place = folder(t);
  const file = join(place, 'file');
  writeFileSync(file, '');
  symlinkSync(join(place, 'nowhere'), join(place, 'link'));
  const link = join(place, 'link');
  for (const directory of ['/proc/none', '/proc/none/below']) {
    const message = `state directory ${directory}: it cannot be made there (ENOENT), wanted another place`;
    await t.rejects(openState(directory), { message });
  }
  for (const directory of [file, link, join(file, 'below'), join(link, 'below')]) {
    const message = `state directory ${directory}: found a file in its way, wanted a directory`;
    await t.rejects(openState(directory), { message });
  }
  await t.rejects(tryState(file), { message: `state directory ${file}: found a file in its way, wanted a directory` });
  t.same(readdirSync(place), ['file', 'link']);
});

t.test('what is saved is for nobody else', async (t) => {
  const place = join(folder(t), 'state');
  await fill(place);
  const again = await openState(place);
  t.equal(again.isNew, false);
  await again.close();
  t.equal(statSync(join(place, 'data.mdb')).mode & 0o777, 0o600);
});

t.test('a try makes nothing', async (t) => {
  const place = folder(t);
  const directory = join(place, 'a', 'b');
  t.equal(await tryState(directory), `${directory} can be made in ${place}`);
  t.notOk(existsSync(join(place, 'a')));
  mkdirSync(directory, { recursive: true });
  t.equal(await tryState(directory), `${directory} can be used and is empty`);
  t.same(readdirSync(directory), []);
  await fill(directory);
  t.equal(await tryState(directory), `${directory} can be used and holds 600 series`);
  const state = await openState(directory);
  const message = `state directory ${directory}: found it in use by process ${process.pid}, wanted a directory of its own`;
  await t.rejects(tryState(directory), { message });
  await state.close();
});

t.test('a copy can be opened, whatever the name of its directory', async (t) => {
  const place = folder(t);
  await fill(join(place, 'state'));
  const copy = join(place, 'n'.repeat(200), 'ü ".mdb');
  mkdirSync(copy, { recursive: true });
  copyFileSync(join(place, 'state', 'data.mdb'), join(copy, 'data.mdb'));
  t.same(await loaded(copy), await loaded(join(place, 'state')));
  if (program('sh') && process.getuid?.() !== 0) {
    chmodSync(copy, 0o500);
    await t.rejects(openState(copy), { message: /found no permission/ });
    chmodSync(copy, 0o700);
  }
});
