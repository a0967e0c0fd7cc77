import fc from 'fast-check';
import t from 'tap';
import { type Network, parseNetwork } from '../../src/lib/address.ts';
import { type Mmdb, parseMmdb } from '../../src/lib/mmdb.ts';
import { asnDatabase, countryDatabase, mmdb } from '../support/mmdb.ts';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(`no network: ${text}`);
  return parsed;
}

function look(database: Mmdb, text: string): unknown {
  return database.lookup(network(text));
}

t.test('records in trees of each kind', async (t) => {
  for (const ipVersion of [4, 6] as const) {
    for (const recordSize of [24, 28, 32] as const) {
      const database = parseMmdb(countryDatabase({ ipVersion, recordSize }));
      t.equal(database.type, 'GeoLite2-Country');
      t.match(look(database, '203.0.113.9'), { country: { iso_code: 'SE', names: { de: 'Sweden' } } });
      t.match(look(database, '::ffff:203.0.113.9'), { country: { iso_code: 'SE' } });
      t.match(look(database, '192.0.2.0/24'), { country: { iso_code: 'DE' } });
      t.equal(look(database, '203.0.114.1'), null);
      t.equal(look(database, '198.51.100.0/24'), null, 'two countries are none');
      const six = look(database, '2001:db8::1');
      if (ipVersion === 4) t.equal(six, null);
      else t.match(six, { country: { iso_code: 'NL' } });
      t.equal(look(database, 'cb00:7109::'), null, 'begins like 203.0.113.9');
      t.equal([...database.some()].length, ipVersion === 4 ? 4 : 5);
    }
  }
});

t.test('a network in another one', async (t) => {
  const database = parseMmdb(
    mmdb(
      [
        ['203.0.113.0/24', { a: 'large' }],
        ['203.0.113.9/32', { a: 'small' }],
        ['::ffff:198.51.100.0/120', { a: [true, false, 1, 'x'.repeat(200)] }],
        ['2001:db8::/32', 'no map'],
      ],
      { type: 'test' },
    ),
  );
  t.same(look(database, '203.0.113.9'), { a: 'small' });
  t.same(look(database, '203.0.113.8'), { a: 'large' });
  t.same(look(database, '198.51.100.1'), { a: [true, false, 1, 'x'.repeat(200)] });
  t.equal(look(database, '2001:db8::'), null);
});

t.test('what is no database', async (t) => {
  const wish = 'wanted a whole database in MaxMind format (.mmdb)';
  const whole = asnDatabase();
  const marker = whole.lastIndexOf('MaxMind.com') - 3;
  const none = `found no metadata of MaxMind at the end of the file, ${wish}`;
  const unfit = `found metadata that do not fit the file, ${wish}`;
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['empty', Buffer.alloc(0), none],
    ['text', Buffer.from('<html>Not found</html>'), none],
    ['first half', whole.subarray(0, whole.length / 2), none],
    ['metadata too far from the end', Buffer.concat([whole, Buffer.alloc(128 * 1024)]), none],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), `found a file packed with gzip, ${wish}`],
    ['only the marker', whole.subarray(marker, marker + 14), `found metadata that cannot be read, ${wish}`],
    ['cut metadata', whole.subarray(0, -80), `found metadata that cannot be read, ${wish}`],
    ['second half', whole.subarray(whole.length / 2), unfit],
    ['no nodes', asnDatabase({ metadata: { node_count: 0 } }), unfit],
    ['nodes beyond the end', asnDatabase({ metadata: { node_count: 100_000 } }), unfit],
    ['nodes by name', asnDatabase({ metadata: { node_count: 'many' } }), unfit],
    ['IPv5', asnDatabase({ metadata: { ip_version: 5 } }), unfit],
    ['odd records', asnDatabase({ metadata: { record_size: 20 } }), `found metadata that cannot be read, ${wish}`],
    [
      'a later format',
      asnDatabase({ metadata: { binary_format_major_version: 3 } }),
      'found version 3 of the format, wanted version 2',
    ],
  ];
  for (const [name, bytes, message] of cases) t.throws(() => parseMmdb(bytes), { message }, name);
});

t.test('no damage makes it hang, or fail in another way than by an error', async () => {
  const whole = countryDatabase();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
      const bytes = Buffer.from(whole);
      for (const [offset, byte] of changes) bytes[offset] = byte;
      try {
        const database = parseMmdb(bytes);
        look(database, '203.0.113.9');
        look(database, '2001:db8::1');
        return [...database.some()].length <= 1000;
      } catch (error) {
        return error instanceof Error;
      }
    }),
    { numRuns: 300 },
  );
});
