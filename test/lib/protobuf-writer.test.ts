import fc from 'fast-check';
import t from 'tap';
import { ProtobufWriter } from '../../src/lib/protobuf-writer.ts';
import { readDelimited, readFields, readPackedSints, unzigzag } from '../support/protobuf.ts';

/** What is written, without the length before it. */
function written(write: (out: ProtobufWriter) => void): Buffer {
  const out = new ProtobufWriter();
  write(out);
  return readDelimited(out.delimited())[0] ?? Buffer.alloc(0);
}

t.test('the examples of the specification', async (t) => {
  // https://protobuf.dev/programming-guides/encoding
  const cases: readonly (readonly [write: (out: ProtobufWriter) => void, hex: string])[] = [
    [(out) => out.uint(1, 150), '089601'],
    [(out) => out.uint(1, 0), '0800'],
    [(out) => out.string(2, 'testing'), '120774657374696e67'],
    [(out) => out.string(1, '\u007f\u0080\ud800'), '0a067fc280efbfbd'],
    [(out) => out.sint(1, -1), '0801'],
    [(out) => out.sint(1, 1), '0802'],
    [(out) => out.sint(1, -2), '0803'],
    [(out) => out.sint(1, 0x7fffffff), '08feffffff0f'],
    [(out) => out.sint(1, -0x80000000), '08ffffffff0f'],
    [(out) => out.double(1, 1), '09000000000000f03f'],
    [(out) => out.packedSints(6, [3, -135]), '320306' + '8d02'],
  ];
  for (const [write, hex] of cases) t.equal(written(write).toString('hex'), hex);
  const nested = written((out) => {
    const start = out.open(3);
    out.uint(1, 150);
    out.close(start);
  });
  t.equal(nested.toString('hex'), '1a03089601');
});

t.test('whatever is written is read back', async () => {
  const size = fc.oneof(fc.nat(300), fc.nat(20_000));
  fc.assert(
    fc.property(
      fc.nat(2 ** 31 - 1),
      fc.maxSafeNat(),
      fc.integer({ min: -(2 ** 52 - 1), max: 2 ** 52 - 1 }),
      fc.double(),
      fc.string({ unit: 'binary', maxLength: 100 }),
      size,
      (small, large, signed, double, text, length) => {
        const bytes = written((out) => {
          out.uint(1, small);
          out.uint(2, large);
          out.sint(3, signed);
          out.packedSints(4, [signed, -small]);
          out.double(5, double);
          const [outer, inner] = [out.open(15), out.open(14)];
          out.string(1, text);
          out.string(2, 'é'.repeat(length));
          out.close(inner);
          out.close(outer);
        });
        const fields = readFields(bytes);
        const inner = readFields(readFields(fields.get(15)?.[0] as Buffer).get(14)?.[0] as Buffer);
        const same =
          fields.get(1)?.[0] === BigInt(small) &&
          fields.get(2)?.[0] === BigInt(large) &&
          unzigzag(fields.get(3)?.[0]) === signed &&
          readPackedSints(fields.get(4)?.[0]).join() === [signed, small && -small].join() &&
          Object.is(fields.get(5)?.[0], double) &&
          String(inner.get(1)?.[0]) === text.toWellFormed() &&
          String(inner.get(2)?.[0]) === 'é'.repeat(length);
        if (!same) throw new Error(bytes.toString('hex').slice(0, 1_000));
      },
    ),
  );
});

t.test('lengths about where the length itself grows', async (t) => {
  for (const length of [0, 47, 48, 49, 125, 126, 127, 128, 129, 16_380, 16_384, 16_390, 2_097_152]) {
    const bytes = written((out) => {
      const start = out.open(1);
      out.string(1, 'x'.repeat(length));
      out.close(start);
      out.uint(2, 7);
    });
    const fields = readFields(bytes);
    t.equal(
      readFields(fields.get(1)?.[0] as Buffer)
        .get(1)?.[0]
        ?.toString().length,
      length,
    );
    t.equal(fields.get(2)?.[0], 7n);
  }
});

t.test('what is cut off is gone', async (t) => {
  const out = new ProtobufWriter();
  out.uint(1, 1);
  const kept = out.length;
  out.string(2, 'x'.repeat(10_000));
  out.truncate(kept);
  out.uint(2, 2);
  t.equal(out.delimited().toString('hex'), '0408011002');
  out.truncate(0);
  t.equal(out.delimited().toString('hex'), '00');
});

t.test('numbers that do not fit are refused', async (t) => {
  const out = new ProtobufWriter();
  t.throws(() => out.uint(3, -1), { message: 'field 3: found -1, wanted an integer from 0 to 2^53 - 1' });
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) t.throws(() => out.uint(1, value));
  t.throws(() => out.sint(4, 0.5), { message: 'field 4: found 0.5, wanted an integer above -2^52 and below 2^52' });
  for (const value of [Number.NaN, 2 ** 52 + 1, -(2 ** 52) - 1]) t.throws(() => out.sint(1, value));
});
