import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { networkOf } from '../../src/lib/address.ts';
import { classProblems, compileClasses, parseCidr } from '../../src/lib/cidr.ts';

t.test('the longest prefix wins, whatever the order', async (t) => {
  const classes: readonly (readonly [string, readonly string[]])[] = [
    ['office', ['192.0.2.0/24', '2001:db8:1::/48']],
    ['vpn', ['192.0.2.128/25', '2001:db8:1:ff::/64', '::ffff:198.51.100.0/120']],
    ['printer', ['192.0.2.200/32', '2001:db8:1:ff::9/128']],
    ['private', ['10.0.0.0/8']],
    ['', []],
  ];
  const cases: readonly (readonly [string, string | null])[] = [
    ['192.0.2.1', 'office'],
    ['192.0.2.129', 'vpn'],
    ['192.0.2.200', 'printer'],
    ['::ffff:192.0.2.200', 'printer'],
    ['192.0.3.1', null],
    ['198.51.100.7', 'vpn'],
    ['10.255.255.255', 'private'],
    ['11.0.0.0', null],
    ['2001:db8:1::1', 'office'],
    ['2001:db8:1:ff::1', 'vpn'],
    ['2001:db8:1:ff::9', 'printer'],
    ['2001:db8:1:ff::9%eth0', 'printer'],
    ['2001:db8:2::', null],
    // Networks count where they are in one class as a whole, but for smaller ones within.
    ['192.0.2.128/25', 'vpn'],
    ['192.0.2.0/24', 'office'],
    ['192.0.2.200/31', 'vpn'],
    ['192.0.0.0/16', null],
    ['2001:db8:1:ff::/64', 'vpn'],
    ['::ffff:a00:0', 'private'],
    ['::10.0.0.1', null],
    ['office', null],
    ['', null],
  ];
  for (const order of [classes, classes.toReversed()]) {
    const classOf = compileClasses(order);
    for (const [address, wanted] of cases) t.equal(classOf(address), wanted, address);
  }
});

t.test('all addresses of a version', async (t) => {
  const classOf = compileClasses([
    ['old', ['0.0.0.0/0']],
    ['new', ['::/0']],
  ]);
  for (const address of ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4']) t.equal(classOf(address), 'old', address);
  for (const address of ['::', '2001:db8::', '::1.2.3.4']) t.equal(classOf(address), 'new', address);
  t.equal(compileClasses([['new', ['::/0']]])('1.2.3.4'), null, 'IPv6 does not hold IPv4');
  t.equal(compileClasses([])('1.2.3.4'), null);
});

t.test('what is no network, and what was probably meant', async (t) => {
  const wish = 'wanted a network such as 203.0.113.0/24 or 2001:db8::/32';
  const cases: readonly (readonly [string, string])[] = [
    ['', `found "", ${wish}`],
    ['office', `found "office", ${wish}`],
    ['10/8', `found "10/8", ${wish}`],
    ['10.0.0.0/8/8', `found "10.0.0.0/8/8", ${wish}`],
    ['fe80::%eth0/64', `found "fe80::%eth0/64", ${wish}`],
    ['x'.repeat(200), `found "${'x'.repeat(80)}", ${wish}`],
    ['203.0.113.0/33', 'found "203.0.113.0/33", wanted a length from 0 to 32 after its slash'],
    ['203.0.113.0/', 'found "203.0.113.0/", wanted a length from 0 to 32 after its slash'],
    ['203.0.113.0/255.255.255.0', 'found "203.0.113.0/255.255.255.0", wanted a length from 0 to 32 after its slash'],
    ['2001:db8::/129', 'found "2001:db8::/129", wanted a length from 0 to 128 after its slash'],
    ['::ffff:10.0.0.0/8', 'found "::ffff:10.0.0.0/8", wanted a length from 96 to 128 after its slash'],
    ['203.0.113.9', 'found "203.0.113.9", wanted perhaps 203.0.113.9/32, a network with its length'],
    ['2001:DB8::9', 'found "2001:DB8::9", wanted perhaps 2001:db8::9/128, a network with its length'],
    [
      '203.0.113.9/24',
      'found "203.0.113.9/24" with bits below its length, wanted perhaps 203.0.113.0/24, or 203.0.113.9/32 for the one address',
    ],
    [
      '2001:db8::1/64',
      'found "2001:db8::1/64" with bits below its length, wanted perhaps 2001:db8::/64, or 2001:db8::1/128 for the one address',
    ],
    [
      '::ffff:203.0.113.9/120',
      'found "::ffff:203.0.113.9/120" with bits below its length, wanted perhaps 203.0.113.0/24, or 203.0.113.9/32 for the one address',
    ],
  ];
  for (const [text, message] of cases) t.throws(() => parseCidr(text), { message }, text);
});

t.test('mistakes, each with its place', async (t) => {
  const classes = [
    ['office', ['192.0.2.0/24', '192.0.2.0/24', 'x']],
    ['vpn', ['198.51.100.0/24', '192.0.2.0/24', '10.0.0.1/8']],
  ] as const;
  t.match(classProblems(classes), [
    { name: 'office', index: 2, text: /^found "x", wanted a network/ },
    { name: 'vpn', index: 1, text: 'found 192.0.2.0/24 in "office", too, wanted it in one class' },
    { name: 'vpn', index: 2, text: /wanted perhaps 10\.0\.0\.0\/8/ },
  ]);
  t.throws(() => compileClasses(classes), { message: /^office: found "x".*\nvpn: found 192.*\nvpn: found "10/ });
});

t.test('as the block lists of Node.js have it', async () => {
  const near = fc.oneof(
    fc.nat(255).map((last) => `203.0.113.${last}`),
    fc.nat(65_535).map((last) => `2001:db8::${last.toString(16)}`),
  );
  const network = fc.tuple(near, fc.nat(8)).map(([address, bits]) => {
    return networkOf(address, { ipv4: 24 + bits, ipv6: 120 + bits }) ?? '';
  });
  const family = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');
  fc.assert(
    fc.property(fc.uniqueArray(network, { maxLength: 20 }), near, (networks, address) => {
      const classOf = compileClasses(networks.map((cidr) => [cidr, [cidr]]));
      const holding = networks.filter((cidr) => {
        const [first = '', bits] = cidr.split('/');
        const list = new BlockList();
        list.addSubnet(first, Number(bits), family(first));
        return family(first) === family(address) && list.check(address, family(address));
      });
      const longest = holding.toSorted((a, b) => Number(b.split('/')[1]) - Number(a.split('/')[1]))[0] ?? null;
      return classOf(address) === longest;
    }),
  );
});
