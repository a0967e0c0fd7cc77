import fc from 'fast-check';
import t from 'tap';
import { batches, halves } from '../../src/lib/batches.ts';

t.test('by count', async (t) => {
  const cut = (items: number) => batches(new Array<number>(items).fill(1), { count: 100, bytes: 1e6 });
  t.same(cut(0), []);
  t.same(cut(1), [{ start: 0, end: 1 }]);
  t.same(cut(100), [{ start: 0, end: 100 }]);
  t.same(cut(101), [
    { start: 0, end: 100 },
    { start: 100, end: 101 },
  ]);
  t.same(cut(200), [
    { start: 0, end: 100 },
    { start: 100, end: 200 },
  ]);
});

t.test('by size; what is too large for any travels alone', async (t) => {
  const shown = (...sizes: number[]) =>
    batches(sizes, { count: 10, bytes: 10 }).map(({ start, end }) => `${start}-${end}`);
  t.same(shown(5, 5, 5), ['0-2', '2-3']);
  t.same(shown(11, 1), ['0-1', '1-2']);
  t.same(shown(1, 11, 1), ['0-1', '1-2', '2-3']);
  t.same(shown(0, 10, 0), ['0-3']);
});

t.test('every item once and in order, within the limits', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(30)),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 40 }),
      (sizes, count, bytes) => {
        let at = 0;
        for (const { start, end } of batches(sizes, { count, bytes })) {
          if (start !== at || end <= start || end - start > count) throw new Error(`${start}-${end}`);
          const total = sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
          if (total > bytes && end - start > 1) throw new Error(`${total} bytes`);
          at = end;
        }
        if (at !== sizes.length) throw new Error(`ends at ${at}`);
      },
    ),
  );
});

t.test('halves', async (t) => {
  t.same(halves({ start: 4, end: 6 }), [
    { start: 4, end: 5 },
    { start: 5, end: 6 },
  ]);
  t.same(halves({ start: 0, end: 3 }), [
    { start: 0, end: 2 },
    { start: 2, end: 3 },
  ]);
});
