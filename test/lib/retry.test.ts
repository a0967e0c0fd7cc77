import fc from 'fast-check';
import t from 'tap';
import { postponed, retryWaitMs } from '../../src/lib/retry.ts';

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
