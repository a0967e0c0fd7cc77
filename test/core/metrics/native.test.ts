import fc from 'fast-check';
import t from 'tap';
import {
  BUCKET_LIMIT,
  MAX_SCHEMA,
  MIN_SCHEMA,
  NativeHistogram,
  nativeBucket,
  ZERO_THRESHOLD,
} from '../../../src/core/metrics/native.ts';

const schemas = fc.integer({ min: MIN_SCHEMA, max: MAX_SCHEMA });
const magnitudes = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true });

/** Whether a positive number is at most `2^(index·2^-schema)`, in whole numbers and so exactly. */
function isWithin(value: number, index: number, schema: number): boolean {
  let [mantissa, exponent] = [value, 0];
  for (; mantissa < 2 ** 52; mantissa *= 2) exponent -= 1;
  for (; !Number.isSafeInteger(mantissa); mantissa /= 2) exponent += 1;
  // value ^ (2^schema) ≤ 2^index, or for negative schemas value ≤ 2^(index·2^-schema).
  const root = 2n ** BigInt(Math.max(schema, 0));
  const shift = BigInt(index) * 2n ** BigInt(Math.max(-schema, 0)) - BigInt(exponent) * root;
  return shift >= 0n && BigInt(mantissa) ** root <= 1n << shift;
}

function next(value: number, step: 1n | -1n): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + step);
  return view.getFloat64(0);
}

function checkBucket(value: number, schema: number): void {
  const index = nativeBucket(value, schema);
  if (isWithin(value, index, schema) && !isWithin(value, index - 1, schema)) return;
  throw new Error(`${value} at schema ${schema} is in ${index}`);
}

t.test('buckets by hand', async (t) => {
  const cases: readonly (readonly [value: number, schema: number, index: number])[] = [
    [1, 0, 0],
    [1, 8, 0],
    [1, -4, 0],
    [2, 0, 1],
    [2.1, 0, 2],
    [0.5, 0, -1],
    [0.4, 0, -1],
    [2, 3, 8],
    [2, -1, 1],
    [4, -1, 1],
    [5, -1, 2],
    [0.25, -1, -1],
    [0.26, -1, 0],
    [65_536, -4, 1],
    [65_537, -4, 2],
    [Math.SQRT2, 1, 2],
    [1.41, 1, 1],
    [-3, 0, 2],
    [Number.MIN_VALUE, 0, -1074],
    [Number.MAX_VALUE, 0, 1024],
    [Number.POSITIVE_INFINITY, 0, 1025],
    [Number.NEGATIVE_INFINITY, 8, 262_145],
  ];
  for (const [value, schema, index] of cases) t.equal(nativeBucket(value, schema), index, `${value} at ${schema}`);
  for (const value of [0, -0, Number.NaN]) t.throws(() => nativeBucket(value, 0), /wanted a number that has a bucket/);
  for (const schema of [-5, 9, 0.5, Number.NaN]) {
    t.throws(() => nativeBucket(1, schema), {
      message: `found the schema ${schema}, wanted an integer from -4 to 8`,
    });
  }
});

t.test('each number is in the bucket whose bounds are about it', async () => {
  fc.assert(fc.property(magnitudes, schemas, checkBucket));
});

t.test('so are the numbers nearest to the bounds', async () => {
  for (let schema = MIN_SCHEMA; schema <= MAX_SCHEMA; schema++) {
    const perPower = 2 ** schema;
    for (let index = -Math.ceil(1.5 * perPower); index <= 1.5 * perPower; index++) {
      const near = 2 ** (index / perPower);
      for (const value of [next(near, -1n), near, next(near, 1n)]) checkBucket(value, schema);
    }
    for (const value of [Number.MIN_VALUE, 2 ** -1022, next(2 ** -1022, -1n), Number.MAX_VALUE, 2 ** 1023]) {
      checkBucket(value, schema);
    }
  }
});

t.test('counts by bucket, with the zero bucket and both signs', async (t) => {
  const histogram = new NativeHistogram(0);
  for (const value of [0, -0, ZERO_THRESHOLD, -ZERO_THRESHOLD, 1, 1, 1.5, -3, Number.NaN]) histogram.observe(value);
  histogram.observe(100, 5);
  histogram.observe(100, 0);
  t.same(histogram.save(), {
    schema: 0,
    zeroCount: 4,
    sum: 500.5,
    positive: [
      [0, 2],
      [1, 1],
      [7, 5],
    ],
    negative: [[2, 1]],
  });
});

/** All that a histogram counted. */
function total({ zeroCount, positive, negative }: NativeHistogram): number {
  return [...positive.values(), ...negative.values()].reduce((sum, count) => sum + count, zeroCount);
}

t.test('more values than there is room for lower the resolution, and lose nothing', async () => {
  const value = fc.oneof(
    fc.double({ noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: 0.001, max: 60, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 100, maxLength: 1_000 }), schemas, (values, schema) => {
      const histogram = new NativeHistogram(schema);
      for (const each of values) histogram.observe(each);
      if (histogram.positive.size + histogram.negative.size > BUCKET_LIMIT) throw new Error('too many buckets');
      if (total(histogram) !== values.length) throw new Error('lost some');
      // The same as if it had been counted at that resolution from the beginning.
      const direct = new NativeHistogram(histogram.schema);
      for (const each of values) direct.observe(each);
      const [found, wanted] = [JSON.stringify(histogram.save()), JSON.stringify(direct.save())];
      if (found !== wanted) throw new Error(`${found} is not ${wanted}`);
    }),
    { numRuns: 50 },
  );
});

t.test('the whole range of numbers fits', async (t) => {
  const histogram = new NativeHistogram(MAX_SCHEMA);
  for (let exponent = -1074; exponent < 1024; exponent++) {
    histogram.observe(2 ** exponent);
    histogram.observe(-(2 ** exponent));
  }
  histogram.observe(Number.POSITIVE_INFINITY);
  histogram.observe(Number.NEGATIVE_INFINITY);
  t.equal(histogram.schema, -4);
  t.equal(histogram.positive.size + histogram.negative.size, 146);
  t.equal(total(histogram), 2 * 2098 + 2);
});

t.test('the resolution is kept while there is room', async (t) => {
  const histogram = new NativeHistogram(3);
  for (let index = 0; index < BUCKET_LIMIT; index++) histogram.observe(2 ** ((index - 0.5) / 8));
  t.equal(histogram.schema, 3);
  t.equal(histogram.positive.size, BUCKET_LIMIT);
  histogram.observe(1e9);
  t.equal(histogram.schema, 2);
});

t.test('saved and taken back', async (t) => {
  const histogram = new NativeHistogram(5);
  for (let i = 1; i < 500; i++) histogram.observe(i * (i % 3 === 0 ? -1 : 1));
  histogram.observe(0);
  // As the state keeps it, in plain values.
  const saved = JSON.parse(JSON.stringify(histogram.save()));
  const restored = NativeHistogram.restore(saved);
  t.same(restored.save(), histogram.save());
  restored.observe(7);
  histogram.observe(7);
  t.same(restored.save(), histogram.save());

  const fine = { schema: 0, zeroCount: 0, sum: 0, positive: [], negative: [] };
  const cases: readonly (readonly [wrong: object, message: string])[] = [
    [{ schema: 99 }, 'found the schema 99, wanted an integer from -4 to 8'],
    [{ zeroCount: -1 }, 'found the count -1, wanted an integer from 0 to 2^52'],
    [{ positive: [[0, 0.5]] }, 'found the count 0.5, wanted an integer from 0 to 2^52'],
    [{ negative: [[1e9, 1]] }, 'found the bucket index 1000000000, wanted an integer from -275200 to 262145'],
    [{ positive: Array.from({ length: 161 }, (_, i) => [i, 1]) }, 'found 161 buckets, wanted at most 160'],
  ];
  for (const [wrong, message] of cases) t.throws(() => NativeHistogram.restore({ ...fine, ...wrong }), { message });
});
