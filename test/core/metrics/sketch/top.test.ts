import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { LABEL_VALUE_LIMIT } from '../../../../src/core/metrics/labels.ts';
import { capacityFor, type TopEntry, type TopOptions, TopValues } from '../../../../src/core/metrics/sketch/top.ts';
import { type Random, seeded } from '../../../support/random.ts';
import { Disk } from './pieces.ts';

const SLICE = 100;
const SHAPE = { windowMs: 4 * SLICE, slices: 4 };

interface Add {
  readonly value: string;
  readonly time: number;
  readonly now: number;
}

/** Adds as of a log: some values far more frequent than others, the clock going on, some events late or ahead. */
function adds(random: Random, count: number, distinct: number): Add[] {
  let now = 10_000;
  return Array.from({ length: count }, () => {
    if (random.chance(0.05)) now += random.within(0, SLICE);
    if (random.chance(0.001)) now += random.within(0, 6 * SLICE);
    const time = random.chance(0.1) ? now - random.within(-SLICE, 5 * SLICE) : now;
    return { value: `v${Math.floor(distinct ** random.next())}`, time, now };
  });
}

/** What a window of unlimited memory would show. */
function oracle(adds: readonly Add[], now: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { value, time, now: then } of adds) {
    const slice = Math.floor(Math.min(time, then) / SLICE);
    const wasTooOld = slice <= Math.floor(then / SLICE) - 4;
    if (!wasTooOld && slice > Math.floor(now / SLICE) - 4) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function filled(options: TopOptions, adds: readonly Add[]): TopValues {
  const top = new TopValues(options);
  for (const { value, time, now } of adds) top.add(value, time, now);
  return top;
}

const stream = fc.record({
  seed: fc.integer(),
  count: fc.integer({ min: 0, max: 2_000 }),
  distinct: fc.integer({ min: 1, max: 500 }),
  capacity: fc.integer({ min: 1, max: 40 }),
});

t.test('exact while there is room', async (t) => {
  fc.assert(
    fc.property(stream, ({ seed, count }) => {
      const all = adds(seeded(seed), count, 30);
      const now = all.at(-1)?.now ?? 0;
      const wanted = [...oracle(all, now)]
        .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
        .map(([value, count]) => ({ value, count, error: 0 }));
      const top = filled({ ...SHAPE, capacity: 30 }, all);
      t.strictSame(top.top(100, now), wanted);
      t.strictSame(top.top(7, now), wanted.slice(0, 7));
    }),
  );
});

t.test('never more wrong than it says, and nothing frequent is missing', async () => {
  fc.assert(
    fc.property(stream, ({ seed, count, distinct, capacity }) => {
      const all = adds(seeded(seed), count, distinct);
      const now = (all.at(-1)?.now ?? 0) + (seed & 63);
      const truth = oracle(all, now);
      const total = [...truth.values()].reduce((sum, count) => sum + count, 0);
      const top = filled({ ...SHAPE, capacity }, all).top(Number.POSITIVE_INFINITY, now);
      for (const { value, count, error } of top) {
        const real = truth.get(value) ?? 0;
        if (!(real <= count && real >= count - error)) throw new Error(`${value}: ${real}, found ${count} - ${error}`);
        // Each slice is wrong by a share of its adds at most, so the sum is by that share of all.
        if (error > total / capacity) throw new Error(`error of ${error} in ${total} adds`);
      }
      const found = new Set(top.map(({ value }) => value));
      for (const [value, real] of truth) {
        if (real > total / capacity && !found.has(value)) throw new Error(`${value} is missing`);
      }
      for (const [index, value] of top.slice(1).entries()) {
        const before = top[index]!;
        if (value.count > before.count) throw new Error('not in order');
      }
    }),
    { numRuns: 300 },
  );
});

t.test('a frequent value stands out of a flood of others', async (t) => {
  const random = seeded(7);
  const top = new TopValues(SHAPE);
  for (let index = 0; index < 100_000; index++) {
    top.add(random.chance(0.02) ? 'frequent' : `once ${index}`, 10_000 + (index % 300), 10_300);
  }
  const [first] = top.top(1, 10_300);
  t.equal(first?.value, 'frequent');
  t.ok(first && first.count >= 1_700 && first.error <= 100_000 / capacityFor(20), JSON.stringify(first));
});

t.test('a tracked value is counted as one that is looked for', async (t) => {
  fc.assert(
    fc.property(stream, ({ seed, count, distinct, capacity }) => {
      const all = adds(seeded(seed), count, distinct);
      const tracking = new TopValues({ ...SHAPE, capacity });
      const entries = new Map<string, TopEntry>();
      for (const { value, time, now } of all) {
        let entry = entries.get(value);
        if (!entry) entries.set(value, (entry = tracking.track(value)));
        tracking.addTracked(entry, time, now);
      }
      const now = all.at(-1)?.now ?? 0;
      const looking = filled({ ...SHAPE, capacity }, all);
      t.strictSame(tracking.top(50, now), looking.top(50, now));
      t.equal(tracking.tooOld, looking.tooOld);
    }),
  );
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
        t.strictSame(restarted.top(50, now), uninterrupted.top(50, now));
        t.ok(disk.size <= 2 * 5);
      }
      const now = (all.at(-1)?.now ?? 0) + random.within(0, 5 * SLICE);
      t.strictSame(restarted.top(50, now), uninterrupted.top(50, now));
    }),
  );
});

t.test('one piece for each slice that changed, and none for what did not', async (t) => {
  const top = new TopValues(SHAPE);
  t.same(top.changes(), []);
  top.add('a', 110, 210);
  top.add('b', 210, 210);
  const before = top.changes();
  const keys = before.map(([key]) => key);
  t.same(keys, ['100.1', '100.2']);
  t.same(top.changes(), []);
  const copy = structuredClone(before);
  top.add('b', 210, 210);
  t.same(before, copy, 'what was given does not change any more');
  t.same(
    top.changes().map(([key]) => key),
    ['100.2'],
  );
  t.same(top.top(5, 599), [{ value: 'b', count: 2, error: 0 }]);
  t.same(top.changes(), [['100.1', undefined]]);
});

t.test('a state of another capacity', async (t) => {
  const all = adds(seeded(3), 500, 100).map((add) => ({ ...add, time: 10_000, now: 10_000 }));
  const truth = oracle(all, 10_000);
  for (const [before, after] of [
    [20, 5],
    [5, 20],
    [1, 2],
    [100, 99],
    [100, 5],
  ] as const) {
    const old = filled({ ...SHAPE, capacity: before }, all);
    const top = new TopValues({ ...SHAPE, capacity: after });
    top.restore(old.changes());
    const more = new Map(truth);
    // First in another slice: what had no room in the restored one is known there by its floor alone.
    for (const time of [10_100, 10_000]) {
      for (let round = 0; round < 40; round++) {
        for (const value of [`v${round}`, 'v1', 'new']) {
          top.add(value, time, 10_100);
          more.set(value, (more.get(value) ?? 0) + 1);
        }
        const found = top.top(1_000, 10_100);
        t.ok(found.length <= 2 * after);
        for (const { value, count, error } of found) {
          const real = more.get(value) ?? 0;
          if (!(real <= count && real >= count - error)) t.fail(`${value}: ${real}, found ${count} - ${error}`);
        }
      }
    }
  }
});

t.test('hostile values', async (t) => {
  const top = new TopValues(SHAPE);
  const long = 'x'.repeat(1_000_000);
  const values = ['', '__proto__', 'constructor', 'toString', '\0', '\ud800', 'a\udc00', long, `${long}y`, '\u{1f600}'];
  const entries = values.map((value) => top.track(value));
  for (const [index, value] of values.entries()) {
    for (let round = 0; round <= index; round++) {
      top.add(value, 10_000, 10_000);
      top.addTracked(entries[index]!, 10_000, 10_000);
    }
  }
  const found = top.top(20, 10_000);
  t.same(
    found.map(({ count, error }) => [count, error]),
    values.map((_, index) => [2 * index + 2, 0]).reverse(),
  );
  for (const { value } of found) t.ok(value.isWellFormed() && value.length <= LABEL_VALUE_LIMIT);
  t.same(
    found.map(({ value }) => value.slice(0, 12)),
    [
      '\u{1f600}',
      'xxxxxxxxxxxx',
      'xxxxxxxxxxxx',
      'a\ufffd',
      '\ufffd',
      '\0',
      'toString',
      'constructor',
      '__proto__',
      '',
    ],
  );
  const disk = new Disk();
  disk.commit(top.changes());
  const restored = new TopValues(SHAPE);
  restored.restore(disk.load());
  t.strictSame(restored.top(20, 10_000), found);
});

t.test('values that become one when made well-formed are one', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 1 });
  for (const value of ['\ud800', '\ud801', '\ufffd', '\ud800']) top.add(value, 10_000, 10_000);
  t.same(top.top(5, 10_000), [{ value: '\ufffd', count: 4, error: 0 }]);
});

t.test('memory is bounded, whatever comes', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 50 });
  for (let index = 0; index < 1_000_000; index++) top.add(`v${index}`, 10_000 + (index % 400), 10_399);
  t.equal(top.top(10_000, 10_399).length, 4 * 50);
  const rows = top.changes().map(([, value]) => (value as [number, unknown[]])[1].length);
  t.same(rows, [50, 50, 50, 50]);
});

t.test('what is kept does not keep the text alive that it is a part of', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const top = new TopValues(SHAPE);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 100; index++) {
    const line = Buffer.alloc(1_000_000, `a line of number ${index}, `).toString('latin1');
    top.add(line.slice(100, 200), 10_000, 10_000);
  }
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  t.ok(grown < 10_000_000, `${grown} bytes`);
  t.equal(top.top(200, 10_000).length, 100);
});

t.test('room for nothing is no room', async (t) => {
  for (const capacity of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => new TopValues({ capacity }), {
      message: `found a capacity of ${capacity}, wanted a whole number of values from 1`,
    });
  }
  t.same(filled({ ...SHAPE, capacity: 1 }, adds(seeded(1), 10, 5)).top(0, 10_000), []);
});
