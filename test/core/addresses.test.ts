import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { NO_ADDRESSES, openAddresses } from '../../src/core/addresses.ts';
import { type AddressesConfig, addressesConfig } from '../../src/core/addresses-config.ts';
import { temporaryFolder } from '../support/journal.ts';
import { asnDatabase, countryDatabase, mmdb } from '../support/mmdb.ts';

function opened(t: Test, given: Partial<AddressesConfig>, follow = false) {
  const logged: { readonly level: string; readonly text: string; readonly fields: unknown }[] = [];
  const log = {
    info: (fields: unknown, text?: string) => void logged.push({ level: 'info', text: text ?? '', fields }),
    warn: (fields: unknown, text?: string) => void logged.push({ level: 'warn', text: text ?? '', fields }),
  };
  const addresses = openAddresses(addressesConfig.parse(given), { follow, log });
  t.teardown(() => addresses.close());
  return { addresses, logged };
}

t.test('nothing configured', async (t) => {
  for (const addresses of [NO_ADDRESSES, opened(t, {}).addresses]) {
    t.equal(addresses.networkOf('203.0.113.9'), '203.0.113.0/24');
    t.equal(addresses.networkOf('2001:db8::1'), '2001:db8::/64');
    t.equal(addresses.networkOf('example.org'), null);
    const { classOf, countryOf, asnOf, organizationOf } = addresses;
    for (const tell of [classOf, countryOf, asnOf, organizationOf]) t.equal(tell('203.0.113.9'), null);
    t.equal(addresses.revision, 0);
  }
  await NO_ADDRESSES.close();
});

t.test('networks of the configured length, and of another', async (t) => {
  const { addresses } = opened(t, { prefix: { ipv4: 16, ipv6: 48 } });
  t.equal(addresses.networkOf('203.0.113.9'), '203.0.0.0/16');
  t.equal(addresses.networkOf('2001:db8:1:2::3'), '2001:db8:1::/48');
  t.equal(addresses.networkOf('203.0.113.9', { ipv4: 25 }), '203.0.113.0/25');
  t.equal(addresses.networkOf('2001:db8:1:2::3', { ipv4: 25 }), '2001:db8:1::/48');
  t.equal(addresses.networkOf('2001:db8:1:2::3', { ipv6: 32 }), '2001:db8::/32');
});

t.test('classes, and the world outside of them', async (t) => {
  const { addresses } = opened(t, { classes: { office: ['192.0.2.0/24'], vpn: ['192.0.2.128/25', '2001:db8::/32'] } });
  const cases: readonly (readonly [string, string | null])[] = [
    ['192.0.2.1', 'office'],
    ['192.0.2.200', 'vpn'],
    ['::ffff:192.0.2.1', 'office'],
    ['2001:db8::1', 'vpn'],
    ['203.0.113.9', 'world'],
    ['2001:db9::1', 'world'],
    ['2001:db9::/64', 'world'],
    ['example.org', null],
    ['', null],
  ];
  for (const [address, wanted] of cases) t.equal(addresses.classOf(address), wanted, address);
});

t.test('countries and autonomous systems', async (t) => {
  const folder = temporaryFolder(t);
  const [country, asn] = [join(folder, 'country.mmdb'), join(folder, 'asn.mmdb')];
  writeFileSync(country, countryDatabase());
  writeFileSync(asn, asnDatabase());
  const { addresses } = opened(t, { country, asn });
  const cases: readonly (readonly [string, string | null, string | null, string | null])[] = [
    ['192.0.2.1', 'DE', 'AS64500', 'Example Net'],
    ['::ffff:192.0.2.1', 'DE', 'AS64500', 'Example Net'],
    ['198.51.100.1', 'FR', 'AS4200000000', null],
    ['198.51.100.200', null, 'AS4200000000', null],
    ['2001:db8:1::/48', 'NL', 'AS64502', 'Example Six'],
    ['10.0.0.1', null, null, null],
    ['example.org', null, null, null],
  ];
  for (const [address, ...wanted] of cases) {
    const { countryOf, asnOf, organizationOf } = addresses;
    t.same([countryOf(address), asnOf(address), organizationOf(address)], wanted, address);
  }
  t.equal(addresses.classOf('192.0.2.1'), null);
});

t.test('a database that cannot be used: option, path, what was found and wanted', async (t) => {
  const folder = temporaryFolder(t);
  const [country, asn] = [join(folder, 'country.mmdb'), join(folder, 'asn.mmdb')];
  writeFileSync(country, countryDatabase());
  t.throws(() => opened(t, { country, asn }, true), {
    message: `addresses.asn: ${asn}: found no such file, wanted a database of numbers of autonomous systems in MaxMind format, such as GeoLite2-ASN or DBIP-ASN-Lite`,
  });
  t.throws(() => opened(t, { country: asn, asn }), { message: /^addresses\.country: .*; addresses\.asn: / }, 'both');
  t.throws(() => opened(t, { country: asn }), {
    message: new RegExp(`^addresses\\.country: ${asn}: found no such file`),
  });
});

t.test('a database that changes', async (t) => {
  const folder = temporaryFolder(t);
  const country = join(folder, 'country.mmdb');
  writeFileSync(country, countryDatabase());
  const { addresses, logged } = opened(t, { country }, true);
  const changeTo = async (bytes: Buffer) => {
    const count = logged.length;
    writeFileSync(`${country}.new`, bytes);
    renameSync(`${country}.new`, country);
    for (const end = Date.now() + 20_000; logged.length === count && Date.now() < end; ) await delay(10);
    return logged.at(-1);
  };
  t.match(await changeTo(asnDatabase()), {
    level: 'warn',
    text: 'database of addresses cannot be read',
    fields: { option: 'country', problem: /found a database of type "GeoLite2-ASN"/ },
  });
  t.equal(addresses.countryOf('203.0.113.9'), 'SE');
  t.equal(addresses.revision, 0);
  const norway = mmdb([['203.0.113.0/24', { country: { iso_code: 'NO' } }]], { type: 'GeoLite2-City' });
  t.match(await changeTo(norway), {
    level: 'info',
    text: 'database of addresses read again',
    fields: { option: 'country', path: country, type: 'GeoLite2-City' },
  });
  t.equal(addresses.countryOf('203.0.113.9'), 'NO');
  t.equal(addresses.revision, 1);
});
