import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { addressText, networkOf, parseAddress, parseNetwork } from '../../src/lib/address.ts';

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

t.test('addresses as numbers', async (t) => {
  const mapped = { version: 4, value: 0xcb007109n, bits: 32 };
  const cases: readonly (readonly [string, object | null])[] = [
    ['0.0.0.0', { version: 4, value: 0n, bits: 32 }],
    ['203.0.113.9', mapped],
    ['::ffff:203.0.113.9', mapped],
    ['::FFFF:cb00:7109', mapped],
    ['0:0:0:0:0:ffff:cb00:7109', mapped],
    ['255.255.255.255', { version: 4, value: 0xffff_ffffn, bits: 32 }],
    ['::', { version: 6, value: 0n, bits: 128 }],
    ['::1', { version: 6, value: 1n, bits: 128 }],
    ['::203.0.113.9', { version: 6, value: 0xcb007109n, bits: 128 }],
    ['::1:ffff:203.0.113.9', { version: 6, value: 0x1_ffff_cb00_7109n, bits: 128 }],
    ['fe80::1%eth0', { version: 6, value: 0xfe80_0000_0000_0000_0000_0000_0000_0001n, bits: 128 }],
    ['203.0.113.09', null],
    ['203.0.113', null],
    ['203.0.113.0/24', null],
    [' ::1', null],
    ['', null],
  ];
  for (const [text, wanted] of cases) t.same(parseAddress(text), wanted, text);
});

t.test('networks as numbers', async (t) => {
  const cases: readonly (readonly [string, readonly [version: number, first: string, bits: number] | null])[] = [
    ['203.0.113.9', [4, '203.0.113.9', 32]],
    ['203.0.113.9/24', [4, '203.0.113.0', 24]],
    ['203.0.113.9/32', [4, '203.0.113.9', 32]],
    ['203.0.113.9/0', [4, '0.0.0.0', 0]],
    ['::ffff:203.0.113.9/120', [4, '203.0.113.0', 24]],
    ['::ffff:203.0.113.9/96', [4, '0.0.0.0', 0]],
    ['::ffff:203.0.113.9/95', null],
    ['::/0', [6, '::', 0]],
    ['2001:DB8:0:0::1/64', [6, '2001:db8::', 64]],
    ['2001:db8::1/128', [6, '2001:db8::1', 128]],
    ['203.0.113.9/33', null],
    ['2001:db8::/129', null],
    ['203.0.113.9/', null],
    ['203.0.113.9/+1', null],
    ['203.0.113.9/024', null],
    ['203.0.113.9/24/24', null],
    ['203.0.113.0/255.255.255.0', null],
    ['fe80::%eth0/64', null],
    ['10/8', null],
    ['/8', null],
  ];
  for (const [text, wanted] of cases) {
    const found = parseNetwork(text);
    t.same(found && [found.version, addressText(found), found.bits], wanted, text);
  }
});

t.test('the number of an address is that address', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const parsed = parseAddress(address);
      if (parsed === null) return false;
      const text = addressText(parsed);
      const plain = networkOf(address, { ipv4: 32, ipv6: 128 });
      // But for mapped ones, it is what a mask of full length leaves.
      return (
        text === addressText(parseAddress(text) ?? parsed) &&
        (parsed.version !== isIP(address) || plain === `${text}/${parsed.bits}`)
      );
    }),
  );
});
