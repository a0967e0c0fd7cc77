import fc from 'fast-check';
import t from 'tap';
import { parseSize } from '../../src/lib/size.ts';

t.test('sizes in decimal and binary units, and bare bytes', async (t) => {
  const cases: readonly (readonly [value: string | number, bytes: number])[] = [
    [0, 0],
    [512, 512],
    ['512', 512],
    ['512B', 512],
    ['512 B', 512],
    ['1kB', 1_000],
    ['1KiB', 1_024],
    ['64MiB', 64 * 2 ** 20],
    ['1MB', 1e6],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['2GB', 2e9],
    ['1TB', 1e12],
    ['8191TiB', 8191 * 2 ** 40],
    ['0.3kB', 300],
    ['1.0001kB', 1_000],
  ];
  for (const [value, bytes] of cases) t.equal(parseSize(value), bytes, String(value));
});

t.test('anything else is none', async (t) => {
  const values = ['', 'B', '-1', '1 KB', '1KB', '1kb', '1kiB', '1Mi', '1M', '1iB', '1kMB', '1PB', '1  B', '1e3', '.5B'];
  for (const value of [...values, '8193TiB', '9'.repeat(16), -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.equal(parseSize(value), null, String(value));
  }
});

t.test('no text makes it throw or give what is no number of bytes', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9. kMGTiB-]{0,20}$/), fc.double()), (value) => {
      const bytes = parseSize(value);
      if (bytes !== null && !(Number.isSafeInteger(bytes) && bytes >= 0)) throw new Error(String(bytes));
    }),
  );
});
