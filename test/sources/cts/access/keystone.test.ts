import { readFileSync } from 'node:fs';
import t from 'tap';
import { baseOf, catalogOf, traceEndpoint } from '../../../../src/sources/cts/access/catalog.ts';
import { grantedBy, projectNamed, tokenRequest } from '../../../../src/sources/cts/access/keystone.ts';
import { fixture } from '../../../support/paths.ts';

interface Exchange {
  readonly request: { readonly body: unknown };
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly body: unknown };
  readonly expect: Readonly<Record<string, string>>;
}

function exchange(name: string): Exchange {
  return JSON.parse(readFileSync(fixture(`cts/keystone/${name}.json`), 'utf8')) as Exchange;
}

function granted({ response: { headers, body } }: Exchange, now = 0) {
  const found = grantedBy({ headers, text: JSON.stringify(body) }, now);
  if (typeof found === 'string') throw new Error(found);
  return found;
}

t.test('a token is asked for', async (t) => {
  const password = 'not-a-real-one';
  const user = { name: 'mara.winter', domain: { name: 'OTC00000000001000009999' } };
  const method = { kind: 'password', user, password } as const;
  const { request } = exchange('token');
  t.same(JSON.parse(tokenRequest(method, { id: null, name: 'eu-de_winery' })), request.body);
  t.match(JSON.parse(tokenRequest({ ...method, user: { id: 'u' } }, { id: 'p', name: 'x' })), {
    auth: { identity: { password: { user: { id: 'u', password } } }, scope: { project: { id: 'p', name: undefined } } },
  });
});

t.test('a token is given', async (t) => {
  const { expect, ...answer } = exchange('token');
  const { token, renewAt, project, catalog, expiresAt } = granted({ ...answer, expect });
  t.equal(token, 'INVENTED-TOKEN');
  t.equal(renewAt, Date.parse(expect.renew_at ?? ''));
  t.equal(expiresAt, Date.parse('2026-01-02T12:00:00Z'));
  t.same(project, { id: expect.project_id, name: 'eu-de_winery', domainId: expect.domain_id });
  const { url } = traceEndpoint(catalog, { interface: 'public', region: 'eu-de' });
  t.equal(baseOf(url), expect.cts_base);
  t.throws(() => traceEndpoint(granted(exchange('token-no-cts')).catalog, { interface: 'public', region: 'eu-de' }), {
    message: /type cts, interface public, region eu-de, none at all; check the region, or set sources\.cts\.endpoint/,
  });
});

t.test('answers that are no tokens', async (t) => {
  const headers = { 'x-subject-token': 'T' };
  t.match(grantedBy({ headers: {}, text: '{"token":{}}' }, 0), /no header X-Subject-Token/);
  t.match(grantedBy({ headers: { 'x-subject-token': 'a b' }, text: '{"token":{}}' }, 0), /no header X-Subject-Token/);
  for (const text of ['', '[]', '{}', '{"token":1}']) t.match(grantedBy({ headers, text }, 0), /a body without token/);
  const never = Number.POSITIVE_INFINITY;
  t.match(grantedBy({ headers, text: '{"token":{}}' }, 5), {
    renewAt: never,
    expiresAt: null,
    project: null,
    catalog: [],
  });
  const ends =
    '{"token":{"expires_at":"1970-01-01T00:00:10Z","catalog":[1,{"endpoints":{}},{"endpoints":[{"url":1}]}]}}';
  t.match(grantedBy({ headers, text: ends }, 5_000), { renewAt: 9_000, expiresAt: 10_000 });
});

t.test('a project by its exact name', async (t) => {
  const { response, expect } = exchange('projects');
  const text = JSON.stringify(response.body);
  t.match(projectNamed('eu-de_winery', text), { id: expect.project_id, domainId: expect.domain_id });
  t.equal(projectNamed('eu-de', text), null);
  t.equal(projectNamed('x', '{"projects":[null,1,{"name":"x"}]}'), null);
  for (const wrong of ['', '[]', '{}', '{"projects":{}}']) t.match(projectNamed('x', wrong), /without a list/);
});

t.test('the service in the catalog', async (t) => {
  const catalog = catalogOf(JSON.stringify(exchange('catalog').response.body)) ?? [];
  const base = (region: string | null, kind = 'public') =>
    baseOf(traceEndpoint(catalog, { interface: kind, region }).url);
  t.equal(base('eu-nl'), 'https://cts.eu-nl.example.test');
  t.equal(base('eu-de'), 'https://cts.eu-de.example.test');
  t.equal(base('eu-de', 'internal'), 'https://cts-internal.example.test');
  t.equal(base(null, 'internal'), 'https://cts-internal.example.test', 'the only one');
  t.throws(() => base('eu-ch2'), { message: /region eu-ch2, only those of eu-nl, eu-de; check/ });
  t.throws(() => base(null), { message: /region any, only those of eu-nl, eu-de/ });
  const any = { type: 'cts', interface: 'public', region: '*', url: 'https://any.test' };
  const own = { ...any, region: 'r', url: 'https://own.test' };
  t.equal(traceEndpoint([any, own], { interface: 'public', region: 'r' }), own);
  t.equal(traceEndpoint([any], { interface: 'public', region: 'r' }), any);
  t.throws(() => traceEndpoint([{ ...any, url: 'ftp://x' }], { interface: 'public', region: 'r' }));
  t.equal(catalogOf('{}'), null);
});

t.test('an address without version and project', async (t) => {
  const cases = [
    ['https://cts.test', 'https://cts.test'],
    ['https://cts.test:443/', 'https://cts.test'],
    ['https://cts.test:8443//', 'https://cts.test:8443'],
    ['https://cts.test/v1.0/abc', 'https://cts.test'],
    ['https://cts.test/v2.0/abc/', 'https://cts.test'],
    ['https://cts.test/v3', 'https://cts.test'],
    ['https://v1.0.v3.test/v3/abc', 'https://v1.0.v3.test'],
    ['https://cts.test/proxy/v3/x/y', 'https://cts.test/proxy/v3/x/y'],
    ['http://h/a/v1.0/b', 'http://h/a'],
  ] as const;
  for (const [address, base] of cases) t.equal(baseOf(address), base, address);
});
