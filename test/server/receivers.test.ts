import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import bcrypt from 'bcryptjs';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { PushedRequest, Receiver } from '../../src/core/receiver.ts';
import { type Server, startServer } from '../../src/server/server.ts';
import { folder } from '../support/cli.ts';
import { get } from '../support/http.ts';
import { eventually } from '../support/trailgauge.ts';

interface Rig {
  readonly server: Server;
  readonly taken: PushedRequest[];
  readonly refusals: string[];
  readonly logged: () => string;
}

/** Two receivers; `/ingest/small` takes bodies of 10 bytes. */
async function start(t: Test, receiver: Partial<Receiver> = {}, webConfig: string | null = null): Promise<Rig> {
  const taken: PushedRequest[] = [];
  const refusals: string[] = [];
  let logged = '';
  const one: Receiver = {
    path: '/ingest/one',
    maxBody: 48 * 1024 * 1024,
    methods: ['POST', 'OPTIONS'],
    admit: async ({ query }) => (query.get('token') === 'wrong' ? { status: 401, headers: { 'X-Why': 'a' } } : null),
    handle: async (request) => {
      taken.push(request);
      return { status: 202 };
    },
    refused: (why) => refusals.push(why),
    ...receiver,
  };
  const server = await startServer({
    listen: { address: '127.0.0.1', port: 0, web_config: webConfig },
    log: pino({ level: 'info' }, { write: (line: string) => void (logged += line) }),
    scrape: () => Promise.reject(new Error('nothing is shown')),
    formats: ['text'],
    status: () => {
      throw new Error('a broken page');
    },
    unready: () => null,
    receivers: [one, { ...one, path: '/ingest/small', maxBody: 10 }],
  });
  t.teardown(() => server.close());
  return { server, taken, refusals, logged: () => logged };
}

/** A connection on which anything can be sent, and all that came back on it. */
async function open(t: Test, { server }: Rig): Promise<{ socket: Socket; text: () => string; closed: () => boolean }> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => {}).on('close', () => (isClosed = true));
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, text: () => text, closed: () => isClosed };
}

t.test('a request comes as it was sent', async (t) => {
  const rig = await start(t);
  const headers = { 'Content-Type': 'utter / nonsense;;', 'X-A': 'b', 'content-encoding': 'gzip' };
  const answer = await get(`${rig.server.url}/ingest/one?a=1&token=x%20y`, {
    method: 'POST',
    headers,
    body: '\u00fc{',
  });
  t.match(answer, { status: 202, text: '', headers: { 'content-length': '0' } });
  const [request] = rig.taken;
  t.match(request, { method: 'POST', headers: { 'content-type': 'utter / nonsense;;', 'x-a': 'b' } });
  t.equal(request?.query.get('token'), 'x y');
  t.equal(request?.body.toString(), '\u00fc{');
  for (const body of ['', 'x'.repeat(1_000_000)]) {
    t.equal((await get(`${rig.server.url}/ingest/one`, { method: 'POST', body })).status, 202);
    t.equal(rig.taken.at(-1)?.body.toString(), body);
  }
});

t.test('other methods, and places that are none', async (t) => {
  const rig = await start(t);
  const ask = (method: string, path = '/ingest/one') => get(`${rig.server.url}${path}`, { method });
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
    const answer = await ask(method);
    t.match(answer, { status: 405, headers: { allow: 'POST, OPTIONS' } }, method);
    t.equal(answer.text, method === 'HEAD' ? '' : 'wanted POST\n');
  }
  t.equal(rig.taken.length, 0);
  t.equal((await ask('OPTIONS')).status, 202, 'is handled like any other');
  for (const path of ['/ingest/one/', '/ingest/One', '/ingest', '/ingest/two'])
    t.equal((await ask('POST', path)).status, 404);
});

t.test('what is refused is refused before its body is read', async (t) => {
  const rig = await start(t);
  const { socket, text } = await open(t, rig);
  socket.write('POST /ingest/one?token=wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc');
  await eventually('the answer', () => text().includes('401'));
  t.match(text(), /x-why: a/i);
  t.equal(rig.taken.length, 0);
});

t.test('a body over the limit: 413, and the connection is closed', async (t) => {
  const rig = await start(t);
  const told = await open(t, rig);
  told.socket.write('POST /ingest/small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n');
  await eventually('the answer', () => /the body has more than 10 bytes\n$/.test(told.text()));
  t.match(told.text(), /^HTTP\/1.1 413 [\s\S]*connection: close/i);
  await eventually('its end', () => told.closed());
  const untold = await open(t, rig);
  untold.socket.write('POST /ingest/small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n');
  untold.socket.write('5\r\nabcde\r\n');
  await eventually('the answer', () => untold.text().includes('413'));
  await eventually('its end', () => untold.closed());
  t.same(rig.refusals, Array(2).fill('413, the body has more than 10 bytes'));
  const exact = await get(`${rig.server.url}/ingest/small`, { method: 'POST', body: '1234567890' });
  t.equal(exact.status, 202);
  // A sender that looks for the answer when it has sent all of it.
  const large = await get(`${rig.server.url}/ingest/small`, { method: 'POST', body: 'x'.repeat(3_000_000) });
  t.match(large, { status: 413, headers: { connection: 'close' } });
});

t.test('bodies have so much memory together, and one is always taken', async (t) => {
  const rig = await start(t);
  const half = 40 * 1024 * 1024;
  const begin = async () => {
    const opened = await open(t, rig);
    opened.socket.write(`POST /ingest/one HTTP/1.1\r\nHost: x\r\nContent-Length: ${half}\r\n\r\n`);
    opened.socket.write(Buffer.alloc(half - 1));
    return opened;
  };
  const [a, b] = await Promise.all([begin(), begin()]);
  await eventually('one of them to be refused', () => rig.refusals.length > 0);
  const [refused, other] = await eventually('the answer', () =>
    a.text() !== '' ? [a, b] : b.text() !== '' ? [b, a] : null,
  );
  t.match(refused.text(), /^HTTP\/1.1 503 [\s\S]*retry-after: 5/i);
  await eventually('its end', () => refused.closed());
  other.socket.write('x');
  await eventually('the other one', () => other.text().includes('202'));
  t.equal(rig.taken[0]?.body.length, half);
  // What it held is free again.
  t.equal((await get(`${rig.server.url}/ingest/one`, { method: 'POST', body: 'x' })).status, 202);
});

t.test('a sender that goes away leaves nothing behind', async (t) => {
  const rig = await start(t);
  const { socket } = await open(t, rig);
  socket.write('POST /ingest/one HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc');
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  t.equal((await get(`${rig.server.url}/ingest/one`, { method: 'POST', body: 'x' })).status, 202);
  t.same(
    rig.taken.map(({ body }) => body.toString()),
    ['x'],
  );
});

t.test('a failure is ours, and no token is logged', async (t) => {
  const rig = await start(t, { handle: () => Promise.reject(new Error('a broken receiver')) });
  const answer = await get(`${rig.server.url}/ingest/one?token=hunter2`, { method: 'POST', body: 'x' });
  t.equal(answer.status, 500);
  t.match(rig.logged(), '"url":"/ingest/one"');
  t.match(rig.logged(), 'a broken receiver');
  t.equal((await get(`${rig.server.url}/?token=hunter2`)).status, 500);
  t.notMatch(rig.logged(), 'hunter2');
});

t.test('users of the web configuration are for all but receivers, its headers for those as well', async (t) => {
  const file = join(folder(t), 'web.yml');
  const hash = bcrypt.hashSync('secret', 4);
  writeFileSync(
    file,
    `basic_auth_users: { eve: '${hash}' }\nhttp_server_config: { headers: { X-Frame-Options: deny } }\n`,
  );
  const rig = await start(t, {}, file);
  const ask = (path: string, method = 'POST') =>
    get(`${rig.server.url}${path}`, { method, ...(method === 'POST' && { body: 'x'.repeat(11) }) });
  t.equal((await ask('/-/healthy', 'GET')).status, 401);
  t.equal((await ask('/ingest/two')).status, 401);
  t.match(await ask('/ingest/one'), { status: 202, headers: { 'x-frame-options': 'deny' } });
  t.match(await ask('/ingest/small'), { status: 413, headers: { 'x-frame-options': 'deny' } });
  t.equal((await ask('/ingest/one', 'GET')).status, 405);
});

t.test('at the end what was taken is answered, and all else sent away', async (t) => {
  let finish: (() => void) | null = null;
  const rig = await start(t, {
    handle: () => new Promise((resolve) => (finish = () => resolve({ status: 202 }))),
  });
  const first = get(`${rig.server.url}/ingest/one`, { method: 'POST', body: 'x' });
  const end = await eventually('it to be taken', () => finish as (() => void) | null);
  const closing = rig.server.close();
  const late = await get(`${rig.server.url}/ingest/one`, { method: 'POST', body: 'x' });
  t.match(late, { status: 503, headers: { 'retry-after': '5', connection: 'close' } });
  end();
  t.equal((await first).status, 202);
  await closing;
});
