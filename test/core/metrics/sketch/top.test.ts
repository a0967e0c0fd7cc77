import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { LABEL_VALUE_LIMIT } from '../../../../src/core/metrics/labels.ts';
import { compareCodePoints } from '../../../../src/core/metrics/sketch/order.ts';
import { type TopEntry, TopValues } from '../../../../src/core/metrics/sketch/top.ts';
import { seeded } from '../../../support/random.ts';
import { Disk } from './pieces.ts';
import { adds, filled, oracle, SHAPE } from './streams.ts';

const stream = fc.record({
  seed: fc.integer(),
  count: fc.integer({ min: 0, max: 2_000 }),
  distinct: fc.integer({ min: 1, max: 500 }),
  capacity: fc.integer({ min: 1, max: 40 }),
});

t.test('exact while there is room', async (t) => {
  fc.assert(
    fc.property(stream, fc.boolean(), ({ seed, count, distinct }, isTight) => {
      const all = adds(seeded(seed), count, distinct);
      const now = all.at(-1)?.now ?? 0;
      const wanted = [...oracle(all, now)]
        .sort(([a, x], [b, y]) => y - x || compareCodePoints(a, b))
        .map(([value, count]) => ({ value, count, error: 0 }));
      const top = filled(isTight ? { ...SHAPE, capacity: distinct } : SHAPE, all);
      t.strictSame(top.top(1_000, now), wanted);
      t.strictSame(top.top(7, now), wanted.slice(0, 7));
      t.equal(top.floor(now), 0);
    }),
  );
});

t.test('there is room for what is in the window, not for what ever was', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 40 });
  for (let index = 0; index < 1_000; index++) {
    // Ten values in each slice, of which one is in each.
    top.add(index % 10 === 0 ? 'always' : `v${index}`, 10 * index, 10 * index);
    t.equal(top.floor(10 * index), 0);
  }
  t.same(top.top(2, 9_990), [
    { value: 'always', count: 4, error: 0 },
    { value: 'v961', count: 1, error: 0 },
  ]);
  t.equal(top.top(100, 9_990).length, 37);
  t.equal(top.top(100, 10_299).length, 10);
  t.same(top.top(100, 10_300), []);
});

t.test('96 slices of 15 minutes, and 10,000 values, unless told otherwise', async (t) => {
  const minute = 60_000;
  const begin = 1_800_000_000_000;
  const top = new TopValues();
  for (let index = 0; index < 10_000; index++) top.add(`v${index}`, begin, begin);
  top.add('v1', begin + 15 * minute, begin + 15 * minute);
  t.equal(top.floor(begin), 0);
  t.equal(top.top(20_000, begin + 24 * 60 * minute - 1).length, 10_000);
  t.same(top.top(20_000, begin + 24 * 60 * minute), [{ value: 'v1', count: 1, error: 0 }]);
});

t.test('among equal counts the order is that of code points', async (t) => {
  const values = ['a', 'b', '\ue000', '\uffff', '\u{10000}', '\u{1f600}'];
  const top = new TopValues(SHAPE);
  for (const value of [...values].reverse()) top.add(value, 10_000, 10_000);
  for (let index = 0; index < 500; index++) top.add(`\u{1f600}${index}`, 10_000, 10_000);
  for (const n of [0, 1, 5, 6]) {
    const found = top.top(n, 10_000).map(({ value }) => value);
    t.same(found, values.slice(0, n));
  }
  t.equal(top.top(506, 10_000).length, 506);
  for (const n of [-1, Number.NaN]) t.same(top.top(n, 10_000), []);
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

t.test('an entry finds its value again', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 1 });
  const one = top.track('one');
  const other = top.track('other');
  t.same(top.top(5, 10_000), [], 'tracking counts nothing');
  top.addTracked(one, 10_000, 10_000);
  top.addTracked(other, 10_000, 10_000);
  t.same(top.top(5, 10_000), [{ value: 'other', count: 2, error: 1 }]);
  top.addTracked(one, 10_000, 10_000);
  t.same(top.top(5, 10_000), [{ value: 'one', count: 3, error: 2 }]);
  top.addTracked(other, 10_400, 10_400);
  t.same(top.top(5, 10_400), [{ value: 'other', count: 1, error: 0 }], 'when it was free meanwhile');
  top.addTracked(top.track('other'), 10_400, 10_400);
  top.addTracked(other, 10_400, 10_400);
  t.same(top.top(5, 10_400), [{ value: 'other', count: 3, error: 0 }]);
  top.addTracked(one, 9_999, 10_400);
  t.equal(top.tooOld, 1);
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
});
