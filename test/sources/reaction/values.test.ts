import fc from 'fast-check';
import t from 'tap';
import type { PatternSetting } from '../../../src/sources/reaction/settings.ts';
import { valuesOf } from '../../../src/sources/reaction/values.ts';

function allows(kind: PatternSetting['kind'], regex: string | null, text: string): boolean {
  const ends = valuesOf({ name: 'p', kind, regex }).ends(text, 0, { left: 1_000_000 });
  return ends?.includes(text.length) ?? false;
}

t.test('addresses and networks for the IP types', async (t) => {
  const cases: readonly (readonly [PatternSetting['kind'], string, boolean])[] = [
    ['ip', '203.0.113.9', true],
    ['ip', '2001:db8::1', true],
    ['ip', '::', true],
    ['ipv4', '203.0.113.9', true],
    ['ipv4', '2001:db8::1', false],
    ['ipv6', '2001:db8::1', true],
    ['ipv6', '203.0.113.9', false],
    ['ipv6', '0000:0000:0000:0000:0000:ffff:255.255.255.255/128', true],
    ['ip', '203.0.113.0/24', true],
    ['ip', '2001:db8:1:2::/64', true],
    ['ip', '203.0.113.0/33', false],
    ['ip', '203.0.113.0/024', false],
    ['ip', '203.0.113.0/', false],
    ['ip', '::/129', false],
    ['ip', '203.0.113.256', false],
    ['ip', ' 203.0.113.9', false],
    ['ip', 'fe80::1%eth0', false],
    ['ip', '', false],
  ];
  for (const [kind, text, wanted] of cases) t.equal(allows(kind, null, text), wanted, `${kind} ${text}`);
});

t.test('whole regexes, or anything where there is none that we can read', async (t) => {
  t.equal(allows('regex', '[a-z]+', 'abc'), true);
  t.equal(allows('regex', '[a-z]+', 'abc1'), false);
  t.equal(allows('regex', 'a|b', 'ab'), false, 'the whole of it');
  t.equal(allows('regex', '(?i)[a-z]+', 'anything 1'), true);
  t.equal(allows('regex', null, 'anything'), true);
  t.same(valuesOf(undefined).ends('ab', 1, { left: 10 }), [1, 2]);
  t.same(valuesOf(undefined).ends('\u{1f600}a', 0, { left: 10 }), [0, 2, 3]);
});

t.test('all ends are found, and the work is bounded', async (t) => {
  const ip = valuesOf({ name: 'ip', kind: 'ip', regex: null });
  t.same(ip.ends('x1.2.3.45/168', 1, { left: 1000 }), [8, 9, 11, 12]);
  for (const values of [ip, valuesOf(undefined), valuesOf({ name: 'p', kind: 'regex', regex: '.*' })]) {
    t.equal(values.ends('1'.repeat(4000), 0, { left: 20 }), null);
  }
});

t.test('whatever is an address is allowed', async () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => allows('ip', null, address)));
});
