import fc from 'fast-check';
import t from 'tap';
import { ChangedRows } from '../../../src/core/metrics/changed-rows.ts';
import { CHUNK_ROWS } from '../../../src/core/metrics/pages.ts';

const LENGTH = 5 * CHUNK_ROWS;
const places = fc.record({
  from: fc.nat(LENGTH - 1),
  length: fc.nat(2 * CHUNK_ROWS),
  step: fc.constantFrom(1, 2, 7, 100),
});

t.test('rows are taken once, by chunk, and as long as they are few one by one', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(places, { maxLength: 4 }), { maxLength: 4 }), (rounds) => {
      const changed = new ChangedRows();
      for (const runs of rounds) {
        const noted = new Set<number>();
        for (const { from, length, step } of runs) {
          for (let row = from; row < Math.min(LENGTH, from + length); row += step) noted.add(row);
        }
        for (const row of noted) changed.note(row);
        if (changed.any !== noted.size > 0) throw new Error(`any is ${changed.any}`);
        const wanted = new Map<number, number[]>();
        for (const row of noted) {
          const chunk = Math.floor(row / CHUNK_ROWS);
          wanted.set(chunk, [...(wanted.get(chunk) ?? []), row]);
        }
        const taken = changed.take();
        if (String(taken.map(({ index }) => index)) !== String([...wanted.keys()])) throw new Error('other chunks');
        for (const { index, count, rows } of taken) {
          const all = wanted.get(index)!;
          if (count !== all.length) throw new Error(`${count} rows of chunk ${index}, wanted ${all.length}`);
          if (rows ? String([...rows]) !== String(all) : count < CHUNK_ROWS / 8) throw new Error('other rows');
        }
        if (changed.any || changed.take().length > 0) throw new Error('taken twice');
      }
    }),
    { numRuns: 100 },
  );
});
