import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { open } from 'lmdb';
import t from 'tap';
import { isWholeDatabase } from '../../src/core/lmdb-file.ts';
import { type Changes, openState, type Saved, STATE_FORMAT, tryState } from '../../src/core/state.ts';
import { folder } from '../support/cli.ts';
import { program } from '../support/services.ts';

const NOTHING: Changes = { births: [], pages: [], owed: [], scrapers: null, sources: [] };
const DAMAGED =
  'found a damaged data.mdb, wanted one as this program wrote it; restore it, or move it away to start anew (totals then begin at 0)';

/** What is saved, by key. */
interface Model {
  readonly births: Map<number, Changes['births'][number]>;
  readonly pages: Map<number, Float64Array>;
  readonly owed: Map<number, unknown>;
  scrapers: unknown;
  readonly positions: Map<string, unknown>;
  readonly entries: Map<string, Map<string, unknown>>;
}

function newModel(): Model {
  const maps = { births: new Map(), pages: new Map(), owed: new Map(), positions: new Map(), entries: new Map() };
  return { ...maps, scrapers: [] };
}

function apply(model: Model, changes: Changes): void {
  for (const birth of changes.births) model.births.set(birth.slot, birth);
  for (const { page, values } of changes.pages) model.pages.set(page, values);
  for (const { slot, saved } of changes.owed) {
    if (saved) model.owed.set(slot, saved);
    else model.owed.delete(slot);
  }
  if (changes.scrapers) model.scrapers = changes.scrapers;
  for (const { source, position, entries } of changes.sources) {
    model.positions.set(source, position);
    const known = model.entries.get(source) ?? new Map<string, unknown>();
    for (const [key, value] of entries) {
      if (value === undefined) known.delete(key);
      else known.set(key, value);
    }
    model.entries.set(source, known);
  }
}

const byKey = ([a]: readonly [unknown, ...unknown[]], [b]: readonly [unknown, ...unknown[]]) =>
  Number(a) - Number(b) || (String(a) < String(b) ? -1 : 1);

function asPlain(saved: Saved, sources: readonly string[]): unknown {
  return {
    births: saved.births,
    pages: saved.pages.map(([page, values]) => [page, [...values]]),
    owed: saved.owed,
    scrapers: saved.scrapers,
    positions: sources.map((source) => saved.position(source)),
    entries: sources.map((source) => [...saved.entries(source)].toSorted(byKey)),
  };
}

function modelAsPlain(model: Model, sources: readonly string[]): unknown {
  return {
    births: [...model.births].toSorted(byKey).map(([, birth]) => birth),
    pages: [...model.pages].toSorted(byKey).map(([page, values]) => [page, [...values]]),
    owed: [...model.owed].toSorted(byKey),
    scrapers: model.scrapers,
    positions: sources.map((source) => model.positions.get(source)),
    entries: sources.map((source) => [...(model.entries.get(source) ?? [])].toSorted(byKey)),
  };
}

/** Records as the program makes them, with the usual prototype. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

const SOURCES = ['reaction', 'reaction/edge', 'reaction.x', 'r'];
const plain = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const count = fc.oneof(fc.nat(), fc.double({ noNaN: true }), fc.constant(2 ** 53));
const name = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constant('x'.repeat(5_000)),
);
/** Keys come out of logs. */
const key = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', 'x'.repeat(5_000), 'ü'.repeat(700), 'é\0', '\0', 'position', 'entry:a', 'long:a'),
);
const changesArbitrary: fc.Arbitrary<Changes> = record({
  births: fc.array(
    record({ slot: fc.nat(300), width: fc.nat(9), family: name, scope: name, text: name, created: fc.nat() }),
    { maxLength: 20 },
  ),
  pages: fc.array(
    record({
      page: fc.nat(40),
      values: fc.array(count, { minLength: 64, maxLength: 64 }).map((values) => new Float64Array(values)),
    }),
    { maxLength: 4 },
  ),
  owed: fc.array(
    record({
      slot: fc.nat(50),
      saved: fc.option(
        fc.tuple(name, name, name, fc.nat(), fc.nat(), fc.nat(), fc.array(fc.option(fc.nat()), { maxLength: 16 })),
      ),
    }),
    { maxLength: 20 },
  ),
  scrapers: fc.option(
    fc.array(record({ id: name, index: fc.nat(15), seen: fc.nat(), shown: fc.nat() }), { maxLength: 16 }),
  ),
  sources: fc.array(
    record({
      source: fc.constantFrom(...SOURCES),
      position: fc.option(plain),
      entries: fc.array(fc.tuple(key, fc.option(plain, { nil: undefined })), {
        maxLength: 10,
      }),
    }),
    { maxLength: 4 },
  ),
});

t.test('what was committed is there when it is opened again, and nothing else', async (t) => {
  const place = folder(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(changesArbitrary, { maxLength: 4 }), { maxLength: 3 }), async (lives) => {
      const directory = join(place, String(runs++));
      const model = newModel();
      for (const life of lives) {
        const state = await openState(directory);
        for (const changes of life) {
          await state.commit(changes);
          apply(model, changes);
        }
        await state.close();
        if (!isWholeDatabase(join(directory, 'data.mdb'))) throw new Error('taken for damaged');
      }
      const state = await openState(directory);
      const found = asPlain(state.load(), SOURCES);
      await state.close();
      if (!isDeepStrictEqual(found, modelAsPlain(model, SOURCES))) throw new Error('something else was there');
    }),
    { numRuns: 25 },
  );
});

t.test('commits one after the other without waiting keep their order', async (t) => {
  const directory = join(folder(t), 'state');
  const state = await openState(directory);
  const commits = Array.from({ length: 50 }, (_, position) =>
    state.commit({ ...NOTHING, sources: [{ source: 'r', position, entries: [[String(position % 7), position]] }] }),
  );
  await Promise.all(commits);
  await state.close();
  const again = await openState(directory);
  t.equal(again.load().position('r'), 49);
  t.same(
    again
      .load()
      .entries('r')
      .map(([, value]) => value)
      .toSorted(byNumber),
    [43, 44, 45, 46, 47, 48, 49],
  );
  await again.close();
});

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b);
}

/** Some hundred pages of everything, with free ones in between. */
async function fill(directory: string): Promise<void> {
  const state = await openState(directory);
  const births = Array.from({ length: 600 }, (_, slot) => {
    const text = `stream="s${slot}",filter="${'f'.repeat(40)}"`;
    return { slot, width: 1, family: 'reaction_matches_total', scope: 'reaction', text, created: 1 };
  });
  for (let round = 1; round <= 3; round++) {
    await state.commit({
      births,
      pages: Array.from({ length: 10 }, (_, page) => ({ page, values: new Float64Array(64).fill(round) })),
      owed: births.slice(0, 100).map(({ slot, text }) => ({ slot, saved: ['f', 's', text, 1, 1, 1, []] })),
      scrapers: [],
      sources: [{ source: 'reaction', position: { offset: 5 }, entries: [['long', 'x'.repeat(9_000)]] }],
    });
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
    return asPlain(state.load(), ['reaction']);
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
