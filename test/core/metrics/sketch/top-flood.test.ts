import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { TopValues } from '../../../../src/core/metrics/sketch/top.ts';
import { seeded } from '../../../support/random.ts';
import { type Add, adds, filled, mistake, oracle, SHAPE, SLICE } from './streams.ts';

const stream = fc.record({
  seed: fc.integer(),
  count: fc.integer({ min: 0, max: 2_000 }),
  distinct: fc.integer({ min: 1, max: 500 }),
  capacity: fc.integer({ min: 1, max: 40 }),
});

t.test('never more wrong than it says, wherever the window begins', async () => {
  fc.assert(
    fc.property(stream, ({ seed, count, distinct, capacity }) => {
      const random = seeded(seed);
      const all = adds(random, count, distinct);
      const top = new TopValues({ ...SHAPE, capacity });
      const check = (until: number, now: number) => {
        const wrong = mistake(top, oracle(all.slice(0, until), now), now);
        if (wrong !== null) throw new Error(`after ${until}: ${wrong}`);
      };
      for (const [index, { value, time, now }] of all.entries()) {
        top.add(value, time, now);
        if (random.chance(0.01)) check(index + 1, now);
      }
      // Nothing comes any more, and the window goes on.
      const last = all.at(-1)?.now ?? 0;
      for (let now = last; now <= last + 5 * SLICE; now += SLICE) check(all.length, now);
    }),
    { numRuns: 150 },
  );
});

t.test('nothing leaves: no error is more than one in capacity of all adds', async () => {
  fc.assert(
    fc.property(stream, ({ seed, count, distinct, capacity }) => {
      const random = seeded(seed);
      // Late ones as well.
      const all: Add[] = adds(random, count, distinct).map(({ value }) => {
        return { value, time: 10_399 - random.within(0, 399), now: 10_399 };
      });
      const top = filled({ ...SHAPE, capacity }, all);
      if (top.floor(10_399) > count / capacity) throw new Error(`${top.floor(10_399)} of ${count}`);
      const sum = top.top(capacity, 10_399).reduce((sum, { count }) => sum + count, 0);
      if (sum !== count) throw new Error(`${sum} counted of ${count}`);
    }),
  );
});

t.test('a flood that goes on leaves no more behind than one window of it', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 100 });
  let highest = 0;
  for (let index = 0; index < 100_000; index++) {
    const now = 10_000 + index / 10;
    top.add(`v${index}`, now, now);
    highest = Math.max(highest, top.floor(now));
  }
  // 4,000 adds in a window of 100 counters.
  t.ok(highest >= 30 && highest <= 40, `${highest}`);
});

t.test('the guarantee: more than 1 % is listed, at most 1 % too high', async (t) => {
  const random = seeded(7);
  const top = new TopValues({ windowMs: 9_600 });
  const real = new Map<string, number>();
  const events: { value: string; time: number }[] = [];
  let once = 0;
  for (let now = 0; now < 30_000; now += 0.1) {
    // Ten that share 12 %, among values that come once, and hundreds that come now and then.
    const share = random.next();
    let value = `once ${once++}`;
    if (share < 0.12) value = `frequent ${random.within(0, 9)}`;
    else if (share < 0.2) value = `sometimes ${random.within(0, 500)}`;
    top.add(value, now, now);
    events.push({ value, time: now });
  }
  const begin = 30_000 - 9_600;
  let total = 0;
  for (const { value, time } of events) {
    if (time < begin) continue;
    total++;
    real.set(value, (real.get(value) ?? 0) + 1);
  }
  const listed = new Map(top.top(100, 29_999.9).map((value) => [value.value, value]));
  let frequent = 0;
  for (const [value, count] of real) {
    if (count <= total / 100) continue;
    frequent++;
    const found = listed.get(value);
    t.ok(found && found.count >= count && found.count <= count * 1.01, `${value}: ${count}, ${JSON.stringify(found)}`);
  }
  t.ok(frequent >= 8, `${frequent} of ${total}`);
});

t.test('exact again when a window has passed since the last counter was lost', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 50 });
  for (let index = 0; index < 5_000; index++) top.add(`flood ${index}`, 10_000, 10_000);
  t.equal(top.floor(10_000), 99);
  for (let time = 10_100; time < 10_400; time++) top.add(`v${time % 20}`, time, time);
  t.equal(top.floor(10_399), 100);
  t.equal(top.top(1, 10_399)[0]?.error, 100);
  t.equal(top.floor(10_400), 0);
  t.same(
    top.top(50, 10_400).map(({ count, error }) => [count, error]),
    Array.from({ length: 20 }, () => [15, 0]),
  );
});

t.test('a new slice before the others knows what those after it lost', async (t) => {
  const top = new TopValues({ ...SHAPE, capacity: 1 });
  for (const value of ['a', 'a', 'b']) top.add(value, 10_300, 10_300);
  top.add('c', 10_000, 10_300);
  t.same(top.top(5, 10_300), [{ value: 'c', count: 4, error: 3 }]);
  t.same(top.top(5, 10_400), [{ value: 'c', count: 3, error: 3 }]);
  t.equal(top.floor(10_400), 3);
  t.equal(top.floor(10_700), 0);
});

t.test('memory is bounded, whatever comes', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const top = new TopValues();
  const begin = 1_800_000_000_000;
  let bytes = 0;
  for (let index = 0; index < 1_000_000; index++) {
    // A day, so that all slices are used.
    const now = begin + index * 86.4;
    top.add(`v${index}`, now, now);
  }
  for (const [, value] of top.changes()) bytes += Array.isArray(value) ? value.length : 0;
  t.ok(bytes <= 10_112 * (2 * 96 + 1), `${bytes} numbers and values in pieces`);
  const grown = used() - before;
  t.ok(grown < 20_000_000, `${grown} bytes`);
  t.equal(top.top(20_000, begin + 86_399_999).length, 10_000);
});
