import { readFileSync } from 'node:fs';
import t from 'tap';
import { batches } from '../../../src/lib/batches.ts';
import { BATCH_BYTES, type BulkItem, bulkBody, bulkItem, documentId } from '../../../src/writers/elasticsearch/bulk.ts';
import { bulkRequest, endpoint, serverRequest } from '../../../src/writers/elasticsearch/request.ts';
import { fixture } from '../../support/paths.ts';

function item(number: number, document: Readonly<Record<string, unknown>>): BulkItem {
  const made = bulkItem('trails', String(number).padStart(32, '0'), document);
  if (!made) throw new Error('no item');
  return made;
}

t.test('ids', async (t) => {
  const rows = readFileSync(fixture('object-logs/writers/ids.tsv'), 'utf8').trimEnd().split('\n').slice(1);
  t.equal(rows.length, 2);
  for (const row of rows) {
    const [source = '', id = '', wanted] = row.split('\t');
    t.equal(documentId(source, id), wanted);
    t.equal(documentId(`${source}/NAME`, id), wanted, 'the name of a section is no part of it');
  }
});

t.test('the body of a request', async (t) => {
  const documents = ['2024-05-11T09:30:00.000Z', '2024-05-11T09:30:01.000Z', 'bad', '2024-05-11T09:30:03.000Z'].map(
    (time, index) => ({ '@timestamp': time, event: { action: 'ABCD'[index] } }),
  );
  const items = documents.map((document, index) => item(index + 1, document));
  t.equal(bulkBody(items), readFileSync(fixture('object-logs/writers/bulk-request.ndjson'), 'utf8'));
});

t.test('no newline but those at the ends, sizes in bytes', async (t) => {
  const { text, bytes } = item(1, { message: 'a\nbü\u2028' });
  t.equal(text.split('\n').length, 3);
  t.equal(bytes, Buffer.byteLength(text));
});

t.test('0, 100, 200 and 2500 events', async (t) => {
  for (const [count, requests] of [
    [0, 0],
    [1, 1],
    [100, 1],
    [200, 1],
    [1_000, 1],
    [2_500, 3],
  ] as const) {
    const items = Array.from({ length: count }, (_, index) => item(index, { event: { id: index } }));
    const ranges = batches(
      items.map(({ bytes }) => bytes),
      { count: 1_000, bytes: BATCH_BYTES },
    );
    t.equal(ranges.length, requests, `${count} events`);
    const bodies = ranges.map(({ start, end }) => bulkBody(items.slice(start, end)));
    t.equal(bodies.join('').split('\n').length - 1, count * 2);
    t.ok(bodies.every((body) => body.endsWith('}\n')));
  }
  t.equal(bulkBody([]), '');
});

t.test('a hundred documents of 256 KB are several requests', async (t) => {
  const items = Array.from({ length: 100 }, (_, index) => item(index, { message: 'x'.repeat(256_000) }));
  const ranges = batches(
    items.map(({ bytes }) => bytes),
    { count: 1_000, bytes: BATCH_BYTES },
  );
  t.equal(ranges.length, 5);
});

t.test('what cannot be written whole', async (t) => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  t.match(bulkItem('i', 'd', { a: 1, raw: deep })?.text, /\n\{"a":1\}\n$/, 'too deep: without the record');
  t.equal(bulkItem('i', 'd', { a: deep }), null);
  t.equal(bulkItem('i', 'd', { a: 'x'.repeat(100_000_000) }), null, 'above what servers take');
});

t.test('requests', async (t) => {
  t.match(bulkRequest('https://es.example.org:9200/prefix/?x=1', { apiKey: 'a2V5' }, 'b'), {
    method: 'POST',
    url: new URL('https://es.example.org:9200/prefix/_bulk?x=1'),
    headers: { 'content-type': 'application/x-ndjson', authorization: 'ApiKey a2V5' },
    body: 'b',
  });
  const basic = bulkRequest('es:9200', { username: 'kim', password: 'p:ß' }, 'b');
  t.equal(String(basic.url), 'http://es:9200/_bulk');
  t.equal(Buffer.from(basic.headers?.authorization?.slice(6) ?? '', 'base64').toString(), 'kim:p:ß');
  t.notOk(bulkRequest('es:9200', {}, 'b').headers?.authorization);
  t.match(serverRequest('http://es', {}, ''), { method: 'GET', url: new URL('http://es/') });
  t.match(serverRequest('http://es', {}, '_index_template/x', '{}'), { method: 'PUT', body: '{}' });
  t.equal(String(endpoint('localhost', '_bulk')), 'http://localhost/_bulk');
});
