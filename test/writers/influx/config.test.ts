import t from 'tap';
import { influx } from '../../../src/writers/influx/index.ts';
import { configOf, findingsOf } from '../../support/writers.ts';

const URL = 'http://localhost:8086';

t.test('sections as they are meant', async (t) => {
  for (const section of [
    { url: URL, org: 'o', bucket: 'b', token: { env: 'TOKEN' } },
    { url: 'https://vm.example.org/insert/0/influx?extra_label=a=b', bucket: 'any' },
    { url: URL, database: 'd', username: 'kim', password: { file: '/x' } },
    { url: URL, database: 'd', token: 't' },
    { url: URL, bucket: 'b', points: 'gateway', strings: 'true', ca: '/ca.pem', batch: 50, sources: ['cts'] },
  ]) {
    t.match(configOf(influx, section), { url: section.url });
  }
});

t.test('mistakes', async (t) => {
  const bucket = { url: URL, bucket: 'b' };
  const cases: readonly (readonly [section: object, message: string | RegExp])[] = [
    [{ ...bucket, database: 'd' }, /^database: found both database and bucket, wanted one of them/],
    [{ url: URL }, 'bucket: found neither bucket nor database, wanted one of them'],
    [{ bucket: 'b' }, `url: found no url, wanted an address such as ${URL}`],
    [
      { ...bucket, token: 't', username: 'k', password: 'p' },
      'username: found both token and username, wanted one of them',
    ],
    [{ ...bucket, username: 'k' }, 'password: found username without password, wanted both'],
    [{ ...bucket, password: 'p' }, 'username: found password without username, wanted both'],
    [{ url: URL, database: 'd', org: 'o' }, 'org: found org beside database, wanted it beside bucket alone'],
    [{ ...bucket, url: 'localhost:8086' }, `url: wanted an address such as ${URL}`],
    [{ ...bucket, url: 'ftp://x' }, `url: wanted an address such as ${URL}`],
    [{ ...bucket, url: 7 }, `url: wanted an address such as ${URL}`],
    [{ ...bucket, url: 'http://kim:x@h' }, /^url: found user or password in the address/],
    [{ ...bucket, url: 'http://kim:x@h y' }, /^url: found an address that cannot be read/],
    [{ ...bucket, url: `${URL}/api/v2/write` }, 'url: found the end point /write, wanted the address before it'],
    [{ ...bucket, points: 'x' }, 'points: wanted one of event, gateway'],
  ];
  for (const [section, message] of cases) {
    t.throws(() => configOf(influx, section), { message }, JSON.stringify(section));
  }
});

t.test('a section that says nothing', async (t) => {
  const message = /^url: found no url, .*; bucket: found neither bucket nor database/;
  t.throws(() => configOf(influx, {}), { message });
});

t.test('files that cannot be read', async (t) => {
  const section = { url: URL, bucket: 'b' };
  const missing = { file: '/nowhere/token' };
  t.match(await findingsOf(influx, { ...section, token: missing }), [{ ok: false, detail: /cannot read \/nowhere/ }]);
  t.match(await findingsOf(influx, { ...section, ca: '/nowhere/ca' }), [{ ok: false, detail: /ca: cannot read/ }]);
  t.match(await findingsOf(influx, { ...section, ca: '/dev/null' }), [{ ok: false, detail: /found no certificate/ }]);
});
