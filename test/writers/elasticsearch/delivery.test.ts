import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { batches, halves, type Range } from '../../../src/lib/batches.ts';
import { httpClient } from '../../../src/lib/http.ts';
import { judgeBulk, type RefusedItem } from '../../../src/writers/elasticsearch/answer.ts';
import { BATCH_BYTES, bulkBody, bulkItem, documentId } from '../../../src/writers/elasticsearch/bulk.ts';
import { eventDocument } from '../../../src/writers/elasticsearch/document.ts';
import { bulkRequest } from '../../../src/writers/elasticsearch/request.ts';

/** What goes wrong with a request. */
type Trouble = 'none' | 'busy' | 'busy items' | 'half busy' | 'cut' | 'empty';

interface BulkServer {
  readonly url: string;
  /** Documents by id. */
  readonly stored: ReadonlyMap<string, string>;
  readonly requests: () => number;
}

/** Stores as Elasticsearch does: `create` once by id, 400 for documents that do not fit, 413 for long bodies. */
async function serve(t: Test, troubles: readonly Trouble[], limit = 1e9): Promise<BulkServer> {
  const stored = new Map<string, string>();
  let requests = 0;
  const server = createServer(async (request, response) => {
    const trouble = troubles[requests++] ?? 'none';
    const text = await textOf(request);
    if (text.length > limit) return response.writeHead(413).end();
    if (trouble === 'busy') return response.writeHead(429, { 'retry-after': '1' }).end('{}');
    if (!text.endsWith('\n')) return response.writeHead(400).end('{"error":"the last line has no newline"}');
    const items = pairs(text).map(([id, document], index) => {
      const isBusy = trouble === 'busy items' || (trouble === 'half busy' && index % 2 === 0);
      return { create: { _id: id, ...(isBusy ? refusal(429) : store(stored, id, document)) } };
    });
    if (trouble === 'cut') return request.socket.destroy();
    return answer(response, trouble === 'empty' ? '' : JSON.stringify({ errors: true, items }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored, requests: () => requests };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
}

function answer(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

function pairs(text: string): readonly (readonly [id: string, document: string])[] {
  const lines = text.trimEnd().split('\n');
  return lines.flatMap((line, index) => {
    if (index % 2 === 1) return [];
    const { create } = JSON.parse(line) as { create: { _id: string } };
    return [[create._id, lines[index + 1] ?? ''] as const];
  });
}

function store(stored: Map<string, string>, id: string, document: string): object {
  if (document.includes('"bad"')) return refusal(400);
  if (stored.has(id)) return refusal(409);
  stored.set(id, document);
  return { status: 201 };
}

function refusal(status: number): object {
  return { status, error: { type: 'some_exception', reason: 'because' } };
}

interface Delivered {
  readonly done: number;
  readonly dead: readonly RefusedItem[];
  readonly waits: readonly number[];
}

/** Sends all, as often as it takes, without waiting. */
async function deliver(t: Test, url: string, events: readonly Event[], bytes = BATCH_BYTES): Promise<Delivered> {
  const client = httpClient({ timeoutMs: 10_000 });
  t.teardown(() => client.close());
  const items = events.flatMap(
    (event) => bulkItem('trails', documentId(event.source, event.id), eventDocument(event)) ?? [],
  );
  const dead: RefusedItem[] = [];
  const waits: number[] = [];
  let done = 0;
  const send = async (indexes: readonly number[]): Promise<void> => {
    const body = bulkBody(indexes.flatMap((index) => items[index] ?? []));
    const answered = await client.send(bulkRequest(url, {}, body)).catch(() => null);
    if (answered === null) return send(indexes);
    const verdict = judgeBulk(answered, indexes.length);
    if ('waitMs' in verdict && verdict.waitMs > 0) waits.push(verdict.waitMs);
    switch (verdict.kind) {
      case 'items':
        done += verdict.done.length;
        dead.push(...verdict.dead.map((refused) => ({ ...refused, index: indexes[refused.index] ?? -1 })));
        return verdict.again.length > 0 ? send(verdict.again.map((index) => indexes[index] ?? -1)) : undefined;
      case 'split':
        for (const { start, end } of halves({ start: 0, end: indexes.length })) await send(indexes.slice(start, end));
        return;
      case 'again':
        return send(indexes);
      case 'hold':
        throw new Error(verdict.text);
    }
  };
  const sizes = items.map((item) => item.bytes);
  const all = (range: Range) => Array.from({ length: range.end - range.start }, (_, index) => range.start + index);
  for (const range of batches(sizes, { count: 1_000, bytes })) await send(all(range));
  return { done, dead, waits };
}

function events(count: number, bad: readonly number[] = []): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `event ${index}`,
    time: 1_715_419_800_000 + index,
    source: 'cts',
    action: bad.includes(index) ? 'bad' : 'createServer',
    outcome: 'ok' as const,
    data: { raw: { index } },
  }));
}

t.test('every event is there once, whatever happens', async (t) => {
  const all: readonly Trouble[] = ['busy', 'busy items', 'half busy', 'cut', 'half busy', 'empty', 'cut', 'busy items'];
  for (const count of [1, 100, 200, 1_500]) {
    const server = await serve(t, all);
    const { done, dead, waits } = await deliver(t, server.url, events(count));
    t.equal(done, count);
    t.same(dead, []);
    t.same(waits, [1_000]);
    t.equal(server.stored.size, count);
  }
});

t.test('no events, no request', async (t) => {
  const server = await serve(t, []);
  t.same(await deliver(t, server.url, []), { done: 0, dead: [], waits: [] });
  t.equal(server.requests(), 0);
});

t.test('what does not fit is told apart', async (t) => {
  const server = await serve(t, ['half busy', 'cut']);
  const { done, dead } = await deliver(t, server.url, events(100, [3, 98]));
  t.equal(done, 98);
  t.same(dead.map(({ index }) => index).sort(), [3, 98]);
  t.match(dead[0], { reason: 'rejected', text: 'some_exception: because' });
});

t.test('a server that takes less than is sent', async (t) => {
  const server = await serve(t, [], 3_000);
  const large = { ...events(1)[0]!, id: 'large', data: { message: 'x'.repeat(4_000) } };
  const { done, dead } = await deliver(t, server.url, [...events(50), large, ...events(60).slice(50)]);
  t.equal(done, 60);
  t.match(dead, [{ index: 50, reason: 'too_large', text: 'HTTP 413' }]);
  t.equal(server.stored.size, 60);
});
