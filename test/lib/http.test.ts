import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { type HttpClient, type HttpOptions, httpClient, retryAfterMs, shownUrl } from '../../src/lib/http.ts';
import { need, program } from '../support/services.ts';

async function portOf(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The address of a server that answers so. */
async function serve(t: Test, answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await portOf(t, createServer(answer))}`;
}

function client(t: Test, options: Partial<HttpOptions> = {}): HttpClient {
  const made = httpClient({ timeoutMs: 10_000, ...options });
  t.teardown(() => made.close());
  return made;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const { method, url, headers } = request;
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : body.toString();
  response.end(JSON.stringify({ method, url, headers, sent: body.length, text }));
}

interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sent: number;
  readonly text: string;
}

t.test('a body arrives as it is, a long one compressed', async (t) => {
  const url = await serve(t, echo);
  for (const [length, isPacked] of [
    [0, false],
    [1_024, false],
    [1_025, true],
    [3_000_000, true],
  ] as const) {
    const body = 'x'.repeat(length);
    const { status, text, truncated } = await client(t, { answerLimit: 1e7 }).send({
      method: 'POST',
      url: `${url}/write?db=a`,
      headers: { authorization: 'Token t' },
      body,
    });
    const echoed = JSON.parse(text) as Echoed;
    t.match({ status, truncated }, { status: 200, truncated: false });
    t.match(echoed, { method: 'POST', url: '/write?db=a', headers: { authorization: 'Token t' } });
    t.equal(echoed.headers['content-encoding'] === 'gzip', isPacked, `${length} bytes`);
    t.ok(echoed.text === body && (!isPacked || echoed.sent < length));
  }
});

t.test('one connection for many requests', async (t) => {
  const ports = new Set<number | undefined>();
  const url = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.end('x');
  });
  const one = client(t);
  for (let index = 0; index < 5; index++) await one.send({ method: 'GET', url });
  t.equal(ports.size, 1);
});

t.test('no more of an answer than is wanted, even if it never ends', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/whole') return response.end('x'.repeat(1_000));
    const send = () => response.destroyed || response.write('x'.repeat(10_000), () => setImmediate(send));
    send();
    return;
  });
  const one = client(t, { answerLimit: 1_000 });
  t.match(await one.send({ method: 'GET', url: `${url}/whole` }), { truncated: false, text: /^x{1000}$/ });
  t.match(await one.send({ method: 'GET', url }), { status: 200, truncated: true, text: /^x{1000}$/ });
});

t.test('redirects are answers', async (t) => {
  const asked: string[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  t.match(await client(t).send({ method: 'POST', url, body: 'x' }), {
    status: 307,
    headers: { location: '/elsewhere' },
  });
  t.same(asked, ['/']);
});

t.test('a wait that is asked for', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(429, { 'retry-after': '2' }).end());
  t.match(await client(t).send({ method: 'GET', url }), { status: 429, retryAfterMs: 2_000 });
  const now = Date.parse('2026-11-21T10:00:00Z');
  const cases: readonly (readonly [text: string | undefined, ms: number | null])[] = [
    [undefined, null],
    ['', null],
    ['0', 0],
    [' 30 ', 30_000],
    ['300', 300_000],
    ['86400', 300_000],
    ['999999999999999', 300_000],
    ['Sat, 21 Nov 2026 10:00:07 GMT', 7_000],
    ['Saturday, 21-Nov-26 10:00:07 GMT', 7_000],
    ['Sat Nov 21 10:00:07 2026', 7_000],
    ['Sat, 21 Nov 2026 09:00:00 GMT', 0],
    ['Sun, 22 Nov 2026 10:00:00 GMT', 300_000],
    ['-1', null],
    ['1.5', null],
    ['1e3', null],
    ['soon', null],
    ['Sat, 99 Nov 2026 10:00:07 GMT', null],
  ];
  for (const [text, ms] of cases) t.equal(retryAfterMs(text, now), ms, String(text));
});

t.test('no answer: one line without secrets', async (t) => {
  const cut = await serve(t, (request) => request.socket.destroy());
  const short = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('x', () => response.destroy());
  });
  const silent = await serve(t, () => undefined);
  const free = createServer();
  const closed = await portOf(t, free);
  free.close();
  await once(free, 'close');
  const said = async (base: string, options: Partial<HttpOptions> = {}): Promise<string> => {
    const url = base.replace('//', '//kim:geheim@');
    const request = {
      method: 'POST',
      url: `${url}/a?token=geheim`,
      headers: { authorization: 'geheim' },
      body: 'geheim',
    };
    const { message } = await client(t, options)
      .send(request)
      .then(
        () => new Error('answered'),
        (error: Error) => error,
      );
    t.notMatch(message, /geheim|kim|\n/);
    return message;
  };
  t.match(await said(cut), /^POST http:\/\/127\.0\.0\.1:\d+\/a: socket hang up \(ECONNRESET\)$/);
  t.match(await said(short), /: aborted \(ECONNRESET\)$/);
  t.match(await said(silent, { timeoutMs: 50 }), /: no answer within 0\.05 s$/);
  t.match(await said(`http://127.0.0.1:${closed}`), /: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
  t.match(await said('http://nowhere.invalid'), /^POST http:\/\/nowhere\.invalid\/a: .*(?:ENOTFOUND|EAI_AGAIN)/);
  t.match(await said('//:x'), /^POST: the address is no URL, wanted https:\/\/HOST\/PATH$/);
  t.match(await said('ftp://127.0.0.1'), /: found ftp:, wanted http: or https:$/);
});

t.test('a request is given up', async (t) => {
  const ending = new AbortController();
  const url = await serve(t, () => ending.abort());
  const request = { method: 'GET', url, signal: ending.signal };
  await t.rejects(client(t).send(request), { message: /: given up$/ });
  await t.rejects(client(t).send(request), { message: /: given up$/ }, 'and not even begun');
});

t.test('user and password of an address', async (t) => {
  const url = await serve(t, echo);
  const { text } = await client(t).send({ method: 'GET', url: url.replace('//', '//kim:p%40ss@') });
  const { authorization = '' } = (JSON.parse(text) as Echoed).headers;
  t.equal(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString(), 'kim:p@ss');
  t.equal(shownUrl('https://kim:p@example.org:9200/a/b?token=x#y'), 'https://example.org:9200/a/b');
});

t.test('TLS is verified', async (t) => {
  if (!need(t, 'openssl')) return;
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', cert];
  execFileSync(program('openssl') ?? 'openssl', args, { stdio: 'pipe' });
  const ca = readFileSync(cert, 'utf8');
  const server = createTlsServer({ key: readFileSync(key), cert: ca }, (_, response) => response.end('x'));
  const port = await portOf(t, server);
  const url = `https://127.0.0.1:${port}/`;
  t.match(await client(t, { ca }).send({ method: 'GET', url }), { status: 200, text: 'x' });
  await t.rejects(client(t).send({ method: 'GET', url }), { message: /self-signed certificate/ });
  await t.rejects(client(t, { ca }).send({ method: 'GET', url: `https://localhost:${port}/` }), {
    message: /altnames|ECONNREFUSED/,
  });
});

t.test('a body as it is, for a far end that may not unpack it', async (t) => {
  const url = await serve(t, echo);
  const body = 'x'.repeat(5_000);
  const { text } = await client(t, { gzip: false }).send({ method: 'POST', url, body });
  t.match(JSON.parse(text), { sent: 5_000, headers: { 'content-length': '5000', 'content-encoding': undefined } });
});

t.test('an answer by its head alone', async (t) => {
  let connections = 0;
  const server = createServer((request, response) => {
    if (request.url === '/endless') response.writeHead(202, { 'retry-after': '3' }).write('a beginning');
    else response.writeHead(503).end('x'.repeat(100_000));
  });
  server.on('connection', () => connections++);
  const url = `http://127.0.0.1:${await portOf(t, server)}`;
  const asking = client(t, { headOnly: true });
  t.match(await asking.send({ method: 'GET', url: `${url}/endless` }), { status: 202, text: '', retryAfterMs: 3_000 });
  for (let count = 0; count < 5; count++) {
    const before = connections;
    t.match(await asking.send({ method: 'GET', url }), { status: 503, text: '', truncated: false });
    t.ok(connections <= before + (count === 0 ? 1 : 0), 'a connection that is kept, as the body was read');
  }
  let most = 0;
  for (let count = 0; count < 5; count++) {
    await asking.send({ method: 'GET', url: `${url}/endless` });
    most = Math.max(most, await promisify(server.getConnections.bind(server))());
  }
  t.ok(most <= 2, 'one at a time, however many bodies have no end');
});
