import fc from 'fast-check';
import t from 'tap';
import { durationMs, parseDuration } from '../../src/lib/duration.ts';

t.test('durations in each unit, and bare seconds', async (t) => {
  const cases: readonly (readonly [value: string | number, ms: number])[] = [
    ['250ms', 250],
    ['60s', 60_000],
    ['5m', 300_000],
    ['36h', 129_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['0', 0],
    [0, 0],
    [90, 90_000],
    ['90', 90_000],
    ['1.5s', 1_500],
    [0.25, 250],
    ['0.000001s', 0.001],
    [' 5m ', 300_000],
    ['007d', 604_800_000],
    ['36500d', 36_500 * 86_400_000],
  ];
  for (const [value, ms] of cases) {
    t.equal(parseDuration(value), ms, String(value));
    t.equal(durationMs(value), ms);
  }
});

t.test('anything else is none', async (t) => {
  const values = [
    '',
    's',
    '-1s',
    '+1s',
    '1 s',
    '1S',
    '1w',
    '1min',
    '1h30m',
    '1.s',
    '.5s',
    '1e3s',
    '1_000s',
    '٣s',
    '1s\n1s',
  ];
  for (const value of [...values, '36501d', '9'.repeat(13), -1, Number.NaN, Number.POSITIVE_INFINITY, 1e21]) {
    t.equal(parseDuration(value), null, String(value));
  }
  t.throws(() => durationMs('soon'), {
    message: 'found "soon", wanted a duration such as 250ms, 60s, 5m, 36h or 7d',
  });
});

t.test('no text makes it throw or give what is no time', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9. msdh-]{0,20}$/), fc.double()), (value) => {
      const ms = parseDuration(value);
      if (ms !== null && !(ms >= 0 && ms <= 100 * 365 * 86_400_000)) throw new Error(String(ms));
    }),
  );
});
