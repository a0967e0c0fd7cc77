import { writeFileSync } from 'node:fs';
import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { elasticsearch } from '../../../src/writers/elasticsearch/index.ts';
import { file, folder } from '../../support/cli.ts';
import { type BulkTrouble, fakeBulk } from '../../support/fake-bulk.ts';
import { deliver, openWriter, writeAll } from '../../support/writers.ts';

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

function idsOf(documents: Iterable<Readonly<Record<string, unknown>>>): readonly unknown[] {
  return [...documents].map(({ event }) => (event as { readonly id: string }).id);
}

t.test('exactly 0, 1, 100, 200 and 1500 events', async (t) => {
  for (const count of [0, 1, 100, 200, 1_500]) {
    const bulk = await fakeBulk(t);
    const writer = openWriter(t, elasticsearch, { url: bulk.url });
    t.same(await writeAll(writer, events(count)), { kind: 'done', dead: [] });
    t.same(await writeAll(writer, events(count)), { kind: 'done', dead: [] }, 'and again, as after a crash');
    t.same(
      idsOf(bulk.documents.values()),
      events(count).map(({ id }) => id),
    );
    t.equal(bulk.requests.filter(({ path }) => path === '/_bulk').length, count === 0 ? 0 : 2);
    t.same([...bulk.indexes], count === 0 ? [] : ['trails']);
    t.same(bulk.problems, []);
  }
});

t.test('every event is there once, whatever happens', async (t) => {
  const troubles: readonly BulkTrouble[] = [
    'busy',
    'busy items',
    'half busy',
    'mixed',
    'cut',
    'unavailable',
    'gone',
    'half busy',
    'empty',
    'fewer',
    'unauthorized',
    'page',
    'forbidden items',
  ];
  const bulk = await fakeBulk(t, { troubles, retryAfter: 2 });
  const { done, dead, waits, texts } = await deliver(openWriter(t, elasticsearch, { url: bulk.url }), events(120));
  // A quarter of those that were left by then is refused for good.
  t.equal(done + dead.length, 120);
  t.equal(dead.length, 15);
  t.equal(bulk.documents.size, done);
  // The second answer that does not tell is followed by halves, of which the first is refused.
  t.same(waits, [2_000, 0, 0, 0, 0, 2_000, 0, 0, 0, 30_000, 30_000, 30_000]);
  t.match(texts[1], /^120 of 120 items are refused: some_exception: status 429/);
  t.match(texts[2], /^60 of 120 items/);
  t.match(texts.at(-1), /items are refused: some_exception: status 403/);
  t.same(bulk.problems, []);
});

t.test('all items busy is no success, and only what is refused comes again', async (t) => {
  const bulk = await fakeBulk(t, { troubles: ['busy items', 'mixed'] });
  const writer = openWriter(t, elasticsearch, { url: bulk.url });
  const four = events(4);
  t.match(await writeAll(writer, four), { kind: 'later', settled: [], dead: [], hold: false });
  t.equal(bulk.documents.size, 0);
  const written = await writeAll(writer, four);
  t.match(written, { kind: 'later', dead: [{ index: 2, reason: 'rejected', text: 'some_exception: status 400' }] });
  t.same(written.kind === 'later' && written.settled.toSorted(), [0, 1, 2]);
});

t.test('while there is no index, all wait for it', async (t) => {
  const bulk = await fakeBulk(t, { troubles: ['no index', 'no index'] });
  const writer = openWriter(t, elasticsearch, { url: bulk.url });
  for (let round = 0; round < 2; round++) {
    const text = '4 of 4 items are refused: index_not_found_exception: status 404';
    t.match(await writeAll(writer, events(4)), { kind: 'later', settled: [], dead: [], hold: true, text });
  }
  t.same(await writeAll(writer, events(4)), { kind: 'done', dead: [] });
  t.equal(bulk.documents.size, 4);
});

t.test('what does not fit is told apart', async (t) => {
  const bulk = await fakeBulk(t, { troubles: ['half busy', 'cut'], bad: '"bad"' });
  const { done, dead } = await deliver(openWriter(t, elasticsearch, { url: bulk.url }), events(100, [3, 98]));
  t.equal(done, 98);
  t.same(dead.map(({ id }) => id).toSorted(), ['event 3', 'event 98']);
});

t.test('a request that is refused as a whole goes by halves', async (t) => {
  const bulk = await fakeBulk(t, { troubles: ['refused', 'none', 'refused'] });
  t.same(await writeAll(openWriter(t, elasticsearch, { url: bulk.url }), events(8)), { kind: 'done', dead: [] });
  const counts = bulk.requests.filter(({ path }) => path === '/_bulk').map(({ count }) => count);
  t.same(counts, [8, 4, 4, 2, 2]);
});

t.test('a server that takes less than is sent', async (t) => {
  const bulk = await fakeBulk(t, { limit: 3_000 });
  const large = { ...events(1)[0]!, id: 'large', data: { message: 'x'.repeat(4_000) } };
  const all = [...events(50), large, ...events(60).slice(50)];
  const { done, dead } = await deliver(openWriter(t, elasticsearch, { url: bulk.url }), all);
  t.equal(done, 60);
  t.match(dead, [{ id: 'large', reason: 'too_large', text: 'HTTP 413' }]);
  t.same(bulk.problems, []);
});

t.test('a document that keeps the server from telling', async (t) => {
  for (const [place, count] of [
    [0, 40],
    [7, 40],
    [39, 40],
  ] as const) {
    const bulk = await fakeBulk(t, { unreadable: '"bad"' });
    const writer = openWriter(t, elasticsearch, { url: bulk.url });
    const { done, dead, waits } = await deliver(writer, events(count, [place]), 3);
    t.same([done, waits.length], [count - 1, 1]);
    t.match(dead, [{ id: `event ${place}`, reason: 'rejected', text: /but the answer is not that of a bulk request/ }]);
    t.equal(bulk.documents.size, count - 1);
  }
});

t.test('a server that never tells takes nothing away', async (t) => {
  const bulk = await fakeBulk(t, { troubles: new Array<BulkTrouble>(100).fill('empty') });
  const writer = openWriter(t, elasticsearch, { url: bulk.url });
  for (let round = 0; round < 4; round++) {
    t.match(await writeAll(writer, events(16)), { kind: 'later', settled: [], dead: [] });
  }
  t.ok(bulk.requests.length < 30);
});

t.test('requests by size', async (t) => {
  const bulk = await fakeBulk(t);
  const all = events(45).map((event) => ({ ...event, data: { message: 'x'.repeat(256_000) } }));
  t.same(await writeAll(openWriter(t, elasticsearch, { url: bulk.url }), all), { kind: 'done', dead: [] });
  const sent = bulk.requests.filter(({ path }) => path === '/_bulk');
  t.equal(sent.length, 3);
  t.ok(sent.every(({ body, headers }) => body.length <= 5 * 1024 * 1024 && headers['content-encoding'] === 'gzip'));
});

t.test('the same event is the same bytes', async (t) => {
  const bulk = await fakeBulk(t, { troubles: ['gone', 'cut'] });
  await deliver(openWriter(t, elasticsearch, { url: bulk.url }), events(20));
  const bodies = bulk.requests.filter(({ path }) => path === '/_bulk').map(({ body }) => body);
  t.equal(bodies.length, 3);
  t.equal(new Set(bodies).size, 1);
});

t.test('a refused key is read again', async (t) => {
  const key = file(folder(t), 'key', 'old');
  const bulk = await fakeBulk(t, { authorization: 'ApiKey new' });
  const log: string[] = [];
  const writer = openWriter(t, elasticsearch, { url: bulk.url, api_key: { file: key } }, { log });
  for (let round = 0; round < 2; round++) {
    t.match(await writeAll(writer, events(3)), { kind: 'later', hold: true, settled: [], text: /^HTTP 401/ });
  }
  t.equal(log.length, 1, 'one warning');
  writeFileSync(key, 'new\n');
  t.same(await writeAll(writer, events(3)), { kind: 'done', dead: [] });
  t.ok(bulk.templates.has('trails'), 'and the template is put with it');
});

t.test('nobody there', async (t) => {
  const writer = openWriter(t, elasticsearch, { url: 'http://127.0.0.1:1' });
  t.match(await writeAll(writer, events(1)), { kind: 'later', settled: [], hold: false, text: /ECONNREFUSED/ });
});

t.test('given up', async (t) => {
  const bulk = await fakeBulk(t);
  const signal = AbortSignal.abort();
  const written = await openWriter(t, elasticsearch, { url: bulk.url }).write(events(3), signal);
  t.match(written, { kind: 'later', settled: [], hold: false, text: /given up/ });
});

t.test('a path before the end points, and the environment', async (t) => {
  const bulk = await fakeBulk(t, { prefix: '/insert/elasticsearch', version: null, templateStatus: 400 });
  const env = { ES_HOST: `${bulk.url.slice('http://'.length)}?_msg_field=message`, ES_INDEX: 'logs', ES_SUBTABLE: 'x' };
  const log: string[] = [];
  const writer = openWriter(t, elasticsearch, {}, { env, log });
  t.same(await writeAll(writer, events(2)), { kind: 'done', dead: [] });
  t.same(await writeAll(writer, events(3)), { kind: 'done', dead: [] });
  t.equal(bulk.documents.size, 3);
  t.same([...bulk.indexes], ['logs']);
  t.match(bulk.requests.at(-1)?.path, /^\/insert\/elasticsearch\/_bulk\?_msg_field=message$/);
  t.equal(log.length, 2);
  t.match(log, [/ES_SUBTABLE is ignored/, /the index template cannot be put/]);
  t.match(log[1], /GET _index_template\/logs: HTTP 400/);
});

t.test('documents as the bulk sink sent them', async (t) => {
  const bulk = await fakeBulk(t);
  const writer = openWriter(t, elasticsearch, { url: bulk.url, documents: 'sink' });
  t.same(await writeAll(writer, events(1)), { kind: 'done', dead: [] });
  t.same([...bulk.documents.values()], [{ index: 0 }]);
  t.equal(bulk.requests.length, 1, 'no template for records of any shape');
});
