import fc from 'fast-check';
import t from 'tap';
import { compareCodePoints } from '../../../../src/core/metrics/sketch/order.ts';

t.test('the order of code points is that of UTF-8 bytes', async (t) => {
  const sorted = [
    '',
    '\0',
    'A',
    'a',
    'a\0',
    'ab',
    'b',
    'é',
    '\ud7ff',
    '\ue000',
    '\ufffd',
    '\uffff',
    '\u{10000}',
    '\u{1f600}',
  ];
  for (const [index, one] of sorted.entries()) {
    for (const [other, text] of sorted.entries()) {
      t.equal(Math.sign(compareCodePoints(one, text)), Math.sign(index - other), JSON.stringify([one, text]));
    }
  }
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}') });
  fc.assert(
    fc.property(text, text, (one, other) => {
      t.equal(Math.sign(compareCodePoints(one, other)), Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
  );
});
