import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { influx } from '../../../src/writers/influx/index.ts';
import { writePoints } from '../../../src/writers/influx/write.ts';
import { file, folder } from '../../support/cli.ts';
import { deliver, findingsOf, openWriter, writeAll } from '../../support/writers.ts';

/** What a recorded server says to lines; 0 cuts the connection. */
interface Said {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether it stores the lines all the same; a 2xx always does. */
  readonly stores?: boolean;
}

interface Recorded {
  readonly url: string;
  /** How often each line was stored. */
  readonly stored: ReadonlyMap<string, number>;
  readonly requests: readonly { readonly url: string; readonly lines: readonly string[]; readonly auth: string }[];
}

const DONE: Said = { status: 204 };

async function serve(t: Test, say: (lines: readonly string[], turn: number, auth: string) => Said): Promise<Recorded> {
  const stored = new Map<string, number>();
  const requests: Recorded['requests'][number][] = [];
  const server = createServer(async (request, response) => {
    const lines = (await textOf(request)).split('\n').slice(0, -1);
    const auth = request.headers.authorization ?? '';
    const { status, body, headers = {}, stores = status < 300 && status > 0 } = say(lines, requests.length, auth);
    requests.push({ url: request.url ?? '', lines, auth });
    if (stores) for (const line of lines) stored.set(line, (stored.get(line) ?? 0) + 1);
    if (status === 0) return request.socket.destroy();
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    return response.writeHead(status, headers).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored, requests };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
}

function events(count: number): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `event ${index}`,
    time: 1_715_419_800_000,
    source: 'cloudwatch',
    action: 'log',
    outcome: 'unknown' as const,
    data: { log_group: `group-${index}` },
  }));
}

function isBad(line: string): boolean {
  return /group-(?:3|77)[, ]/.test(line);
}

const FROM: Said = { status: 400, body: { code: 'invalid', message: "unable to parse 'x': bad" } };

t.test('what goes by and by is there at the end, each once or more', async (t) => {
  const busy: Said = { status: 429, headers: { 'retry-after': '7' } };
  const away: Said = { status: 503, headers: { 'retry-after': '3' } };
  const said: readonly Said[] = [busy, away, { status: 0 }, { status: 0, stores: true }, { status: 502, body: '<p>' }];
  const server = await serve(t, (_, turn) => said[turn] ?? DONE);
  const writer = openWriter(t, influx, { url: server.url, org: 'o', bucket: 'b', token: 't' });
  const { done, waits, texts } = await deliver(writer, events(10));
  t.equal(done, 10);
  t.same(waits, [7_000, 3_000, 0, 0, 0]);
  t.match(texts, [/^HTTP 429/, /^HTTP 503/, /hang up|ECONNRESET/, /hang up|ECONNRESET/, /^HTTP 502/]);
  t.same([...server.stored.values()], new Array(10).fill(2), 'those that were cut off came again, and the same');
  t.equal(server.requests[0]?.url, '/api/v2/write?org=o&bucket=b&precision=ns');
  t.equal(server.requests[0]?.auth, 'Token t');
});

t.test('bad lines are found by halves', async (t) => {
  const server = await serve(t, (lines) => (lines.some(isBad) ? FROM : DONE));
  const { done, dead, waits } = await deliver(openWriter(t, influx, { url: server.url, bucket: 'b' }), events(200));
  t.same([done, waits], [198, []]);
  t.same(
    dead.map(({ id, reason }) => [id, reason]),
    [
      ['event 3', 'rejected'],
      ['event 77', 'rejected'],
    ],
  );
  t.match(dead[0]?.text, /^HTTP 400: unable to parse/);
  t.ok([...server.stored.values()].every((times) => times === 1));
});

t.test('a busy answer between halves keeps what is settled', async (t) => {
  const server = await serve(t, (lines, turn) => (turn === 2 ? { status: 503 } : lines.some(isBad) ? FROM : DONE));
  const { done, dead, waits } = await deliver(openWriter(t, influx, { url: server.url, bucket: 'b' }), events(100));
  t.same([done, dead.length, waits], [98, 2, [0]]);
  t.ok([...server.stored.values()].every((times) => times === 1));
});

t.test('a server that takes less than is sent', async (t) => {
  const server = await serve(t, (lines) => (lines.length > 3 || lines.some(isBad) ? { status: 413, body: '' } : DONE));
  const { done, dead } = await deliver(openWriter(t, influx, { url: server.url, bucket: 'b' }), events(20));
  t.equal(done, 19);
  t.match(dead, [{ id: 'event 3', reason: 'too_large' }]);
});

t.test('answers that took a part', async (t) => {
  const two = { code: 'unprocessable entity', message: 'partial write: points beyond retention policy dropped=2' };
  const first = await serve(t, () => ({ status: 422, body: two }));
  const writer = openWriter(t, influx, { url: first.url, bucket: 'b' });
  t.same(await writeAll(writer, events(5)), { kind: 'done', dead: [], dropped: 2 });
  const three = await serve(t, (lines) => ({
    status: 400,
    body: {
      error: 'partial write of line protocol occurred',
      data: [{ original_line: lines[3], line_number: 4, error_message: 'invalid field value' }],
    },
  }));
  t.same(await writeAll(openWriter(t, influx, { url: three.url, bucket: 'b' }), events(5)), {
    kind: 'done',
    dead: [{ index: 3, reason: 'rejected', text: 'invalid field value' }],
  });
});

t.test('a refused token is read again', async (t) => {
  const token = file(folder(t), 'token', 'old');
  const server = await serve(t, (_, __, auth) =>
    auth === 'Token new' ? DONE : { status: 401, body: { message: 'no' } },
  );
  const section = { url: server.url, bucket: 'b', token: { file: token } };
  const writer = openWriter(t, influx, section);
  t.same(await writeAll(writer, events(3)), {
    kind: 'later',
    settled: [],
    dead: [],
    waitMs: 30_000,
    hold: true,
    text: 'HTTP 401: no',
  });
  t.match(await findingsOf(influx, section), [{ ok: false, detail: /HTTP 401: no; wanted a token/ }]);
  writeFileSync(token, '');
  t.match(await writeAll(writer, events(3)), { kind: 'later', hold: true, text: /token is empty, wanted a value/ });
  writeFileSync(token, 'new\n');
  t.same(await writeAll(writer, events(3)), { kind: 'done', dead: [] });
  t.equal(server.stored.size, 3);
});

t.test('answers that are somebody else’s keep all', async (t) => {
  const page = { headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<!doctype html>', stores: false };
  for (const said of [
    { status: 200, ...page },
    { status: 400, ...page },
    { status: 302, ...page },
    { status: 404, body: '404 page not found' },
    { status: 403, body: '' },
    { status: 400, body: 'Client sent an HTTP request to an HTTPS server.' },
  ] satisfies readonly Said[]) {
    const server = await serve(t, () => said);
    const section = { url: server.url, database: 'd' };
    const written = await writeAll(openWriter(t, influx, section), events(4));
    t.match(written, { kind: 'later', hold: true, settled: [], dead: [] }, String(said.status));
    t.equal(server.requests.length, 1);
    t.match(await findingsOf(influx, section), [{ ok: false }], String(said.status));
  }
  const large = await serve(t, (lines) => (lines.length > 1 ? { status: 413, ...page } : DONE));
  t.same(await writeAll(openWriter(t, influx, { url: large.url, bucket: 'b' }), events(4)), { kind: 'done', dead: [] });
});

t.test('what answers with words about points has looked at all else', async (t) => {
  const detail = /points for bucket b are taken/;
  for (const message of ['writing requires points', 'incoming write was empty', 'no data in body']) {
    const server = await serve(t, () => ({ status: 400, body: { code: 'invalid', message } }));
    t.match(await findingsOf(influx, { url: server.url, bucket: 'b' }), [{ ok: true, detail }]);
  }
  const server = await serve(t, () => ({ status: 400, body: { message: 'Please provide either orgID or org' } }));
  t.match(await findingsOf(influx, { url: server.url, bucket: 'b' }), [{ ok: false, detail: /Please provide/ }]);
});

t.test('no events, events without a point, nobody there', async (t) => {
  const answer = async (): Promise<never> => {
    throw new Error('unexpected');
  };
  t.same(await writePoints([], { encode: () => 'm a=1 1', send: answer }), { kind: 'done', dead: [] });
  const none = await writePoints(events(2), { encode: () => null, send: answer });
  t.match(none, { kind: 'done', dead: [{ index: 0, reason: 'rejected' }, { index: 1 }] });
  const section = { url: 'http://127.0.0.1:1', bucket: 'b' };
  const later = { kind: 'later', settled: [], hold: false, text: /^POST http:\/\/127.0.0.1:1\/.*ECONNREFUSED/ };
  t.match(await writeAll(openWriter(t, influx, section), events(1)), later);
  t.match(await findingsOf(influx, section), [{ ok: false, detail: /ECONNREFUSED.*; is the server running/ }]);
});

t.test('requests of at most 5 MiB', async (t) => {
  const sizes: number[] = [];
  const line = `m a="${'x'.repeat(60_000)}" 1`;
  const send = async (lines: readonly string[]) => {
    sizes.push(lines.reduce((sum, text) => sum + text.length + 1, 0));
    return { status: 204, headers: {}, text: '', truncated: false, retryAfterMs: null };
  };
  t.same(await writePoints(events(200), { encode: () => line, send }), { kind: 'done', dead: [] });
  t.equal(sizes.length, 3);
  t.ok(Math.max(...sizes) <= 5 * 1024 * 1024);
});
