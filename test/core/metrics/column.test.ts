import fc from 'fast-check';
import t from 'tap';
import { Column } from '../../../src/core/metrics/column.ts';

const WIDEST = 600;
const rows = fc.array(fc.nat(3_000), { maxLength: 50 });
const runs = fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 1_000 }));

t.test('pages of rows that were noted are taken once, as they are then', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: WIDEST }), rows, runs, (width, one, [from, length]) => {
      const column = new Column(width);
      column.reserve(3_000);
      for (const row of one) column.mark(row);
      column.markFrom(from, from + length);
      const all = [...one, ...Array.from({ length }, (_, place) => from + place)];
      all.forEach((row, place) => {
        column.values[row * width] = place + 1;
      });
      const pageRows = Math.max(1, Math.floor(500 / width));
      if (column.dirty !== all.length > 0) throw new Error(`dirty is ${column.dirty}`);
      const taken = column.take();
      const pages = new Set(all.map((row) => Math.floor(row / pageRows)));
      if (taken.length !== pages.size) throw new Error(`took ${taken.length} pages, wanted ${pages.size}`);
      for (const { page, values } of taken) {
        if (!pages.has(page)) throw new Error(`page ${page} was not noted`);
        const from = page * pageRows * width;
        const wanted = column.values.subarray(from, from + pageRows * width);
        if (wanted.some((value, place) => value !== values[place])) throw new Error(`page ${page} has other values`);
      }
      if (column.dirty || column.take().length > 0) throw new Error('taken twice');
    }),
    { numRuns: 200 },
  );
});

t.test('it grows with what is in it', async (t) => {
  const column = new Column(2);
  for (let row = 0; row < 50_000; row++) {
    column.clear(row);
    column.values[row * 2 + 1] = row;
  }
  for (let row = 0; row < 50_000; row++) {
    if (column.values[row * 2] !== 0 || column.values[row * 2 + 1] !== row) t.fail(`row ${row}`);
  }
  t.ok(column.values.length < 2 * 2 * 100_000, `room for ${column.values.length} numbers`);
});
