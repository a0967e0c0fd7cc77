import fc from 'fast-check';
import t from 'tap';
import { ByteWriter, formatValue, overwriteValue } from '../../../src/core/metrics/bytes.ts';

const { MAX_SAFE_INTEGER, MAX_VALUE, MIN_VALUE, NaN: NOT, POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;
const edges = [0, 1, 9, 10, 99, 100, 999_999_999, 1e9, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, MAX_SAFE_INTEGER];
const odd = [0.1, 1e-7, 1e20, 1e21, 1.5e300, MAX_VALUE, MIN_VALUE, POSITIVE_INFINITY, NOT];
const values = fc.oneof(
  fc.constantFrom(...[...edges, ...odd].flatMap((value) => [value, -value])),
  fc.nat(),
  fc.nat(2_000),
  fc.maxSafeInteger(),
  fc.double(),
);

/** How Prometheus writes a number, for those that JavaScript writes otherwise. */
function written(value: number): string {
  if (value === POSITIVE_INFINITY) return '+Inf';
  if (value === NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

const texts = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom(
    '',
    'ascii',
    'é€😀',
    'at the end é',
    '\ud800',
    'a\udfffb',
    '\0\n',
    'ü'.repeat(5_000),
    'x'.repeat(10_000),
  ),
);

t.test('bytes are those of the text', async () => {
  const writer = new ByteWriter();
  fc.assert(
    fc.property(fc.array(fc.oneof(texts, values), { maxLength: 40 }), (parts) => {
      const wanted: Buffer[] = [];
      for (const part of parts) {
        const bytes = Buffer.from(typeof part === 'string' ? part : written(part));
        const before = writer.length;
        wanted.push(bytes);
        if (typeof part === 'string') writer.text(part);
        else if (writer.value(part) !== bytes.length) throw new Error(`the length of ${part}`);
        if (writer.length !== before + bytes.length) throw new Error(`the length after ${part}`);
      }
      const taken = writer.take();
      if (!taken.equals(Buffer.concat(wanted))) throw new Error(`${taken} for ${parts}`);
      if (writer.length !== 0) throw new Error('it begins anew');
    }),
    { numRuns: 1_000 },
  );
});

t.test('what was taken stays as it is', async (t) => {
  const writer = new ByteWriter();
  writer.text('one');
  const taken = writer.take();
  writer.text('two');
  t.equal(taken.toString(), 'one');
});

t.test('a value is written into the place of another of its length, or not at all', async () => {
  fc.assert(
    fc.property(values, values, (before, after) => {
      const [old, wanted] = [written(before), written(after)];
      const bytes = Buffer.from(`<${old}>`);
      const fits = overwriteValue(bytes, 1, old.length, after);
      if (fits !== (old.length === wanted.length)) throw new Error(`${after} in the place of ${before}`);
      if (bytes.toString() !== `<${fits ? wanted : old}>`) throw new Error(`${bytes} for ${after}`);
    }),
    { numRuns: 5_000 },
  );
});

t.test('each number of digits at its bounds', async (t) => {
  const writer = new ByteWriter();
  for (let digits = 1; digits <= 15; digits++) {
    for (const value of [10 ** (digits - 1), 10 ** digits - 1]) {
      t.equal(writer.value(value), digits);
      t.equal(writer.take().toString(), String(value));
      const bytes = Buffer.from('0'.repeat(digits));
      t.ok(overwriteValue(bytes, 0, digits, value));
      t.equal(bytes.toString(), String(value));
    }
  }
});

t.test('numbers', async (t) => {
  const cases = [
    [1e21, '1e+21'],
    [POSITIVE_INFINITY, '+Inf'],
    [NEGATIVE_INFINITY, '-Inf'],
    [NOT, 'NaN'],
    [2 ** 53, '9007199254740992'],
    [-0, '0'],
  ] as const;
  for (const [value, text] of cases) t.equal(formatValue(value), text);
});
