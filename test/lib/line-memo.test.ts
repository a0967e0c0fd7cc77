import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { createLineMemo } from '../../src/lib/line-memo.ts';

t.test('lines are found wherever they stand, and no others', (t) => {
  // Few bytes, so that many lines are the same, or nearly.
  const line = fc.array(fc.constantFrom(0, 0x61, 0x62, 0xff), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 100, size: 'max' }), fc.nat({ max: 7 }), (lines, from) => {
      const memo = createLineMemo<number>();
      const known = new Map<string, number>();
      // They stand in a part of a larger piece of memory, up to its end.
      const all = Buffer.from(new Uint8Array([...Array<number>(from).fill(9), ...lines.flat()]).buffer);
      const bytes = all.subarray(from);
      let start = 0;
      for (const [index, { length }] of lines.entries()) {
        const key = bytes.toString('latin1', start, start + length);
        deepStrictEqual(memo.find(bytes, start, start + length), known.get(key));
        if (!known.has(key)) memo.keep(bytes, start, start + length, index);
        if (!known.has(key)) known.set(key, index);
        start += length;
      }
      start = 0;
      for (const { length } of lines) {
        // Elsewhere, with something else behind it.
        const copy = Buffer.concat([Buffer.from('xyz'), bytes.subarray(start, start + length), Buffer.from('zyx')]);
        const found = memo.find(copy, 3, 3 + length);
        deepStrictEqual(found, known.get(bytes.toString('latin1', start, start + length)));
        start += length;
      }
      memo.clear();
      deepStrictEqual(memo.find(bytes, 0, 0), undefined);
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test('long lines are not kept', (t) => {
  const memo = createLineMemo<string>();
  const bytes = Buffer.alloc(1_000, 'a');
  memo.keep(bytes, 0, 512, 'kept');
  memo.keep(bytes, 0, 513, 'long');
  t.equal(memo.find(bytes, 488, 1_000), 'kept');
  t.equal(memo.find(bytes, 0, 513), undefined);
  t.end();
});

t.test('when it is full, all is forgotten', (t) => {
  const memo = createLineMemo<number>();
  const bytes = Buffer.alloc(8);
  const write = (n: number) => {
    bytes.writeDoubleLE(n);
    return bytes;
  };
  for (let n = 0; n < 140_000; n++) memo.keep(write(n), 0, 8, n);
  t.equal(memo.find(write(0), 0, 8), undefined);
  t.equal(memo.find(write(139_999), 0, 8), 139_999);
  t.end();
});
