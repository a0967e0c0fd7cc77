import fc from 'fast-check';
import t from 'tap';
import { parseRfc3339, parseTime } from '../../src/lib/time.ts';

const base = Date.UTC(2026, 4, 9, 10, 12, 45);

t.test('RFC 3339, as programs write it', async (t) => {
  const cases: readonly (readonly [text: string, ms: number])[] = [
    ['2026-05-09T10:12:45Z', base],
    ['2026-05-09t10:12:45z', base],
    ['2026-05-09 10:12:45Z', base],
    ['2026-05-09T10:12:45+00:00', base],
    ['2026-05-09T12:12:45+02:00', base],
    ['2026-05-09T12:12:45+0200', base],
    ['2026-05-09T04:42:45-05:30', base],
    ['2026-05-09T10:12:45.5Z', base + 500],
    ['2026-05-09T10:12:45,123Z', base + 123],
    ['2026-05-09T10:12:45.123456789Z', base + 123.457],
    ['2026-05-09T10:12:45.000001Z', base + 0.001],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1970-01-01T00:00:00Z', 0],
    // What Go prints of a time that was never set.
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['0099-12-31T23:59:59Z', -59_011_459_201_000],
  ];
  for (const [text, ms] of cases) t.equal(parseRfc3339(text), ms, text);
});

t.test('what is no time', async (t) => {
  const texts = [
    ...['', '2026-05-09', '2026-05-09T10:12Z', '2026-05-09T10:12:45', '20260509T101245Z', '2026-5-9T10:12:45Z'],
    ...['2026-13-09T10:12:45Z', '2026-00-09T10:12:45Z', '2026-05-00T10:12:45Z', '2026-05-32T10:12:45Z'],
    ...['2026-05-09T24:12:45Z', '2026-05-09T10:60:45Z', '2026-05-09T10:12:61Z', '2026-05-09T10:12:45.Z'],
    ...['2026-02-30T10:12:45Z', '2026-04-31T10:12:45Z', '2025-02-29T10:12:45Z'],
    ...['2026-05-09T10:12:45+24:00', '2026-05-09T10:12:45+02:60', '2026-05-09T10:12:45+2', ' 2026-05-09T10:12:45Z'],
    ...['2026-05-09T10:12:45.1234567890Z', '+02026-05-09T10:12:45Z', '2026-05-09T10:12:45Z\n'],
  ];
  for (const text of texts) t.equal(parseRfc3339(text), null, JSON.stringify(text));
});

t.test('a duration is so long ago', async (t) => {
  t.equal(parseTime('36h', base), base - 129_600_000);
  t.equal(parseTime('0s', base), base);
  t.equal(parseTime('2026-05-09T10:12:45Z', 0), base);
  t.equal(parseTime('yesterday', base), null);
});

t.test('is the inverse of toISOString', async () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date(Date.UTC(9999, 11, 31)), noInvalidDate: true }),
      (date) => {
        if (parseRfc3339(date.toISOString()) !== date.getTime()) throw new Error(date.toISOString());
      },
    ),
  );
});
