import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { elasticsearch } from '../../../src/writers/elasticsearch/index.ts';
import { type FakeBulk, fakeBulk } from '../../support/fake-bulk.ts';
import { openWriter, writeAll } from '../../support/writers.ts';

const EVENT: Event = { id: 'a', time: 0, source: 'cts', action: 'x', outcome: 'ok', data: {} };

/** Requests that are not bulk ones, as `METHOD PATH`. */
function about({ requests }: FakeBulk): readonly string[] {
  return requests.filter(({ path }) => path !== '/_bulk').map(({ method, path }) => `${method} ${path}`);
}

t.test('put once, before the first document', async (t) => {
  const bulk = await fakeBulk(t);
  const writer = openWriter(t, elasticsearch, { url: bulk.url, index: 'a.b' });
  for (let round = 0; round < 3; round++) await writeAll(writer, [EVENT]);
  t.same(about(bulk), ['GET /_index_template/a.b', 'GET /', 'PUT /_index_template/a.b']);
  t.match(bulk.templates.get('a.b'), { index_patterns: ['a.b*'], priority: 200 });
  t.match(JSON.stringify(bulk.templates.get('a.b')), '"flattened"');
  t.equal(
    bulk.requests.findIndex(({ path }) => path === '/_bulk'),
    3,
  );
});

t.test('never replaced', async (t) => {
  const bulk = await fakeBulk(t);
  bulk.templates.set('trails', { mine: true });
  await writeAll(openWriter(t, elasticsearch, { url: bulk.url }), [EVENT]);
  t.same(about(bulk), ['GET /_index_template/trails']);
  t.same(bulk.templates.get('trails'), { mine: true });
});

t.test('one of one’s own, or none', async (t) => {
  const bulk = await fakeBulk(t);
  const template = { priority: 7, template: { settings: { number_of_shards: 1 } } };
  await writeAll(openWriter(t, elasticsearch, { url: bulk.url, template }), [EVENT]);
  t.same(bulk.templates.get('trails'), { index_patterns: ['trails*'], ...template });
  const none = await fakeBulk(t);
  await writeAll(openWriter(t, elasticsearch, { url: none.url, template: 'false' }), [EVENT]);
  t.same(about(none), []);
});

t.test('of names that begin alike, each has a template', async (t) => {
  for (const indexes of [
    ['trails', 'trails-s3'],
    ['trails-s3', 'trails'],
  ]) {
    const bulk = await fakeBulk(t);
    const log: string[] = [];
    for (const index of indexes)
      await writeAll(openWriter(t, elasticsearch, { url: bulk.url, index }, { log }), [EVENT]);
    t.same([...bulk.templates.keys()], indexes);
    const [first, second] = [...bulk.templates.values()];
    t.match([first?.priority, second?.priority], [200, 200 - (indexes[1] ?? '').length]);
    t.same(first?.template, second?.template);
    t.same(log, []);
  }
});

t.test('one of one’s own is put as it is, or not at all', async (t) => {
  const bulk = await fakeBulk(t);
  bulk.templates.set('others', { index_patterns: ['tr*'], priority: 7 });
  const log: string[] = [];
  const writer = openWriter(t, elasticsearch, { url: bulk.url, template: { priority: 7 } }, { log });
  t.same(await writeAll(writer, [EVENT]), { kind: 'done', dead: [] });
  t.same([...bulk.templates.keys()], ['others']);
  t.match(log[0], /PUT _index_template\/trails: HTTP 400: illegal_argument_exception: .* same priority \[7\]/);
});

t.test('a refusal is one warning, and documents are sent all the same', async (t) => {
  for (const templateStatus of [400, 403, 500]) {
    const bulk = await fakeBulk(t, { templateStatus });
    const log: string[] = [];
    const writer = openWriter(t, elasticsearch, { url: bulk.url }, { log });
    for (let round = 0; round < 3; round++) t.same(await writeAll(writer, [EVENT]), { kind: 'done', dead: [] });
    t.equal(log.length, 1);
    t.match(log[0], new RegExp(`HTTP ${templateStatus}: .*no templates for you`));
    t.same(about(bulk), ['GET /_index_template/trails']);
  }
});
