import fc from 'fast-check';
import t from 'tap';
import { SeriesKeys } from '../../../src/core/metrics/keys.ts';
import { arrayBytes } from '../../support/memory.ts';
import { seeded, seedOf } from '../../support/random.ts';

const WIDEST = 5;
const numbers = fc.oneof(fc.nat(3), fc.nat(3), fc.constantFrom(2 ** 31 - 1, 2 ** 16, 2 ** 20), fc.nat(2 ** 31 - 1));
const steps = fc.array(
  fc.record({ remove: fc.boolean(), key: fc.array(numbers, { minLength: WIDEST, maxLength: WIDEST }) }),
  { maxLength: 300, size: 'max' },
);

t.test('rows are found by their keys, and by no others', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: WIDEST }), steps, (width, steps) => {
      const keys = new SeriesKeys(width);
      const model = new Map<string, number>();
      const free: number[] = [];
      let rows = 0;
      for (const { remove, key: whole } of steps) {
        const key = whole.slice(0, width);
        const row = model.get(JSON.stringify(key)) ?? -1;
        if (keys.find(Int32Array.from(key)) !== row) throw new Error(`${key} is not in row ${row}`);
        if (row < 0) {
          const born = free.pop() ?? rows++;
          keys.add(born, Int32Array.from(key));
          model.set(JSON.stringify(key), born);
        } else if (remove) {
          keys.remove(row);
          model.delete(JSON.stringify(key));
          free.push(row);
        }
      }
      for (const [text, row] of model) {
        const key = JSON.parse(text) as number[];
        if (keys.find(Int32Array.from(key)) !== row) throw new Error(`${text} is not in row ${row}`);
        if (key.some((part, place) => keys.id(row, place) !== part)) throw new Error(`row ${row} is not ${text}`);
      }
    }),
    { numRuns: 300 },
  );
});

const SEED = seedOf(1);

t.test(`keys that come and go do not make it grow (seed ${SEED})`, async (t) => {
  const random = seeded(SEED);
  const keys = new SeriesKeys(2);
  const live: Int32Array[] = [];
  const before = arrayBytes();
  for (let i = 0; i < 500_000; i++) {
    const row = i % 100;
    if (live[row]) keys.remove(row);
    live[row] = Int32Array.of(i, random.within(0, 1_000));
    keys.add(row, live[row]);
  }
  live.forEach((key, row) => {
    if (keys.find(key) !== row) t.fail(`row ${row}`);
    if (keys.find(Int32Array.of(key[0]!, key[1]! + 1)) !== -1) t.fail(`found beside row ${row}`);
  });
  const grown = arrayBytes() - before;
  t.ok(grown < 1_000_000, `${grown} bytes`);
});
