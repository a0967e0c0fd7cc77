import fc from 'fast-check';
import t from 'tap';
import { TopValues } from '../../../../src/core/metrics/sketch/top.ts';
import { seal } from '../../../../src/core/sealed.ts';
import { seeded } from '../../../support/random.ts';
import { Disk } from './pieces.ts';
import { adds, filled, mistake, oracle, SHAPE, SLICE } from './streams.ts';

const stream = fc.record({
  seed: fc.integer(),
  count: fc.integer({ min: 0, max: 2_000 }),
  distinct: fc.integer({ min: 1, max: 500 }),
  capacity: fc.integer({ min: 1, max: 200 }),
});

t.test('a restored one goes on as one that was never interrupted', async (t) => {
  fc.assert(
    fc.property(stream, ({ seed, count, distinct, capacity }) => {
      const random = seeded(seed);
      const all = adds(random, count, distinct);
      const disk = new Disk();
      let restarted = new TopValues({ ...SHAPE, capacity });
      const uninterrupted = new TopValues({ ...SHAPE, capacity });
      for (const { value, time, now } of all) {
        restarted.add(value, time, now);
        uninterrupted.add(value, time, now);
        if (random.chance(0.1)) restarted.top(5, now);
        if (random.chance(0.02)) disk.commit(restarted.changes());
        if (!random.chance(0.01)) continue;
        disk.commit(restarted.changes());
        restarted = new TopValues({ ...SHAPE, capacity });
        restarted.restore(disk.load());
        t.strictSame(restarted.top(250, now), uninterrupted.top(250, now));
        t.equal(restarted.floor(now), uninterrupted.floor(now));
        t.ok(disk.size <= 2 + 5 * 4);
      }
      const now = (all.at(-1)?.now ?? 0) + random.within(0, 5 * SLICE);
      t.strictSame(restarted.top(250, now), uninterrupted.top(250, now));
      disk.commit(restarted.changes());
      restarted.top(1, now + 4 * SLICE);
      disk.commit(restarted.changes());
      t.equal(disk.size, 0, 'nothing stays that is not in the window');
    }),
  );
});

t.test('whatever the clock does, nothing is left over', async (t) => {
  fc.assert(
    fc.property(stream, ({ seed, count, distinct, capacity }) => {
      const random = seeded(seed);
      const disk = new Disk();
      let top = new TopValues({ ...SHAPE, capacity });
      let now = 10_000;
      for (const { value } of adds(random, count, distinct)) {
        if (random.chance(0.02)) now += random.within(-5 * SLICE, 5 * SLICE);
        top.add(value, now + random.within(-5 * SLICE, SLICE), now);
        if (random.chance(0.01)) disk.commit(top.changes());
        if (!random.chance(0.01)) continue;
        disk.commit(top.changes());
        const listed = top.top(250, now);
        for (const { count, error } of listed) t.ok(count > 0 && error >= 0 && error <= count);
        top = new TopValues({ ...SHAPE, capacity });
        top.restore(disk.load());
        t.strictSame(top.top(250, now), listed);
      }
      t.same(top.top(250, now + 6 * SLICE), []);
      disk.commit(top.changes());
      t.equal(disk.size, 0);
    }),
  );
});

t.test('what changed, in pieces, and none for what did not', async (t) => {
  const top = new TopValues(SHAPE);
  const keys = () => top.changes().map(([key, value]) => (value === undefined ? `-${key}` : key));
  t.same(top.changes(), []);
  top.add('a', 110, 210);
  top.add('b', 210, 210);
  const before = top.changes();
  t.same(before, [
    ['v0', ['a', 'b']],
    ['100.1.c0', [1]],
    ['100.2.c0', [0, 1]],
  ]);
  t.same(top.changes(), []);
  const copy = structuredClone(before);
  top.add('b', 210, 210);
  t.same(before, copy, 'what was given does not change any more');
  t.same(top.changes(), [['100.2.c0', [0, 2]]]);
  t.same(top.top(5, 599), [{ value: 'b', count: 2, error: 0 }]);
  t.same(top.changes(), [
    ['v0', [null, 'b']],
    ['100.1.c0', undefined],
  ]);
  for (let index = 0; index < 200; index++) top.add(`v${index}`, 599, 599);
  t.same(keys(), ['v0', 'v1', '100.5.c0', '100.5.c1']);
  top.add('v150', 599, 599);
  t.same(keys(), ['100.5.c1']);
  top.add('a', 600, 600);
  t.same(keys(), ['v0', '-100.2.c0', '100.6.c0'], 'the id that is free now');
});

t.test('errors are saved where there are any', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 1 });
  for (const value of ['a', 'b']) top.add(value, 110, 210);
  top.add('c', 210, 210);
  t.same(
    new Map(top.changes()),
    new Map<string, unknown>([
      ['v0', ['c']],
      ['100.1.f', 2],
      ['100.1.e0', [2]],
      ['100.2.c0', [1]],
    ]),
  );
  top.top(1, 500);
  t.same(
    new Map(top.changes()),
    new Map([
      ['100.1.f', undefined],
      ['100.1.e0', undefined],
    ]),
  );
});

t.test('a commit each second of a steady load is small', async (t) => {
  const top = new TopValues();
  const now = 1_800_000_000_000;
  for (let round = 0; round < 50; round++) for (let index = 0; index < 1_000; index++) top.add(`v${index}`, now, now);
  top.changes();
  for (let index = 0; index < 1_000; index++) top.add(`v${index}`, now, now);
  const changes = top.changes();
  t.equal(changes.length, 8);
  const bytes = changes.reduce((sum, [key, value]) => sum + key.length + seal(value).length, 0);
  t.ok(bytes < 4_000, `${bytes} bytes`);
});

t.test('a state of another capacity', async (t) => {
  const all = adds(seeded(3), 500, 100).map((add) => ({ ...add, time: 10_000, now: 10_000 }));
  for (const [before, after] of [
    [20, 5],
    [5, 20],
    [1, 2],
    [100, 99],
    [100, 5],
    [1_000, 10],
  ] as const) {
    const top = new TopValues({ ...SHAPE, capacity: after });
    top.restore(filled({ ...SHAPE, capacity: before }, all).changes());
    const more = [...all];
    for (const time of [10_100, 10_000]) {
      for (let round = 0; round < 40; round++) {
        for (const value of [`v${round}`, 'v1', 'new']) {
          top.add(value, time, 10_100);
          more.push({ value, time, now: 10_100 });
        }
        t.equal(mistake(top, oracle(more, 10_100), 10_100), null);
        t.ok(top.top(1_000, 10_100).length <= Math.max(before, after));
      }
    }
  }
});

t.test('a state of other slices is gone, with its values', async (t) => {
  const old = filled({ windowMs: 1_000, slices: 10 }, adds(seeded(3), 500, 300));
  const disk = new Disk();
  disk.commit(old.changes());
  t.ok(disk.size > 3);
  const top = new TopValues({ windowMs: 1_000, slices: 5 });
  top.restore(disk.load());
  t.same(top.top(10, 10_000), []);
  disk.commit(top.changes());
  t.equal(disk.size, 0);
  top.add('a', 10_000, 10_000);
  t.same(top.changes(), [
    ['v0', ['a']],
    ['200.50.c0', [1]],
  ]);
});
