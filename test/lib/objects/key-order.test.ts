import fc from 'fast-check';
import t from 'tap';
import { compareKeys } from '../../../src/lib/objects/key-order.ts';

t.test('keys are ordered by their bytes', async (t) => {
  t.same(['\u{1f600}', 'b', '\uffee', 'a/b', 'a', 'a.b', 'é'].sort(compareKeys), [
    'a',
    'a.b',
    'a/b',
    'b',
    'é',
    '\uffee',
    '\u{1f600}',
  ]);
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('a', '\ud7ff', '\ue000', '\uffee', '\u{1f600}', '\u{10ffff}'),
      fc.string({ unit: 'binary', maxLength: 1, minLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const wanted = Buffer.compare(Buffer.from(a), Buffer.from(b));
      return Math.sign(compareKeys(a, b)) === wanted && Math.sign(compareKeys(b, a)) === -wanted + 0;
    }),
    { numRuns: 2_000 },
  );
});
