import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { openAddresses } from '../../../src/core/addresses.ts';
import { addressesConfig } from '../../../src/core/addresses-config.ts';
import { createHelpers, HELPERS, LONGEST_RESULT, type Value } from '../../../src/sources/reaction/helpers.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { asnDatabase, countryDatabase } from '../../support/mmdb.ts';

function run(name: string, ...args: readonly Value[]): Value {
  const helper = HELPERS.get(name);
  if (!helper) throw new Error(`no helper ${name}`);
  return helper.run(...args);
}

t.test('what the helpers give', async (t) => {
  const cases: readonly (readonly [Value, string, ...Value[]])[] = [
    [['a', 'b'], 'split', 'a@b', '@'],
    [['', ''], 'split', '@', '@'],
    ['a.b', 'join', ['a', 'b'], '.'],
    ['', 'join', [], '.'],
    [['a', 'b'], 'slice', ['a', 'b', 'c'], 0, 2],
    [['b', 'c'], 'slice', ['a', 'b', 'c'], 1],
    [['b'], 'slice', ['a', 'b', 'c'], -2, -1],
    ['\u{1f600}b', 'slice', 'a\u{1f600}bc', 1, 3],
    ['a', 'first', ['a', 'b']],
    ['\u{1f600}', 'first', '\u{1f600}b'],
    [undefined, 'first', []],
    ['b', 'last', ['a', 'b']],
    ['\u{1f600}', 'last', 'b\u{1f600}'],
    ['c', 'nth', ['a', 'b', 'c'], 2],
    ['b', 'nth', 'abc', 1],
    [undefined, 'nth', ['a'], 9],
    [2, 'length', ['a', 'b']],
    [1, 'length', '\u{1f600}'],
    ['abc', 'lower', 'ABC'],
    ['ABC', 'upper', 'abc'],
    ['a', 'trim', ' a\t'],
    ['xbxb', 'replace', 'abab', 'a', 'x'],
    ['$&b', 'replace', 'ab', 'a', '$&'],
    ['-a-', 'replace', 'a', '', '-'],
    ['-😀-é-', 'replace', '😀é', '', '-'],
    ['-', 'replace', '', '', '-'],
    ['none', 'default', '', 'none'],
    ['none', 'default', undefined, 'none'],
    ['none', 'default', [], 'none'],
    ['x', 'default', 'x', 'none'],
    ['01234567', 'truncate', '0123456789', 8],
    ['a\u{1f600}', 'truncate', 'a\u{1f600}b', 2],
    ['', 'truncate', 'abc', 0],
    ['abc', 'truncate', 'abc', '8'],
    [true, 'eq', 'a', 'a'],
    [true, 'eq', '22', 22],
    [false, 'eq', undefined, ''],
    [true, 'includes', 'a bot', 'bot'],
    [true, 'includes', ['a', 'b'], 'b'],
    [false, 'includes', ['ab'], 'b'],
    [true, 'startsWith', 'ab', 'a'],
    [false, 'endsWith', 'ab', 'a'],
    ['a-1', 'concat', 'a', '-', 1, undefined],
    ['203.0.113.0/24', 'network', '203.0.113.9', 24, 64],
    ['2001:db8::/64', 'network', '2001:db8::1', 24, 64],
    ['example.org', 'network', 'example.org', 24, 64],
    ['203.0.113.0/24', 'network', '203.0.113.9'],
    ['2001:db8::/64', 'network', '2001:db8::1'],
    ['203.0.0.0/16', 'network', '203.0.113.9', 16],
    ['2001:db8::/64', 'network', '2001:db8::1', 16],
    [undefined, 'class', '203.0.113.9'],
    [undefined, 'country', '203.0.113.9'],
    [undefined, 'asn', '203.0.113.9'],
    [undefined, 'organization', '203.0.113.9'],
  ];
  for (const [wanted, name, ...args] of cases) t.same(run(name, ...args), wanted, `${name} ${JSON.stringify(args)}`);
});

t.test('what they cannot work with', async (t) => {
  const cases: readonly (readonly [string, string, ...Value[]])[] = [
    ['found nothing, wanted a text', 'lower', undefined],
    ['found a list, wanted a text', 'lower', ['a']],
    ['found "abc", wanted a list, such as split gives', 'join', 'abc', '.'],
    ['found "x", wanted a whole number', 'nth', ['a'], 'x'],
    ['found 1.5, wanted a whole number', 'nth', ['a'], 1.5],
    ['found -1, wanted a length', 'truncate', 'a', -1],
    ['found an empty separator, wanted a text', 'split', 'a', ''],
    ['found nothing, wanted a whole number', 'network', '1.2.3.4', undefined],
    ['found a list, wanted a text', 'network', ['1.2.3.4']],
    ['found nothing, wanted a text', 'class', undefined],
    ['found a list, wanted a text', 'country', ['1.2.3.4']],
    ['found 33 bits, wanted 0 to 32 for IPv4', 'network', '1.2.3.4', 33, 64],
    ['found 129 bits, wanted 0 to 128 for IPv6', 'network', '1.2.3.4', 24, 129],
  ];
  for (const [message, name, ...args] of cases) t.throws(() => run(name, ...args), { message }, name);
});

t.test('results are bounded', async (t) => {
  const long = 'a'.repeat(60_000);
  const tooLong = { message: /^the result has [0-9]+ characters, wanted at most 65536$/ };
  t.throws(() => run('replace', long, 'a', long), tooLong);
  t.throws(() => run('replace', long, '', 'xx'), tooLong);
  t.throws(() => run('concat', long, long), tooLong);
  t.throws(() => run('join', ['', '', ''], long), tooLong);
  t.throws(() => run('upper', 'ß'.repeat(40_000)), tooLong);
  t.throws(() => run('truncate', 'a'.repeat(100_000), 90_000), tooLong);
  t.throws(() => run('slice', 'a'.repeat(100_000), 1), tooLong);
  t.throws(() => run('split', ','.repeat(100_000), ','), tooLong);
  t.equal(run('truncate', 'a'.repeat(1_000_000), 3), 'aaa');
  t.equal(run('replace', 'a'.repeat(LONGEST_RESULT), 'a', ''), '');
});

t.test('replace gives what it counted beforehand', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (value, old, by) => run('replace', value, old, by) === value.replaceAll(old, by)),
  );
});

t.test('what is known of addresses', async (t) => {
  const folder = temporaryFolder(t);
  const [country, asn] = [join(folder, 'country.mmdb'), join(folder, 'asn.mmdb')];
  writeFileSync(country, countryDatabase());
  writeFileSync(asn, asnDatabase());
  const config = addressesConfig.parse({
    classes: { office: ['192.0.2.0/24'] },
    prefix: { ipv4: 16, ipv6: 48 },
    country,
    asn,
  });
  const addresses = openAddresses(config, { follow: false, log: { info: () => {}, warn: () => {} } });
  t.teardown(() => addresses.close());
  const helpers = createHelpers(addresses);
  const cases: readonly (readonly [Value, string, ...Value[]])[] = [
    ['203.0.0.0/16', 'network', '203.0.113.9'],
    ['203.0.113.0/24', 'network', '203.0.113.9', 24],
    ['2001:db8:1::/48', 'network', '2001:db8:1:2::3', 24],
    ['office', 'class', '192.0.2.1'],
    ['world', 'class', '203.0.113.9'],
    [undefined, 'class', 'example.org'],
    ['SE', 'country', '203.0.113.9'],
    [undefined, 'country', '10.0.0.1'],
    ['AS64501', 'asn', '203.0.113.9'],
    ['Exämple "Two"', 'organization', '203.0.113.9'],
    ['a', 'lower', 'A'],
  ];
  for (const [wanted, name, ...args] of cases) {
    t.same(helpers.get(name)?.run(...args), wanted, `${name} ${JSON.stringify(args)}`);
  }
  t.same([...helpers.keys()], [...HELPERS.keys()]);
});
