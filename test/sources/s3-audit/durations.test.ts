import fc from 'fast-check';
import t from 'tap';
import { durationNs, parseGoDuration } from '../../../src/sources/s3-audit/durations.ts';
import { rowsOf } from './counted.ts';

t.test('durations as Go writes them', async (t) => {
  for (const [text = '', ns] of rowsOf('durations.tsv')) {
    t.equal(parseGoDuration(text), ns === 'absent' ? null : Number(ns), JSON.stringify(text));
  }
  const cases: readonly (readonly [text: string, ns: number | null])[] = [
    ['0.143308ms', 143_308],
    ['1.9999999999999s', 1_999_999_999],
    ['1.5h', 5_400_000_000_000],
    ['0.000000000001h', 3],
    ['0.7ns', 0],
    ['5.s', 5_000_000_000],
    ['.s', null],
    ['.', null],
    ['1.2.3s', null],
    ['1s ', null],
    [' 1s', null],
    ['+1s', null],
    ['1S', null],
    ['1d', null],
    ['1sx', null],
    ['1ms1', null],
    ['1m1', null],
    ['١s', null],
    ['9007199254740991ns', Number.MAX_SAFE_INTEGER],
    ['9007199254740992ns', null],
    ['2502h', null],
    [`${'9'.repeat(60)}h`, null],
    [`${'0'.repeat(70)}1s`, null],
  ];
  for (const [text, ns] of cases) t.equal(parseGoDuration(text), ns, JSON.stringify(text));
});

t.test('digits come before text', async (t) => {
  t.equal(durationNs('2000000', '1ms'), 2_000_000);
  t.equal(durationNs(2_000_000, '1ms'), 2_000_000);
  for (const bad of [undefined, null, '', 'x', '-1', -1, 1.5, '1e3', [], {}, true, '99999999999999999']) {
    t.equal(durationNs(bad, '1ms'), 1_000_000, JSON.stringify(bad));
  }
  for (const bad of [undefined, null, '', 'x', 123, [], {}, true]) {
    t.equal(durationNs(undefined, bad), null, JSON.stringify(bad));
  }
});

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ns', 1n],
]);

t.test('the sum of its parts, to the nanosecond', async () => {
  const part = fc.record({
    whole: fc.nat(5_000),
    fraction: fc.stringMatching(/^[0-9]{0,11}$/),
    unit: fc.constantFrom(...UNITS.keys()),
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
      const text = parts.map(({ whole, fraction, unit }) => `${whole}${fraction && `.${fraction}`}${unit}`).join('');
      const wanted = parts.reduce((sum, { whole, fraction, unit }) => {
        const scale = 10n ** BigInt(fraction.length);
        return sum + ((BigInt(whole) * scale + BigInt(fraction || '0')) * (UNITS.get(unit) ?? 0n)) / scale;
      }, 0n);
      const found = parseGoDuration(text);
      return wanted > BigInt(Number.MAX_SAFE_INTEGER) ? found === null : found === Number(wanted);
    }),
  );
});

t.test('no text makes it throw, or give what is no duration', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.hmsnuµ -]{0,20}$/)), (text) => {
      const ns = parseGoDuration(text);
      return ns === null || (Number.isSafeInteger(ns) && ns >= 0 && /[hms]$/.test(text));
    }),
  );
});
