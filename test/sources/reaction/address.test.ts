import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { networkOf } from '../../../src/sources/reaction/address.ts';

t.test('networks', async (t) => {
  const cases: readonly (readonly [string, number, number, string | null])[] = [
    ['203.0.113.9', 24, 64, '203.0.113.0/24'],
    ['203.0.113.255', 25, 64, '203.0.113.128/25'],
    ['203.0.113.9', 32, 64, '203.0.113.9/32'],
    ['203.0.113.9', 0, 64, '0.0.0.0/0'],
    ['2001:db8::1', 24, 64, '2001:db8::/64'],
    ['2001:DB8:1:2:3:4:5:6', 24, 48, '2001:db8:1::/48'],
    ['2001:db8:0:1:1:1:1:1', 24, 128, '2001:db8:0:1:1:1:1:1/128'],
    ['2001:0:0:1:0:0:0:1', 24, 128, '2001:0:0:1::1/128'],
    ['::', 24, 128, '::/128'],
    ['::1', 24, 0, '::/0'],
    ['ffff::ffff', 24, 3, 'e000::/3'],
    ['::ffff:192.0.2.1', 24, 128, '::ffff:c000:201/128'],
    ['1:2:3:4:5:6:7::', 24, 128, '1:2:3:4:5:6:7:0/128'],
    ['fe80::1%eth0', 24, 64, 'fe80::/64'],
    ['203.0.113.0/24', 24, 64, null],
    ['example.org', 24, 64, null],
    ['', 24, 64, null],
  ];
  for (const [address, ipv4, ipv6, wanted] of cases) t.equal(networkOf(address, { ipv4, ipv6 }), wanted, address);
});

t.test('a network holds its address', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(32), fc.nat(128), (address, ipv4, ipv6) => {
      const [net = '', bits] = networkOf(address, { ipv4, ipv6 })?.split('/') ?? [];
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      const list = new BlockList();
      list.addSubnet(net, Number(bits), family);
      // Its own network is itself: no bit was left standing below the mask.
      return list.check(address, family) && networkOf(net, { ipv4, ipv6 }) === `${net}/${bits}`;
    }),
  );
});
