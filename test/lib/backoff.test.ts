import fc from 'fast-check';
import t from 'tap';
import { backoffMs } from '../../src/lib/backoff.ts';

t.test('doubles up to a bound, less up to a half by chance', async (t) => {
  const waits = (random: number) =>
    [0, 1, 2, 3, 4, 1_000, 1e9].map((attempt) =>
      backoffMs(attempt, { firstMs: 500, maxMs: 3_000, random: () => random }),
    );
  t.same(waits(0), [500, 1_000, 2_000, 3_000, 3_000, 3_000, 3_000]);
  t.same(waits(1), [250, 500, 1_000, 1_500, 1_500, 1_500, 1_500]);
});

t.test('stays within its bounds', async () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e9 }), (attempt, first, max) => {
      const wait = backoffMs(attempt, { firstMs: first, maxMs: max });
      if (!(wait > 0 && wait <= max && wait >= Math.min(first, max) / 2)) throw new Error(String(wait));
    }),
  );
});
