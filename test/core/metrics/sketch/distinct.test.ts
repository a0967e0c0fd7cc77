import fc from 'fast-check';
import t from 'tap';
import { DistinctValues } from '../../../../src/core/metrics/sketch/distinct.ts';
import { EXACT_LIMIT } from '../../../../src/core/metrics/sketch/distinct-slice.ts';
import { hashText, type Seed } from '../../../../src/core/metrics/sketch/hash.ts';
import { seeded } from '../../../support/random.ts';
import { Disk } from './pieces.ts';

const SLICE = 100;
const SHAPE = { windowMs: 4 * SLICE, slices: 4 };
const SEED: Seed = [1, 2];
/** Standard error of 2^14 registers. */
const SIGMA = 1.04 / 128;

function filled(count: number, seed: Seed): DistinctValues {
  const distinct = new DistinctValues({ ...SHAPE, seed });
  for (let index = 0; index < count; index++) distinct.add(hashText(`v${index}`, seed), 10_000, 10_000);
  return distinct;
}

t.test('exact for small numbers', async (t) => {
  t.equal(new DistinctValues().count(0), 0);
  t.equal(EXACT_LIMIT, 1_000);
  for (const count of [0, 1, 10, 64, 65, 512, 513, 999, EXACT_LIMIT]) {
    const distinct = filled(count, [count, 5]);
    for (let index = 0; index < count; index++) distinct.add(hashText(`v${index}`, [count, 5]), 10_000, 10_000);
    t.equal(distinct.count(10_000), count);
  }
});

t.test('within five standard errors for large ones, and not always to the same side', async (t) => {
  for (const [count, seeds] of [
    [10, 100],
    [EXACT_LIMIT + 1, 100],
    [1_500, 100],
    [40_000, 20],
    [100_000, 20],
    [1_000_000, 1],
  ] as const) {
    let sum = 0;
    let worst = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const error = filled(count, [seed, 77]).count(10_000) / count - 1;
      sum += error;
      worst = Math.max(worst, Math.abs(error));
    }
    t.ok(worst <= 5 * SIGMA, `${count}: ${worst}`);
    t.ok(Math.abs(sum / seeds) <= (5 * SIGMA) / Math.sqrt(seeds), `${count}: ${sum / seeds} in the mean`);
  }
});

t.test('the window moves, late values count where they belong', async (t) => {
  const distinct = new DistinctValues({ ...SHAPE, seed: SEED });
  const add = (from: number, to: number, time: number, now: number) => {
    for (let index = from; index < to; index++) distinct.add(hashText(`v${index}`, SEED), time, now);
  };
  add(0, 100, 1_000, 1_000);
  add(50, 150, 1_100, 1_100);
  t.equal(distinct.count(1_100), 150);
  add(150, 160, 1_050, 1_150);
  t.equal(distinct.count(1_150), 160, 'late, when it was counted already');
  add(160, 170, 1_399, 1_399);
  t.equal(distinct.count(1_399), 170);
  add(0, 10, 999, 1_399);
  t.equal(distinct.tooOld, 10);
  t.equal(distinct.count(1_400), 110, 'the first slice is gone');
  add(500, 510, 9_999, 1_400);
  t.equal(distinct.count(1_400), 120, 'what is ahead counts as of now');
  t.equal(distinct.count(1_000_000), 0);
});

const steps = fc.record({ seed: fc.integer(), count: fc.integer({ min: 0, max: 3_000 }), size: fc.nat(2_000) });

t.test('counting in between changes nothing', async (t) => {
  fc.assert(
    fc.property(steps, ({ seed, count, size }) => {
      const random = seeded(seed);
      const one = new DistinctValues({ ...SHAPE, seed: SEED });
      const other = new DistinctValues({ ...SHAPE, seed: SEED });
      let now = 10_000;
      for (let index = 0; index < count; index++) {
        // The clock may be set back as well.
        if (random.chance(0.01)) now += random.within(-SLICE / 2, SLICE);
        const hash = hashText(`v${random.within(0, size)}`, SEED);
        const time = random.chance(0.2) ? now - random.within(0, 4 * SLICE) : now;
        one.add(hash, time, now);
        other.add(hash, time, now);
        if (random.chance(0.02)) one.count(now);
      }
      t.equal(one.count(now), other.count(now));
    }),
    { numRuns: 50 },
  );
});

t.test('a restored one goes on as one that was never interrupted', async (t) => {
  fc.assert(
    fc.property(steps, ({ seed, count, size }) => {
      const random = seeded(seed);
      const disk = new Disk();
      let restarted = new DistinctValues({ ...SHAPE, seed: SEED });
      const uninterrupted = new DistinctValues({ ...SHAPE, seed: SEED });
      let now = 10_000;
      for (let index = 0; index < count; index++) {
        if (random.chance(0.005)) now += random.within(0, SLICE);
        if (random.chance(0.001)) now += random.within(0, 6 * SLICE);
        const hash = hashText(`v${random.within(0, size)}`, restarted.seed);
        const time = random.chance(0.2) ? now - random.within(0, 4 * SLICE) : now;
        restarted.add(hash, time, now);
        uninterrupted.add(hash, time, now);
        if (random.chance(0.01)) disk.commit(restarted.changes());
        if (!random.chance(0.003)) continue;
        disk.commit(restarted.changes());
        restarted = new DistinctValues(SHAPE);
        restarted.restore(disk.load());
        t.same(restarted.seed, SEED);
        t.equal(restarted.count(now), uninterrupted.count(now));
      }
      disk.commit(restarted.changes());
      const last = new DistinctValues(SHAPE);
      last.restore(disk.load());
      now += random.within(0, 5 * SLICE);
      t.equal(last.count(now), uninterrupted.count(now));
      disk.commit(last.changes());
      t.ok(disk.size <= 1 + 5 * 32);
    }),
    { numRuns: 50 },
  );
});

t.test('changes are small pieces, and nothing when nothing changed', async (t) => {
  const distinct = new DistinctValues({ ...SHAPE, seed: SEED });
  t.same(distinct.changes(), [['seed', SEED]]);
  t.same(distinct.changes(), []);
  let added = 0;
  const add = (count: number) => {
    for (; count > 0; count--) distinct.add(hashText(`v${added++}`, SEED), 110, 110);
  };
  const changes = () => distinct.changes().map(([key, value]) => [key, (value as Uint8Array | undefined)?.length]);
  add(1);
  t.same(changes(), [['100.1.h0', 8]]);
  add(64);
  t.same(changes(), [
    ['100.1.h0', 512],
    ['100.1.h1', 8],
  ]);
  distinct.add(hashText('v0', SEED), 110, 110);
  t.same(changes(), [], 'a value that is known');
  add(EXACT_LIMIT);
  const all = Array.from({ length: 32 }, (_, segment) => [`100.1.r${segment}`, 512]);
  t.same(changes(), [...['100.1.h0', '100.1.h1'].map((key) => [key, undefined]), ...all]);
  add(1);
  t.equal(changes().length, 1);
  add(10_000);
  const before = distinct.changes();
  const copy = structuredClone(before);
  add(10_000);
  t.same(before, copy, 'what was given does not change any more');
  t.equal(distinct.count(1e9), 0);
  t.same(
    changes(),
    all.map(([key]) => [key, undefined]),
  );
});

t.test('a restored seed is the one to hash with', async (t) => {
  const one = new DistinctValues(SHAPE);
  one.add(hashText('a', one.seed), 10_000, 10_000);
  const other = new DistinctValues(SHAPE);
  t.notSame(one.seed, other.seed);
  other.restore(one.changes());
  other.add(hashText('a', other.seed), 10_000, 10_000);
  t.equal(other.count(10_000), 1);
  t.same(other.changes(), []);
});

t.test('hostile values are values', async (t) => {
  const distinct = new DistinctValues(SHAPE);
  const values = ['', '__proto__', '\ud800', '\udc00', '\0', 'x'.repeat(1_000_000), `${'x'.repeat(1_000_000)}y`];
  for (const value of [...values, ...values]) distinct.add(hashText(value, distinct.seed), 10_000, 10_000);
  t.equal(distinct.count(10_000), values.length);
  for (const hash of [0, 2 ** 52 - 1]) distinct.add(hash, 10_000, 10_000);
  t.equal(distinct.count(10_000), values.length + 2, 'the first hash and the last');
});

t.test('what is counted exactly is saved in the order in which it is taken back', async (t) => {
  const disk = new Disk();
  const add = (distinct: DistinctValues, from: number, to: number) => {
    for (let index = from; index < to; index++) distinct.add(hashText(`v${index}`, SEED), 110, 110);
  };
  let distinct = new DistinctValues({ ...SHAPE, seed: SEED });
  // More pieces than have numbers of one digit, of which the last ones are written again and again.
  for (let count = 0; count < 990; count += 30) {
    add(distinct, count, count + 30);
    disk.commit(distinct.changes());
    distinct = new DistinctValues(SHAPE);
    distinct.restore(disk.load());
    t.equal(distinct.count(110), count + 30);
  }
});
