import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { Cell, CellKey } from '../../src/core/cells.ts';
import { isWholeDatabase } from '../../src/core/lmdb-file.ts';
import { openState } from '../../src/core/state.ts';
import { folder } from '../support/cli.ts';

const KINDS = ['rows', 'totals', 'entry', 'position', 'long', ''];
type Parts = readonly (string | number)[];

/** Pairs of keys and values in one order. */
function ordered(pairs: Iterable<readonly [Parts, unknown]>): readonly (readonly [Parts, unknown])[] {
  const text = ([parts]: readonly [Parts, unknown]) => JSON.stringify(parts);
  return [...pairs].toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** Keys come out of logs. */
const hostile = ['\0', '\x01', '\x04', '\x1b', '\x1f', '\ud800', '\udfff', '"', '\\', 'x', 'ü'];
const text = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.constantFrom(...hostile), maxLength: 200 }),
  fc.constantFrom('', 'x'.repeat(5_000), `${'x'.repeat(5_000)}y`, 'ü'.repeat(700), 'é\0', '\0', 'position', '0', '[]'),
  fc.constantFrom(1, 63, 64, 980, 990, 1_000, 1_978).map((length) => 'x'.repeat(length)),
);
const number = fc.oneof(
  fc.integer(),
  // Not -0, which JSON takes for 0.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const key: fc.Arbitrary<CellKey> = fc
  .tuple(fc.constantFrom(...KINDS), fc.array(fc.oneof(text, number), { maxLength: 3 }))
  .map(([kind, parts]) => [kind, ...parts]);
// Objects have the names that the program gives them.
const plain = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value).replaceAll('__proto__', 'x'));
const value = fc.oneof(
  plain.map((text) => JSON.parse(text) as unknown),
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(null, undefined, 'x'.repeat(9_000), 2 ** 53, 0.1),
);
/** Commits by life of a process, over few keys, so that they come again. */
const lives = fc.array(key, { minLength: 1, maxLength: 12 }).chain((keys) => {
  const cells = fc.array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 20 });
  return fc.array(fc.array(cells, { maxLength: 4 }), { maxLength: 3 });
});

t.test('what was committed is there when it is opened again, and nothing else', async (t) => {
  const place = folder(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(lives, async (lives) => {
      const directory = join(place, String(runs++));
      const model = new Map<string, Cell>();
      for (const life of lives) {
        const state = await openState(directory);
        for (const cells of life) {
          await state.commit(cells);
          for (const [key, value] of cells) {
            if (value === undefined) model.delete(JSON.stringify(key));
            else model.set(JSON.stringify(key), [key, value]);
          }
        }
        await state.close();
        if (!isWholeDatabase(join(directory, 'data.mdb'))) throw new Error('taken for damaged');
      }
      const state = await openState(directory);
      const found = state.load();
      await state.close();
      const cells = [...model.values()];
      for (const [key] of [...KINDS.map((kind): Cell => [[kind], null]), ...cells]) {
        for (let length = 0; length < key.length; length++) {
          const prefix: CellKey = [key[0], ...key.slice(1, length + 1)];
          const below = cells.filter(([other]) => prefix.every((part, index) => other[index] === part));
          const wanted = below.map(([other, value]) => [other.slice(prefix.length), value] as const);
          if (isDeepStrictEqual(ordered(found.under(...prefix)), ordered(wanted))) continue;
          throw new Error(`something else was under ${JSON.stringify(prefix)}`);
        }
      }
    }),
    { numRuns: 40 },
  );
});

t.test('commits one after the other without waiting keep their order', async (t) => {
  const directory = join(folder(t), 'state');
  const state = await openState(directory);
  const commits = Array.from({ length: 50 }, (_, position) =>
    state.commit([
      [['position', 'r'], position],
      [['entry', 'r', position % 7], position],
    ]),
  );
  await Promise.all(commits);
  await state.close();
  const again = await openState(directory);
  t.same(again.load().under('position'), [[['r'], 49]]);
  t.same(
    ordered(again.load().under('entry', 'r')),
    [49, 43, 44, 45, 46, 47, 48].map((value, index) => [[index], value]),
  );
  await again.close();
});

t.test('what was loaded stays as it was, whatever is written and read later', async (t) => {
  const directory = join(folder(t), 'state');
  const state = await openState(directory);
  const page = (index: number, round: number): Cell => [['totals', 'm', index], Buffer.alloc(1_024, index + round)];
  const pages = (round: number) => Array.from({ length: 100 }, (_, index) => page(index, round));
  await state.commit(pages(0));
  const loaded = state.load();
  await state.commit(pages(1));
  state.load();
  await state.close();
  for (const [[index], bytes] of loaded.under('totals', 'm')) {
    if (!Buffer.alloc(1_024, Number(index)).equals(bytes as Buffer)) t.fail(`page ${index}`);
  }
  t.equal(loaded.under('totals', 'm').length, 100);
});
