import fc from 'fast-check';
import t from 'tap';
import { parseRfc3339 } from '../../../src/lib/time.ts';
import { parseUtc } from '../../../src/sources/s3-audit/utc.ts';

t.test('the one form, and no other', async (t) => {
  const texts = [
    '2024-01-15T09:05:11Z',
    '2024-01-15T09:05:11.232759412Z',
    '2024-02-29T23:59:59.9Z',
    '0100-01-01T00:00:00Z',
  ];
  for (const text of texts) t.equal(parseUtc(text), parseRfc3339(text) ?? 'no time', text);
  const others = [
    ...['', 'Z', '2024-01-15T09:05:11', '2024-01-15T09:05:11+00:00', '2024-01-15t09:05:11Z', '2024-01-15 09:05:11Z'],
    ...[
      '2024-01-15T09:05:11.Z',
      '2024-01-15T09:05:11.1234567890Z',
      '2024-01-15T09:05:11,5Z',
      '2024-01-15T09:05:11.1xZ',
    ],
    ...[
      '2024-01-15T09:05:60Z',
      '2024-01-15T24:05:11Z',
      '2024-01-15T09:60:11Z',
      '2024-13-15T09:05:11Z',
      '2024-00-15T09:05:11Z',
    ],
    ...[
      '2023-02-29T09:05:11Z',
      '1900-02-29T09:05:11Z',
      '2024-04-31T09:05:11Z',
      '2024-01-00T09:05:11Z',
      '0099-01-01T00:00:00Z',
    ],
    ...['x024-01-15T09:05:11Z', '2024-01-15T09:05:1xZ', '2024-01-15T09:05:11.5', '2024-01-15T09:05Z'],
  ];
  for (const text of others) t.equal(parseUtc(text), null, text);
});

t.test('what it takes is what the general parser takes', async () => {
  const date = fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  const time = fc
    .tuple(date, fc.stringMatching(/^(\.[0-9]{1,9})?$/))
    .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}${fraction}Z`);
  fc.assert(fc.property(time, (text) => parseUtc(text) === parseRfc3339(text)));
  const nearly = fc
    .tuple(time, fc.nat(29), fc.constantFrom(...'0123456789-:.TZ+ xx'))
    .map(([text, at, mark]) => text.slice(0, at) + mark + text.slice(at + 1));
  fc.assert(
    fc.property(nearly, (text) => {
      const found = parseUtc(text);
      return found === null || found === parseRfc3339(text);
    }),
  );
});
