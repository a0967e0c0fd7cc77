import { createSecureContext, getCiphers } from 'node:tls';
import t from 'tap';
import { CIPHER_SUITES, CURVES, goDurationMs } from '../../../src/server/web-config/names.ts';

t.test('durations in the notation of Go', async (t) => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['0', 0],
    ['0s', 0],
    ['1s', 1000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['1.s', 1000],
    ['.5s', 500],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['', null],
    ['1', null],
    ['s', null],
    ['.s', null],
    ['1 s', null],
    ['1s ', null],
    ['-1s', null],
    ['1d', null],
    ['1s1', null],
    ['1'.repeat(100_000), null],
  ];
  for (const [text, ms] of cases) t.equal(goDurationMs(text), ms, JSON.stringify(text.slice(0, 20)));
});

t.test('OpenSSL knows all suites and curves', async (t) => {
  const known = new Set(getCiphers());
  for (const name of CIPHER_SUITES.values()) t.ok(known.has(name.toLowerCase()), name);
  for (const name of CURVES.values()) t.doesNotThrow(() => createSecureContext({ ecdhCurve: name }), name);
});
