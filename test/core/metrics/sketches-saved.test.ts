import t from 'tap';
import { type Cell, mergeCells } from '../../../src/core/cells.ts';
import { distinct, top, topError } from '../../../src/core/metrics/define.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { isChanged, restoreSeries, takeSeries } from '../../../src/core/metrics/saved.ts';
import { SKETCH_LIMIT } from '../../../src/core/metrics/sketches.ts';
import { MemoryCells } from '../../support/cells.ts';
import { show } from '../../support/exposition.ts';
import { seeded, seedOf } from '../../support/random.ts';

const TOP = top('test_top', 'Most frequent.', ['who']);
const CATALOGUE = {
  top: TOP,
  error: topError(TOP, 'Too high by.'),
  distinct: distinct('test_distinct', 'Different.', ['who']),
};
const SLICE = 15 * 60_000;
const DAY = 96 * SLICE;

interface StartOptions {
  readonly owners?: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly time?: number;
}

/** A process after a start with what is on a disk. */
function start(disk: MemoryCells, { owners = { one: [] }, time = 0 }: StartOptions = {}) {
  const registry = new Registry({ seriesLimit: 1_000 });
  registry.time = time;
  const handles = Object.entries(owners).map(([owner, constant]) => registry.register(owner, CATALOGUE, constant));
  restoreSeries(registry, disk.load());
  return {
    registry,
    /** Somebody wants to count there, and nothing came yet. */
    want: (who: string, index = 0) => {
      handles[index]!.top.series({ who }, 20);
      handles[index]!.distinct.series({ who });
    },
    add: (who: string, value: string, times = 1, index = 0) => {
      const tops = handles[index]!.top.series({ who }, 20);
      const distincts = handles[index]!.distinct.series({ who });
      tops.add(tops.track(value), null, times);
      distincts.add(distincts.hash(value), null);
    },
    shown: (now = registry.time) => show(registry, { now }),
    save: () => disk.save(takeSeries(registry)),
  };
}

t.test('after a restart all goes on as if there had been none', async (t) => {
  const random = seeded(seedOf(20_261_121));
  const disk = new MemoryCells();
  const without = start(new MemoryCells());
  let life = start(disk);
  for (let step = 0; step < 6_000; step++) {
    const [who, value] = [`w${random.within(0, 2)}`, `v${Math.floor(3_000 ** random.next())}`];
    life.add(who, value);
    without.add(who, value);
    if (random.chance(0.01)) life.registry.time = without.registry.time += random.within(0, 2 * SLICE);
    if (random.chance(0.01)) life.save();
    if (!random.chance(0.004)) continue;
    life.save();
    const { time } = life.registry;
    life = start(disk, { time });
    for (const who of ['w0', 'w1', 'w2']) life.want(who);
    t.same(await life.shown(), await without.shown());
  }
  const shown = await life.shown();
  t.same(shown, await without.shown());
  t.ok(Object.keys(shown).length > 40);
});

t.test('the seed is kept, with whatever was hashed by it', async (t) => {
  const disk = new MemoryCells();
  const first = start(disk);
  t.same(takeSeries(first.registry), [], 'it is of no use by itself');
  for (let i = 0; i < 5_000; i++) first.add('x', `v${i}`);
  first.save();
  const second = start(disk);
  t.same(second.registry.seed, first.registry.seed);
  t.not(second.registry.seed, start(new MemoryCells()).registry.seed);
  second.want('x');
  const before = (await second.shown())['test_distinct{who="x"}'];
  for (let i = 0; i < 5_000; i++) second.add('x', `v${i}`);
  t.equal((await second.shown())['test_distinct{who="x"}'], before, 'the same values again');
  for (let i = 0; i < 1_000; i++) second.add('y', `v${i % 10}`);
  second.save();
  t.notOk(
    takeSeries(second.registry).some(([[kind]]) => kind === 'seed'),
    'it is written once',
  );
  const third = start(disk);
  third.want('y');
  for (let i = 0; i < 10; i++) third.add('y', `v${i}`);
  t.equal((await third.shown())['test_distinct{who="y"}'], 10, 'one that was made after the restart');
});

t.test('an owner that is gone finds its values when it is back', async (t) => {
  const disk = new MemoryCells();
  const owners = { one: [], two: [['source', 'b']] } as const;
  const first = start(disk, { owners });
  first.add('x', 'a', 2);
  first.add('x', 'b', 3, 1);
  first.save();
  const second = start(disk);
  second.add('x', 'a');
  second.save();
  t.same(await second.shown(), { 'test_top{who="x",value="a"}': 3, 'test_distinct{who="x"}': 1 });
  const third = start(disk, { owners });
  third.want('x');
  third.want('x', 1);
  third.add('x', 'c', 1, 1);
  t.same(await third.shown(), {
    'test_top{who="x",value="a"}': 3,
    'test_top{who="x",source="b",value="b"}': 3,
    'test_top{who="x",source="b",value="c"}': 1,
    'test_distinct{who="x"}': 1,
    'test_distinct{who="x",source="b"}': 2,
  });
});

t.test('what nobody asks for any more is not shown, and kept while it is in the window', async (t) => {
  const disk = new MemoryCells();
  const first = start(disk);
  first.add('x', 'a', 2);
  first.save();
  const second = start(disk);
  second.add('y', 'a');
  t.same(await second.shown(), { 'test_top{who="y",value="a"}': 1, 'test_distinct{who="y"}': 1 });
  second.save();
  const third = start(disk, { time: DAY - 1 });
  third.want('x');
  t.same(await third.shown(), { 'test_top{who="x",value="a"}': 2, 'test_distinct{who="x"}': 1 });
});

t.test('what has left the window takes neither room nor disk', async (t) => {
  const disk = new MemoryCells();
  const first = start(disk);
  for (let i = 0; i < SKETCH_LIMIT; i++) first.add(`old${i}`, 'a');
  first.save();
  const second = start(disk, { time: DAY });
  for (let i = 0; i < SKETCH_LIMIT; i++) second.add(`new${i}`, 'a');
  const shown = await second.shown();
  t.equal(shown['test_top{who="new199",value="a"}'], 1);
  t.notOk('test_top{who="other",value="a"}' in shown);
  second.save();
  t.notOk(
    disk
      .load()
      .under('sketch')
      .some(([[, , text]]) => String(text).includes('old')),
  );
});

t.test('a commit that failed is made up for by the next one', async (t) => {
  const disk = new MemoryCells();
  const first = start(disk);
  let failed: readonly Cell[] = [];
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 40; i++) first.add('x', `v${(round * 7 + i) % 90}`);
    // What was made and left the window before it could be saved, too.
    first.registry.time += round % 10 === 9 ? DAY : SLICE;
    failed = mergeCells(failed, takeSeries(first.registry));
    if (round % 4 !== 0) continue;
    disk.save(failed);
    failed = [];
  }
  disk.save(failed);
  const second = start(disk, { time: first.registry.time });
  second.want('x');
  t.same(await second.shown(), await first.shown());
});

t.test('only what changed is saved', async (t) => {
  const { registry, want, add } = start(new MemoryCells());
  const kinds = () => takeSeries(registry).map(([[kind, , ...rest]]) => [kind, ...rest.slice(1)].join(' '));
  t.notOk(isChanged(registry));
  want('x');
  t.ok(isChanged(registry));
  t.same(kinds(), ['sketch who="x" seed', 'seed']);
  for (let i = 0; i < 300; i++) add('x', `v${i}`);
  for (let i = 0; i < 300; i++) add('y', `v${i}`);
  t.equal(kinds().length, 2 * (2 * 3 + 5) + 1);
  t.notOk(isChanged(registry));
  t.same(kinds(), []);
  add('x', 'v299');
  t.ok(isChanged(registry));
  t.same(kinds(), [`sketch who="x" ${SLICE}.0.c2`]);
  registry.time = SLICE;
  add('y', 'v0');
  t.same(kinds(), [`sketch who="y" ${SLICE}.1.c0`, `sketch who="y" ${SLICE}.1.h0`]);
});

t.test('more may change at once than a call can have arguments', async (t) => {
  const { registry, add } = start(new MemoryCells());
  const names = Array.from({ length: 80 }, (_, i) => `w${i}`);
  const values = Array.from({ length: 24 }, (_, block) => `v${128 * block}`);
  for (const who of names) for (let i = 0; i < 24 * 128; i++) add(who, `v${i}`);
  for (let slice = 0; slice < 96; slice++) {
    registry.time = slice * SLICE;
    for (const who of names) for (const value of values) add(who, value);
  }
  t.ok(takeSeries(registry).length > 150_000);
});
