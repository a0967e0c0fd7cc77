import fc from 'fast-check';
import t from 'tap';
import { LABEL_VALUE_LIMIT, type Label, labelText } from '../../../src/core/metrics/labels.ts';

t.test('escapes what both formats escape, and nothing else', async (t) => {
  t.equal(labelText([['a', 'b']]), 'a="b"');
  t.equal(
    labelText([
      ['a', 'q"q'],
      ['b', 'b\\b'],
      ['c', 'n\nn'],
    ]),
    'a="q\\"q",b="b\\\\b",c="n\\nn"',
  );
  t.equal(labelText([['a', '\t\0\r\u200b']]), 'a="\t\0\r\u200b"');
  t.equal(labelText([['a', '\ud800x']]), 'a="\ufffdx"', 'a lone surrogate is replaced before it becomes a key');
});

t.test('an empty value is an absent label', async (t) => {
  t.equal(
    labelText([
      ['a', ''],
      ['b', 'x'],
      ['c', ''],
    ]),
    'b="x"',
  );
  t.equal(labelText([['a', '']]), '');
});

t.test('different values never make one text', async () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[a",\\\n=]{0,8}$/),
    fc.constantFrom('",b="', '\\', '\\"', '"', ',', '\n', '\\n'),
  );
  const pair = fc.tuple(hostile, hostile);
  fc.assert(
    fc.property(pair, pair, (one, other) => {
      const text = ([a, b]: readonly [string, string]) =>
        labelText([
          ['a', a],
          ['b', b],
        ]);
      const same = one.every((value, index) => value.toWellFormed() === other[index]?.toWellFormed());
      return same === (text(one) === text(other));
    }),
    { numRuns: 2_000 },
  );
});

t.test('long values are cut and stay apart', async (t) => {
  const long = 'x'.repeat(LABEL_VALUE_LIMIT * 1000);
  const texts = [long, `${long}y`, `${long}z`].map((value) => labelText([['a', value] satisfies Label]));
  t.equal(new Set(texts).size, 3);
  for (const text of texts) t.ok(text.length <= LABEL_VALUE_LIMIT + 'a=""'.length, `${text.length}`);
  t.equal(labelText([['a', 'x'.repeat(LABEL_VALUE_LIMIT)]]).length, LABEL_VALUE_LIMIT + 4, 'the limit itself is whole');
});
