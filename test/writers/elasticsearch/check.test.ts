import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { elasticsearch } from '../../../src/writers/elasticsearch/index.ts';
import { fakeBulk } from '../../support/fake-bulk.ts';
import { findingsOf } from '../../support/writers.ts';

/** A server that answers by path; 404 for others. */
async function serve(
  t: Test,
  answers: Readonly<Record<string, readonly [status: number, body: unknown]>>,
): Promise<string> {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, {}];
    const isPage = typeof body === 'string';
    response.writeHead(status, { 'content-type': isPage ? 'text/html' : 'application/json' });
    response.end(isPage ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const VERSION = { version: { number: '8.13.4' } };
const PRIVILEGES = '/_security/user/_has_privileges';

t.test('all is well, and nothing is stored', async (t) => {
  const bulk = await fakeBulk(t);
  t.match(await findingsOf(elasticsearch, { url: bulk.url }), [
    { ok: true, detail: /Elasticsearch 8\.13$/ },
    { ok: true, detail: /^index trails: / },
    { ok: true, detail: /^index template trails: it will be put/ },
  ]);
  bulk.templates.set('trails', {});
  t.match((await findingsOf(elasticsearch, { url: bulk.url }))[2], { ok: true, detail: /left as it is/ });
  t.equal((await findingsOf(elasticsearch, { url: bulk.url, template: false })).length, 2);
  t.equal(bulk.documents.size + bulk.indexes.size, 0);
  t.ok(bulk.requests.every(({ method, path }) => method === 'GET' || path === PRIVILEGES));
});

t.test('a server that does not say what it is', async (t) => {
  const bulk = await fakeBulk(t, { version: null });
  t.match(await findingsOf(elasticsearch, { url: bulk.url }), [{ ok: true, detail: /bulk requests are answered/ }]);
  const url = await serve(t, {});
  t.match(await findingsOf(elasticsearch, { url }), [{ ok: false, detail: /HTTP 404; .*does url lack a path/ }]);
});

t.test('who may not', async (t) => {
  const bulk = await fakeBulk(t, { authorization: 'ApiKey right' });
  const wrong = [{ ok: false, detail: /HTTP 401; wanted a username and password, or an api_key/ }];
  t.match(await findingsOf(elasticsearch, { url: bulk.url, api_key: 'wrong' }), wrong);
  t.match(await findingsOf(elasticsearch, { url: bulk.url, api_key: 'right' }), [
    { ok: true },
    { ok: true },
    { ok: true },
  ]);
  const refused = await serve(t, { '/': [200, VERSION], [PRIVILEGES]: [200, { has_all_requested: false }] });
  t.match((await findingsOf(elasticsearch, { url: refused }))[1], { ok: false, detail: /create_doc/ });
  const granted = { [PRIVILEGES]: [200, { has_all_requested: true }], '/_index_template/trails': [403, {}] } as const;
  t.match(await findingsOf(elasticsearch, { url: await serve(t, { '/': [403, {}], ...granted }) }), [
    { ok: true, detail: /may not see the version/ },
    { ok: true },
    { ok: false, detail: /HTTP 403; wanted .*manage_index_templates, or `template: false`/ },
  ]);
});

t.test('what is no such server', async (t) => {
  const page = await serve(t, { '/': [200, '<!doctype html>'] });
  t.match(await findingsOf(elasticsearch, { url: page }), [{ ok: false, detail: /web page/ }]);
  const ill = await serve(t, { '/': [503, {}] });
  t.match(await findingsOf(elasticsearch, { url: ill }), [{ ok: false, detail: /HTTP 503; it is there/ }]);
  t.match(await findingsOf(elasticsearch, { url: 'http://127.0.0.1:1' }), [
    { ok: false, detail: /ECONNREFUSED.*running/ },
  ]);
  t.match(await findingsOf(elasticsearch, {}), [{ ok: false, detail: /^found neither url nor \$ES_HOST/ }]);
});

t.test('capitals', async (t) => {
  const bulk = await fakeBulk(t);
  t.match((await findingsOf(elasticsearch, { url: bulk.url, index: 'Trails' }))[1], {
    ok: false,
    detail: /no capitals/,
  });
});
