import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { readSamples } from '../support/exposition.ts';
import { asnDatabase, countryDatabase } from '../support/mmdb.ts';
import { fixture } from '../support/paths.ts';

const CLASSES = { office: ['192.0.2.0/24', '2001:db8::/32'], vpn: ['192.0.2.128/25'] };
/** 600 addresses, of which the classes know 300. */
const ADDRESSES = [
  ...Array.from({ length: 250 }, (_, i) => `192.0.2.${i}`),
  ...Array.from({ length: 50 }, (_, i) => `2001:db8:${i}::1`),
  ...Array.from({ length: 300 }, (_, i) => `203.0.${i >> 6}.${i & 63}`),
];
const LOG = ADDRESSES.map((address) => `INFO ssh.failedlogin: match ["${address}"]\n`).join('');
const FILTER = 'stream="ssh",filter="failedlogin"';

interface Section {
  readonly addresses?: Readonly<Record<string, unknown>>;
  /** What becomes of the pattern `ip`. */
  readonly ip: string;
}

/** A configuration over a log with the addresses. */
function config(place: string, { addresses = {}, ip }: Section): string {
  const reaction = {
    config: '/nowhere',
    command: fixture('reaction/reaction'),
    logs: { file: file(place, 'r.log', LOG) },
    transform: { all: { ip } },
  };
  const state = { directory: join(place, 'state') };
  return file(place, 'c.json', JSON.stringify({ listen: { port: 0 }, state, addresses, sources: { reaction } }));
}

/** Series of the filter, with what their labels tell beyond it. */
async function matches(path: string): Promise<Readonly<Record<string, number>>> {
  const { code, stdout, stderr } = await cli(['-c', path, 'once']);
  if (code !== 0 || !isForPeople(stderr)) throw new Error(`found exit code ${code}: ${stderr}`);
  const found = Object.entries(readSamples(stdout)).filter(
    ([series, value]) => series.includes(FILTER) && value > 0 && /^reaction_(?:match|pattern)/.test(series),
  );
  const short = (series: string) =>
    series
      .replace('reaction_', '')
      .replace(FILTER, '')
      .replace(',pattern="ip"', '')
      .replace(/\{,?(.*)\}/, ' $1');
  return Object.fromEntries(found.map(([series, value]) => [short(series).trimEnd(), value]));
}

t.test('classes make few labels of many addresses', async (t) => {
  const path = config(folder(t), { addresses: { classes: CLASSES }, ip: '{{class ip}}' });
  t.same(await matches(path), {
    matches_total: 600,
    'match_count ip="world"': 300,
    'match_count ip="office"': 178,
    'match_count ip="vpn"': 122,
    'pattern_top value="world"': 300,
    'pattern_top value="office"': 178,
    'pattern_top value="vpn"': 122,
    pattern_distinct: 3,
  });
});

t.test('networks of the configured length', async (t) => {
  const addresses = { prefix: { ipv4: 16, ipv6: 32 } };
  t.same(await matches(config(folder(t), { addresses, ip: '{{network ip}}' })), {
    matches_total: 600,
    'match_count ip="192.0.0.0/16"': 250,
    'match_count ip="2001:db8::/32"': 50,
    'match_count ip="203.0.0.0/16"': 300,
    'pattern_top value="203.0.0.0/16"': 300,
    'pattern_top value="192.0.0.0/16"': 250,
    'pattern_top value="2001:db8::/32"': 50,
    pattern_distinct: 3,
  });
});

t.test('what is not configured gives no label', async (t) => {
  const nothing = { matches_total: 600, match_count: 600 };
  const templates = ['country', 'asn', 'organization', 'class'].map((name) => `{{${name} ip}}`);
  const found = await Promise.all(templates.map((ip) => matches(config(folder(t), { ip }))));
  for (const [index, template] of templates.entries()) t.same(found[index], nothing, template);
});

t.test('countries and autonomous systems, of databases', async (t) => {
  const place = folder(t);
  const [country, asn] = [join(place, 'country.mmdb'), join(place, 'asn.mmdb')];
  writeFileSync(country, countryDatabase());
  writeFileSync(asn, asnDatabase());
  t.same(await matches(config(place, { addresses: { country, asn }, ip: '{{country ip}} {{asn ip}}' })), {
    matches_total: 600,
    'match_count ip="DE AS64500"': 250,
    'match_count ip="NL AS64502"': 50,
    'match_count ip=" "': 300,
    'pattern_top value=" "': 300,
    'pattern_top value="DE AS64500"': 250,
    'pattern_top value="NL AS64502"': 50,
    pattern_distinct: 3,
  });
});

t.test('explain uses them too', async (t) => {
  const place = folder(t);
  const country = join(place, 'country.mmdb');
  writeFileSync(country, countryDatabase());
  const path = config(place, { addresses: { classes: CLASSES, country }, ip: '{{class ip}} {{country ip}}' });
  const { code, stdout, stderr } = await cli(['-c', path, '-f', 'json', 'explain', 'reaction'], {
    stdin: 'INFO ssh.failedlogin: match ["192.0.2.1"]\nINFO ssh.failedlogin: match ["2001:db8:1::/64"]\n',
  });
  t.equal(code, 0, stderr);
  const labels = [...stdout.matchAll(/reaction_match_count\{[^}]*ip=\\"([^\\]*)/g)].map(([, label]) => label);
  t.same(labels, ['office DE', 'office NL']);
});

t.test('a database that cannot be used ends the program before it does anything', async (t) => {
  const place = folder(t);
  const none = join(place, 'none.mmdb');
  const other = join(place, 'asn.mmdb');
  writeFileSync(other, asnDatabase());
  const broken = file(place, 'broken.mmdb', 'This is no database.\n'.repeat(100));
  const cases: readonly (readonly [addresses: Section['addresses'], reason: RegExp])[] = [
    [{ country: none }, /addresses\.country: \S+none\.mmdb: found no such file, wanted a database of /],
    [{ country: other }, /addresses\.country: \S+asn\.mmdb: found a database of type "GeoLite2-ASN", wanted /],
    [{ asn: broken }, /addresses\.asn: \S+broken\.mmdb: found .*, wanted /],
    [{ country: place }, /addresses\.country: \S+: found .*, wanted /],
  ];
  for (const [index, [addresses = {}, reason]] of cases.entries()) {
    const path = config(place, { addresses, ip: '{{country ip}}' });
    const commands = index === 0 ? [['once'], ['start'], ['explain', 'reaction']] : [['once']];
    const ran = await Promise.all(commands.map((command) => cli(['-c', path, ...command])));
    for (const [place, command] of commands.entries()) {
      const { code, stdout, stderr } = ran[place]!;
      const text = `${command.join(' ')} with ${JSON.stringify(addresses)}`;
      t.equal(code, 1, text);
      t.equal(stdout, '', text);
      t.match(stderr.replaceAll('\\"', '"'), reason, text);
      t.ok(isForPeople(stderr), stderr);
    }
  }
});

t.test('doctor tries databases too', async (t) => {
  const place = folder(t);
  const country = join(place, 'country.mmdb');
  writeFileSync(country, countryDatabase());
  const asn = join(place, 'none.mmdb');
  const doctor = (addresses: Section['addresses'] & object) =>
    cli(['-c', config(place, { addresses, ip: '{{country ip}}' }), 'doctor']);
  const fine = await doctor({ country });
  t.match(fine.stdout, `ok   addresses: ${country} can be used\n`);
  const wrong = await doctor({ country, asn });
  t.equal(wrong.code, 1);
  t.match(wrong.stdout, `FAIL addresses: addresses.asn: ${asn}: found no such file, wanted `);
  t.notMatch((await doctor({ classes: CLASSES })).stdout, ' addresses: ');
});

t.test('networks that are none, or in two classes', async (t) => {
  const addresses = { classes: { a: ['192.0.2.0/24', '192.0.2.1/24'], b: ['192.0.2.0/24', 7], c: 'x' } };
  const path = config(folder(t), { addresses, ip: '{{class ip}}' });
  const { code, stdout, stderr } = await cli(['-c', path, 'once']);
  t.equal(code, 2);
  t.equal(stdout, '');
  for (const place of ['a[1]', 'b[0]', 'b[1]', 'c']) t.match(stderr, `addresses.classes.${place}: `);
  t.ok(isForPeople(stderr), stderr);
});
