import fc from 'fast-check';
import t from 'tap';
import type { PatternSetting } from '../../../src/sources/reaction/settings.ts';
import { valueTest } from '../../../src/sources/reaction/values.ts';

function allows(kind: PatternSetting['kind'], regex: string | null, text: string): boolean {
  return valueTest({ name: 'p', kind, regex })(text);
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

t.test('whole regexes', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['[a-z]+', 'abc', true],
    ['[a-z]+', 'abc1', false],
    ['a|b', 'ab', false],
    ['.*$', 'a b', true],
    ['.*', 'a\nb', false],
    ['..', '\u{1f600}', false],
    ['(?P<x>a)(?<y>b)', 'ab', true],
    ['(?i)[a-z]+', 'ABC', true],
    ['(?i)[a-z]+', '1', false],
    ['\\d{1,3}', '22', true],
    ['\\d{1,3}', '2222', false],
    ['[-._+\\w]+@[-.\\w]+', 'mallory@example.org', true],
    ['[-._+\\w]+@[-.\\w]+', 'mallory', false],
    ['[[:alpha:]_]+', 'a1', false],
    ['(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)', '203.0.113.256', false],
  ];
  for (const [regex, text, wanted] of cases) t.equal(allows('regex', regex, text), wanted, `${regex} on ${text}`);
});

t.test('anything where there is no regex, or none that we can read as reaction does', async (t) => {
  t.equal(valueTest(undefined)('anything'), true);
  t.equal(allows('regex', null, 'anything'), true);
  for (const regex of ['(?x) a', '(?=a)', '(a', 'a{2000}', '(?:a{50}b?){50}', '\\<a', 'a\\b{end}', '\\pQ']) {
    t.equal(allows('regex', regex, '?'), true, regex);
  }
  for (const regex of ['[a&&b]', '[a-z--b]', '[a~~b]', '[a[b]]', '[]a[b]]', '[\\][b]]', '[[:alpha:][b]]']) {
    t.equal(allows('regex', regex, '?'), true, regex);
  }
});

t.test('what a value is in Unicode, or beside its neighbours, is allowed', async (t) => {
  for (const [regex, text] of [
    ['\\w+', 'äö9_'],
    ['\\d', '٣'],
    ['[^\\W]', 'ä'],
    ['\\S+\\s', 'x\u3000'],
    ['-\\b', '-'],
    ['\\Ba', 'a'],
    ['\\b\\w+\\b', 'a'],
  ] as const) {
    t.equal(allows('regex', regex, text), true, regex);
  }
  t.equal(allows('regex', '[a-z]+', 'ä'), false);
  t.equal(allows('regex', '\\\\b', 'x'), false, 'an escaped backslash');
});

t.test('takes linear time', async (t) => {
  const text = 'a'.repeat(4096);
  for (const regex of ['(a+)+b', '(a|a)*b', '(a*)*(a*)*(a*)*b', 'a*a*a*a*a*a*a*a*b', '(?:[a-z0-9-]+\\.?)+!']) {
    t.equal(allows('regex', regex, text), false, regex);
  }
});

t.test('whatever is an address is allowed', async () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => allows('ip', null, address)));
});
