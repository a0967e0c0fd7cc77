import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { AUTONOMOUS_SYSTEM, COUNTRY, type GeoKind, type GeoOptions, openGeo } from '../../src/lib/geo.ts';
import { temporaryFolder } from '../support/journal.ts';
import { asnDatabase, countryDatabase, mmdb } from '../support/mmdb.ts';

/** A file with a database, opened for its countries. */
function opened<T = string>(t: Test, bytes: Buffer, more: Partial<GeoOptions> & { readonly kind?: GeoKind<T> } = {}) {
  const { kind = COUNTRY as unknown as GeoKind<T>, ...options } = more;
  const folder = temporaryFolder(t);
  const path = join(folder, 'geo.mmdb');
  writeFileSync(path, bytes);
  const problems: string[] = [];
  const onProblem = ({ message }: Error) => problems.push(message.replace(folder, ''));
  const geo = openGeo(path, kind, { follow: false, onProblem, settleMs: 50, lookMs: 60_000, ...options });
  t.teardown(() => geo.close());
  return { folder, path, geo, problems };
}

/** Replaces a file as a careful program does. */
function replace(path: string, bytes: Buffer): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

/** A database that has one country for all addresses of documentation. */
function onlyCountry(code: string): Buffer {
  return mmdb([['203.0.113.0/24', { country: { iso_code: code } }]], { type: 'GeoLite2-Country' });
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); await delay(10)) {
    if (Date.now() > end) throw new Error(`still not: ${condition}`);
  }
}

t.test('countries', async (t) => {
  const { geo } = opened(t, countryDatabase());
  const cases: readonly (readonly [string, string | null])[] = [
    ['203.0.113.9', 'SE'],
    ['::ffff:203.0.113.9', 'SE'],
    ['192.0.2.0/24', 'DE'],
    ['192.0.2.0/23', null],
    ['198.51.100.1', 'FR'],
    ['198.51.100.200', null],
    ['2001:db8::1', 'NL'],
    ['2001:db8:1:2::/64', 'NL'],
    ['2001:db9::1', null],
    [`2001:db8::1%${'x'.repeat(100)}`, 'NL'],
    ['10.0.0.1', null],
    ['example.org', null],
    ['', null],
  ];
  for (const round of [1, 2]) for (const [text, wanted] of cases) t.equal(geo.lookup(text), wanted, `${text} ${round}`);
  for (let n = 0; n < 12_000; n++) geo.lookup(`203.0.${n >> 8}.${n & 255}`);
  t.equal(geo.lookup('203.0.113.9'), 'SE', 'after more than are remembered');
});

t.test('autonomous systems', async (t) => {
  const { geo } = opened(t, asnDatabase(), { kind: AUTONOMOUS_SYSTEM });
  t.same(geo.lookup('192.0.2.1'), { number: 'AS64500', organization: 'Example Net' });
  t.same(geo.lookup('198.51.100.1'), { number: 'AS4200000000', organization: null });
  t.same(geo.lookup('203.0.113.1'), { number: 'AS64501', organization: 'Exämple "Two"' });
  t.same(geo.lookup('2001:db8::'), { number: 'AS64502', organization: 'Example Six' });
  t.equal(geo.lookup('10.0.0.1'), null);
});

t.test('records of several publishers', async (t) => {
  const countries: readonly (readonly [object, string | null])[] = [
    [{ country: { iso_code: 'DE' } }, 'DE'],
    [{ country: 'DE' }, 'DE'],
    [{ country: 'Germany', country_code: 'DE' }, 'DE'],
    [{ country_code: 'de' }, null],
    [{ country: { iso_code: 1 } }, null],
    [{ registered_country: { iso_code: 'DE' } }, null],
    [{}, null],
  ];
  for (const [record, wanted] of countries) t.equal(COUNTRY.read({ ...record }), wanted, JSON.stringify(record));
  const systems: readonly (readonly [object, object | null])[] = [
    [
      { asn: 'AS64500', as_name: 'Example' },
      { number: 'AS64500', organization: 'Example' },
    ],
    [
      { asn: 64500, as_name: '' },
      { number: 'AS64500', organization: null },
    ],
    [{ traits: { autonomous_system_number: 64500 } }, { number: 'AS64500', organization: null }],
    [{ asn: 0 }, null],
    [{ asn: 'none' }, null],
    [{}, null],
  ];
  for (const [record, wanted] of systems) t.same(AUTONOMOUS_SYSTEM.read({ ...record }), wanted, JSON.stringify(record));
});

t.test('files that cannot be used', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'x.mmdb');
  const message = (kind: GeoKind<unknown>, bytes?: Buffer) => {
    if (bytes) writeFileSync(path, bytes);
    try {
      openGeo(path, kind, { follow: false, onProblem: () => {} });
    } catch (error) {
      return error instanceof Error ? error.message.replace(folder, '') : error;
    }
    return null;
  };
  const countries =
    'wanted a database of countries in MaxMind format, such as GeoLite2-Country, GeoLite2-City or DBIP-Country-Lite';
  t.equal(message(COUNTRY), `/x.mmdb: found no such file, ${countries}`);
  t.equal(
    message(COUNTRY, Buffer.from('GeoIP')),
    '/x.mmdb: found no metadata of MaxMind at the end of the file, wanted a whole database in MaxMind format (.mmdb)',
  );
  t.equal(message(COUNTRY, asnDatabase()), `/x.mmdb: found a database of type "GeoLite2-ASN", ${countries}`);
  t.equal(
    message(AUTONOMOUS_SYSTEM, countryDatabase()),
    '/x.mmdb: found a database of type "GeoLite2-Country", wanted a database of numbers of autonomous systems in MaxMind format, such as GeoLite2-ASN or DBIP-ASN-Lite',
  );
  t.equal(message(COUNTRY, countryDatabase()), null);
  rmSync(path);
  mkdirSync(path);
  t.equal(message(COUNTRY), `/x.mmdb: found a directory, ${countries}`);
});

t.test('a damaged record is told once and gives nothing', async (t) => {
  const bytes = countryDatabase();
  // The last country of the data section: its code is no text any more.
  bytes.fill(0, bytes.indexOf('NL') - 1, bytes.indexOf('NL') + 2);
  const { geo, problems } = opened(t, bytes);
  t.equal(geo.lookup('2001:db8::1'), null);
  t.equal(geo.lookup('2001:db8::2'), null);
  t.equal(geo.lookup('203.0.113.9'), 'SE');
  t.equal(problems.length, 1);
  t.match(problems[0], /^\/geo\.mmdb: found damage, wanted a database of countries/);
});

t.test('a replaced file is read again', async (t) => {
  const read: string[] = [];
  const { path, geo, problems } = opened(t, onlyCountry('SE'), { follow: true, onRead: (type) => read.push(type) });
  t.equal(geo.lookup('203.0.113.9'), 'SE');
  t.equal(geo.revision, 0);
  for (const [index, code] of ['NO', 'FI', 'DK'].entries()) {
    replace(path, onlyCountry(code));
    await until(() => geo.lookup('203.0.113.9') === code);
    t.equal(geo.revision, index + 1);
  }
  writeFileSync(path, onlyCountry('IS'));
  await until(() => geo.lookup('203.0.113.9') === 'IS');
  t.same(problems, []);
  t.same([...new Set(read)], ['GeoLite2-Country']);
});

t.test('a file that is half written, gone or another keeps the old one, and is told once', async (t) => {
  const { path, geo, problems } = opened(t, onlyCountry('SE'), { follow: true, lookMs: 20 });
  const next = onlyCountry('NO');
  writeFileSync(path, next.subarray(0, next.length / 2));
  await until(() => problems.length === 1);
  t.match(problems[0], /^\/geo\.mmdb: found no metadata of MaxMind at the end of the file, wanted a whole database/);
  writeFileSync(path, next.subarray(0, next.length / 2 + 10));
  rmSync(path);
  await until(() => problems.length === 2);
  t.match(problems[1], /^\/geo\.mmdb: found no such file, wanted/);
  replace(path, asnDatabase());
  await until(() => problems.length === 3);
  t.match(problems[2], /^\/geo\.mmdb: found a database of type "GeoLite2-ASN", wanted a database of countries/);
  t.equal(geo.lookup('203.0.113.9'), 'SE');
  t.equal(geo.lookup('203.0.113.10'), 'SE', 'even what was not asked before');
  t.equal(geo.revision, 0);
  replace(path, next);
  await until(() => geo.lookup('203.0.113.9') === 'NO');
  t.equal(problems.length, 3);
});

t.test('a symbolic link on the way to the file', async (t) => {
  const folder = temporaryFolder(t);
  for (const code of ['SE', 'NO']) {
    mkdirSync(join(folder, code));
    writeFileSync(join(folder, code, 'geo.mmdb'), onlyCountry(code));
  }
  symlinkSync('SE', join(folder, 'now'));
  const onProblem = (problem: Error) => t.fail(problem.message);
  const path = join(folder, 'now', 'geo.mmdb');
  const geo = openGeo(path, COUNTRY, { follow: true, onProblem, settleMs: 20, lookMs: 20 });
  t.teardown(() => geo.close());
  t.equal(geo.lookup('203.0.113.9'), 'SE');
  symlinkSync('NO', join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'now'));
  await until(() => geo.lookup('203.0.113.9') === 'NO');
});

t.test('it can be closed, and does not keep the process alive', async (t) => {
  const { path, geo } = opened(t, onlyCountry('SE'), { follow: true, settleMs: 1, lookMs: 1 });
  await geo.close();
  await geo.close();
  replace(path, onlyCountry('NO'));
  await delay(20);
  t.equal(geo.lookup('203.0.113.9'), 'SE');
  const module = JSON.stringify(new URL('../../src/lib/geo.js', import.meta.url).href);
  const script = `import { COUNTRY, openGeo } from ${module};
    openGeo(${JSON.stringify(path)}, COUNTRY, { follow: true, onProblem: () => {} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit', timeout: 20_000 });
  t.same(await once(child, 'exit'), [0, null]);
});
