import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import t, { type Test } from 'tap';
import { type HttpClient, type HttpOptions, httpClient } from '../../src/lib/http.ts';
import { isTimeout } from '../../src/lib/timeout.ts';
import { certificate } from '../support/fake-sink.ts';
import { need } from '../support/services.ts';

async function listen(t: Test, server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(t: Test, answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer({ maxHeaderSize: 1e6 }, answer))}`;
}

function client(t: Test, options: Partial<HttpOptions> = {}): HttpClient {
  const made = httpClient({ timeoutMs: 10_000, ...options });
  t.teardown(() => made.close());
  return made;
}

async function failure(client: HttpClient, url: string): Promise<Error> {
  return client.send({ method: 'GET', url }).then(
    () => new Error('answered'),
    (error: Error) => error,
  );
}

t.test('which failures are time-outs', async (t) => {
  const silent = await serve(t, () => undefined);
  const begun = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('x');
  });
  const cut = await serve(t, (request) => request.socket.destroy());
  const short = client(t, { timeoutMs: 50 });
  for (const url of [silent, begun]) {
    const error = await failure(short, url);
    t.match(error.message, /: no answer within 0\.05 s$/);
    t.ok(isTimeout(error));
  }
  t.notOk(isTimeout(await failure(short, cut)));
  t.ok(isTimeout(Object.assign(new Error('connect'), { code: 'ETIMEDOUT' })));
  t.notOk(isTimeout('no answer'));
});

t.test('a connection that does not come about', async (t) => {
  const sockets = new Set<{ destroy(): unknown }>();
  // It says nothing, and so no TLS comes about.
  const port = await listen(
    t,
    createTcpServer((socket) => void sockets.add(socket.on('error', () => {}))),
  );
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const error = await failure(client(t, { connectMs: 50 }), `https://127.0.0.1:${port}/`);
  t.match(error.message, /: no connection within 0\.05 s$/);
  t.ok(isTimeout(error));
  const slow = await serve(t, (_, response) => void setTimeout(() => response.end('x'), 150));
  const patient = client(t, { connectMs: 50 });
  for (let index = 0; index < 2; index++) t.match(await patient.send({ method: 'GET', url: slow }), { text: 'x' });
});

t.test('a connection is not kept for longer than told', async (t) => {
  let connections = 0;
  const server = createServer((_, response) => void response.end('x')).on('connection', () => connections++);
  const url = `http://127.0.0.1:${await listen(t, server)}`;
  const one = client(t, { idleMs: 30 });
  await one.send({ method: 'GET', url });
  while ((await connectionsOf(server)) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(await one.send({ method: 'GET', url }), { text: 'x' });
  t.equal(connections, 2);
  const busy = await serve(t, (_, response) => void setTimeout(() => response.end('late'), 120));
  t.match(await one.send({ method: 'GET', url: busy }), { text: 'late' }, 'it is not idle while it waits');
});

t.test('headers of an answer that are large', async (t) => {
  const url = await serve(t, (_, response) => void response.setHeader('x-subject-token', 'x'.repeat(100_000)).end('x'));
  t.match(await client(t, { headerLimit: 200_000 }).send({ method: 'GET', url }), { text: 'x' });
  t.match((await failure(client(t), url)).message, /HPE_HEADER_OVERFLOW/);
});

t.test('a certificate of its own, and none that is looked at', async (t) => {
  if (!need(t, 'openssl')) return;
  const files = certificate(t);
  const [key, cert] = [readFileSync(files.key, 'utf8'), readFileSync(files.cert, 'utf8')];
  const server = createTlsServer(
    { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true },
    (_, response) => {
      response.end('x');
    },
  );
  const url = `https://127.0.0.1:${await listen(t, server)}/`;
  t.match(await client(t, { ca: cert, cert, key }).send({ method: 'GET', url }), { text: 'x' });
  t.match(await client(t, { insecure: true, cert, key }).send({ method: 'GET', url }), { text: 'x' });
  t.not((await failure(client(t, { ca: cert }), url)).message, 'answered');
});

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
