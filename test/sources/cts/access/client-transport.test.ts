import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startFakeCts } from '../../../support/fake-cts.ts';
import { clientRig, ctsTrace, NOON } from '../../../support/fake-cts-client.ts';
import { certificate } from '../../../support/fake-sink.ts';
import { need } from '../../../support/services.ts';

const LAST_HOUR = { from: NOON - 3_600_001, to: NOON + 1, next: null };

t.test('an answer that does not come, or not to its end', async (t) => {
  const fake = await startFakeCts(t, { now: () => NOON });
  const rig = clientRig(t, { auth: fake.auth, timeout: '300ms' });
  const { client, signal, requests, errors } = rig;
  await client.place(signal);
  fake.fail('list_traces', { kind: 'hang' }, { kind: 'hang', inBody: true });
  t.match(await client.list(LAST_HOUR, signal), { items: [] });
  t.same(
    requests.slice(1).map(({ code }) => code),
    ['timeout', 'timeout', '200'],
  );
  t.ok((requests[1]?.seconds ?? 0) >= 0.29);
  t.match(errors, [/no answer within 0\.3 s$/, /no answer within 0\.3 s$/]);
});

t.test('the end comes at once, in a request and in a wait', async (t) => {
  const fake = await startFakeCts(t, { now: () => NOON });
  const asking = clientRig(t, { auth: fake.auth });
  fake.fail('auth_token', { kind: 'hang' });
  const asked = asking.client.list(LAST_HOUR, asking.signal);
  while (fake.count('auth_token') === 0) await sleep(1);
  asking.ending.abort();
  await t.rejects(asked, { name: 'AbortError' });
  t.same([asking.requests, asking.errors, asking.problems], [[], [], []]);
  const { delay } = { delay: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }) };
  const waiting = clientRig(t, { auth: { ...fake.auth, password: 'wrong' } }, { delay });
  const waited = waiting.client.place(waiting.signal);
  while (waiting.errors.length === 0) await sleep(1);
  waiting.ending.abort();
  await t.rejects(waited, { name: 'AbortError' });
  await t.rejects(
    waiting.client.list(LAST_HOUR, waiting.signal),
    { name: 'AbortError' },
    'and nothing begins after it',
  );
});

t.test('nobody there', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const auth = {
    username: 'u',
    password: 'geheim',
    user_domain: 'd',
    project: 'eu-de',
    url: `http://127.0.0.1:${port}/v3`,
  };
  const { client, signal, waits, requests } = clientRig(t, { auth }, { follow: false });
  await t.rejects(client.place(signal), {
    message: /^auth_token: POST http:.*\/v3\/auth\/tokens: connect ECONNREFUSED/,
  });
  t.equal(waits.length, 9);
  t.same(new Set(requests.map(({ code }) => code)), new Set(['network']));
});

t.test('a token of many kilobytes', async (t) => {
  const fake = await startFakeCts(t, { now: () => NOON, facts: { tokenLength: 60_000 } });
  const { client, signal, errors } = clientRig(t, { auth: fake.auth });
  t.match(await client.list(LAST_HOUR, signal), { items: [] });
  t.same(errors, []);
});

t.test('a body without end is given up', async (t) => {
  const chunk = Buffer.alloc(4 * 1024 * 1024, ' ');
  let bodies = 0;
  const server = createServer((request, response) => {
    if (!request.url?.includes('/traces')) return void response.end();
    bodies += 1;
    const send = () => response.destroyed || response.write(chunk, () => setImmediate(send));
    send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const auth = { token: 'T', project: 'b'.repeat(32) };
  const { client, signal, requests } = clientRig(t, { endpoint, auth });
  t.match(await client.list(LAST_HOUR, signal), { undecodable: /the body is longer than 64 MiB, in 5 answers/ });
  t.same([bodies, requests.map(({ code }) => code)], [5, new Array(5).fill('network')], 'none came whole');
});

t.test('TLS is verified, unless told otherwise', async (t) => {
  if (!need(t, 'openssl')) return;
  const { key, cert: path } = certificate(t);
  const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8') };
  const fake = await startFakeCts(t, { now: () => NOON, tls });
  fake.add(ctsTrace(1, NOON));
  const listed = async (config: object, env: NodeJS.ProcessEnv = {}) => {
    const { client, signal } = clientRig(t, { auth: fake.auth, tls: config }, { follow: false, env });
    return client.list(LAST_HOUR, signal).then(
      (page) => ('items' in page ? page.items.length : page.undecodable),
      (error: Error) => error.message,
    );
  };
  t.match(await listed({}), /self-signed certificate/);
  t.equal(await listed({ ca: path }), 1);
  t.equal(await listed({}, { OS_CACERT: path }), 1);
  t.equal(await listed({ insecure: true }), 1);
  t.match(await listed({ ca: '/nonexistent.pem' }), /^tls\.ca: cannot read \/nonexistent\.pem: ENOENT$/);
  t.match(await listed({ ca: '/etc/hostname' }), /^tls\.ca: found nothing of the kind in \/etc\/hostname, wanted PEM$/);
});
