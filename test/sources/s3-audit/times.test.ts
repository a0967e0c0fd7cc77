import t from 'tap';
import { parseEventTime, parseLogTime } from '../../../src/sources/s3-audit/times.ts';

t.test('times in JSON records', async (t) => {
  const base = Date.UTC(2024, 0, 31, 23, 20, 41);
  const cases: readonly (readonly [text: string, ms: number])[] = [
    ['2024-01-31T23:20:41Z', base],
    ['2024-02-01T01:20:41.5+02:00', base + 500],
    ['2024-01-31T23:20:41.123456789Z', base + 123.457],
    ['2024-01-31 23:20:41 +0000 UTC', base],
    ['2024-01-31 23:20:41.102934812 +0000 UTC m=+1023.412', base + 102.935],
    ['2024-01-31 23:20:41.1 +0000 UTC m=-0.000001', base + 100],
    ['2024-02-01 00:20:41 +0100 CET', base],
    ['2024-01-31 20:20:41 -0300 -03', base],
  ];
  for (const [text, ms] of cases) t.equal(parseEventTime(text), ms, text);
  const texts = [
    ...['', 'never', '2024-01-31', '2024-01-31 23:20:41', '2024-02-30 23:20:41 +0000 UTC', '1706743241'],
    ...['2024-01-31 23:20:41 +0000', '2024-01-31 23:20:41 +0000 UTC m=', '2024-01-31 23:20:41 +2500 UTC'],
    ...['2024-01-31T23:20:41.1234567890Z', `2024-01-31T23:20:41Z${' '.repeat(200)}`],
  ];
  for (const text of texts) t.equal(parseEventTime(text), null, text);
  for (const value of [undefined, null, base, {}, []]) t.equal(parseEventTime(value), null);
});

t.test('times in access logs', async (t) => {
  t.equal(parseLogTime('06/Feb/2026:00:00:38 +0000'), Date.UTC(2026, 1, 6, 0, 0, 38));
  t.equal(parseLogTime('02/Feb/2024:05:04:05 +0200'), Date.UTC(2024, 1, 2, 3, 4, 5));
  t.equal(parseLogTime('31/Dec/1999:23:59:59 -0130'), Date.UTC(2000, 0, 1, 1, 29, 59));
  const texts = ['', '06/Feb/2026:00:00:38', '6/Feb/2026:00:00:38 +0000', '30/Feb/2026:00:00:38 +0000'];
  for (const text of [
    ...texts,
    '06/feb/2026:00:00:38 +0000',
    '06/Fev/2026:00:00:38 +0000',
    '06/Feb/2026:24:00:38 +0000',
  ]) {
    t.equal(parseLogTime(text), null, text);
  }
});
