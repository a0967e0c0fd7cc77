import fc from 'fast-check';
import t from 'tap';
import { postponed, retryWaitMs, startWaits } from '../../src/lib/retry.ts';

t.test('1 s, doubling to 60 s, a fifth more or less', async (t) => {
  const waits = (random: number) =>
    [0, 1, 2, 3, 4, 5, 6, 7, 1e9].map((attempt) => Math.round(retryWaitMs(attempt, { random: () => random })));
  t.same(waits(0.5), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  t.same(waits(0), [800, 1_600, 3_200, 6_400, 12_800, 25_600, 48_000, 48_000, 48_000]);
  t.same(waits(1), [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 72_000, 72_000, 72_000]);
});

t.test('never less than was asked for', async (t) => {
  t.equal(retryWaitMs(0, { atLeastMs: 30_000, random: () => 0 }), 30_000);
  t.equal(retryWaitMs(9, { atLeastMs: 1, random: () => 0.5 }), 60_000);
  t.equal(retryWaitMs(0, { atLeastMs: null, random: () => 0.5 }), 1_000);
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 300_000 }), (attempt, atLeastMs) => {
      const wait = retryWaitMs(attempt, { atLeastMs });
      if (!(wait >= Math.max(atLeastMs, 800) && wait <= Math.max(atLeastMs, 72_000))) throw new Error(String(wait));
    }),
  );
});

t.test('what a status asks for', async (t) => {
  for (const status of [200, 201, 204, 299, 400, 413, 422]) t.equal(postponed(status), null, `${status}`);
  for (const status of [408, 425, 429, 500, 502, 503, 504, 507, 599]) t.equal(postponed(status), 'again', `${status}`);
  for (const status of [0, 301, 307, 401, 403, 404, 405, 410]) t.equal(postponed(status), 'hold', `${status}`);
});

t.test('waits of one thing, at the usual pace', async (t) => {
  const waits = startWaits(undefined, () => 0.5);
  const [again, hold] = [
    { hold: false, waitMs: 0 },
    { hold: true, waitMs: 90_000 },
  ];
  t.same([again, again, hold, hold, again].map(waits.next), [1_000, 2_000, 30_000, 30_000, 16_000]);
  waits.reset();
  t.same([again, { hold: false, waitMs: 5_000 }].map(waits.next), [1_000, 5_000]);
});

t.test('and at a pace of its own', async (t) => {
  const pace = { firstMs: 250, maxMs: 30_000, holdMs: 30_000, maxHoldMs: 300_000 };
  const waits = startWaits(pace, () => 0.5);
  const next = (count: number, hold: boolean) => Array.from({ length: count }, () => waits.next({ hold, waitMs: 0 }));
  t.same(next(9, false), [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  t.same(next(6, true), [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  next(1, false);
  t.same(next(1, true), [30_000], 'doubled in a row only');
  waits.reset();
  t.same(next(1, false), [250]);
  const shortest = startWaits(pace, () => 0);
  const longest = startWaits(pace, () => 1);
  t.same(
    [shortest, longest].map((one) => Math.round(one.next({ hold: false, waitMs: 0 }))),
    [200, 300],
  );
});
