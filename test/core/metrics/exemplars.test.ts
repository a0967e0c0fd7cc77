import t from 'tap';
import { counter, histogram } from '../../../src/core/metrics/define.ts';
import { type Exemplar, Exemplars } from '../../../src/core/metrics/exemplars.ts';
import { expose } from '../../../src/core/metrics/exposition.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { registrySink } from '../../../src/core/metrics/registry-sink.ts';
import { Scrapers } from '../../../src/core/metrics/scrape.ts';
import { Stage } from '../../../src/core/metrics/stage.ts';
import type { View } from '../../../src/core/metrics/view.ts';
import { exposed } from '../../support/exposition.ts';
import { readExemplar, readFamilies, readFields } from '../../support/protobuf.ts';
import { parseExposition } from '../../support/strict-exposition.ts';

const METRICS = {
  hits: counter('hits_total', 'Hits.', ['path'], { exemplar: 'event_id' }),
  wait: histogram('wait_seconds', 'Waits.', ['path'], [0.25, 1], { exemplar: 'trace_id' }),
  plain: counter('plain_total', 'Without.', ['path']),
};
const OPENMETRICS: View = { format: 'openmetrics', escaping: 'underscores' };
/** Milliseconds since 1970. */
const TIME = 1_700_000_000_000;

function event(id: string, { value = 1, after = 0 } = {}): Exemplar {
  return { id, value, time: TIME + after };
}

function rig(options: { readonly exemplars?: boolean; readonly seriesLimit?: number } = {}) {
  const registry = new Registry({ seriesLimit: 100, exemplars: true, ...options });
  const handles = registry.register('web', METRICS);
  const stage = new Stage(METRICS, {
    limitOf: (def) => registry.limitOf(def),
    isKnown: (def, labels) => registry.has('web', def, labels),
    ...registry.forms,
    history: false,
  });
  return { registry, handles, stage, sink: registrySink(METRICS, handles, registry) };
}

/** Lines that show an exemplar. */
async function shown(registry: Registry): Promise<readonly string[]> {
  const text = await exposed(registry, { view: OPENMETRICS });
  parseExposition(text, 'openmetrics');
  return text.split('\n').filter((line) => line.includes(' # {'));
}

t.test('the newest is kept, if it is newer by a second', async (t) => {
  const exemplars = new Exemplars({ label: 'id', width: 1 });
  const cases = [
    [event('first'), 'first'],
    [event('hardly newer', { after: 999 }), 'first'],
    [event('older', { after: -5_000 }), 'first'],
    [event('newer', { after: 1_000 }), 'newer'],
    [{ ...event('of no time'), time: Number.NaN }, 'newer'],
    [event('newest', { after: 10_000 }), 'newest'],
  ] as const;
  for (const [offered, kept] of cases) {
    exemplars.note(0, 0, offered);
    t.equal(exemplars.of(0, 0)?.id, kept, offered.id);
  }
  exemplars.clear();
  t.equal(exemplars.of(0, 0), undefined);
  exemplars.note(0, 0, { ...event('x'), time: Number.NaN });
  t.equal(exemplars.of(0, 0), undefined, 'a first one of no time');
});

t.test('what is no id, or cannot be shown, is not kept', async (t) => {
  const exemplars = new Exemplars({ label: 'id', width: 1 });
  exemplars.note(0, 0, event('kept'));
  for (const id of ['', 'a\nb', 'ü', '\u007f', '\ud800', 'x'.repeat(127)]) {
    exemplars.note(0, 0, event(id, { after: 60_000 }));
    t.equal(exemplars.of(0, 0)?.id, 'kept', JSON.stringify(id));
  }
  exemplars.note(0, 0, event('x'.repeat(126), { after: 60_000 }));
  t.equal(exemplars.of(0, 0)?.id.length, 126, '128 characters with the name of the label');
});

t.test('with more series than places, buckets share theirs with the same ones of others', async (t) => {
  const exemplars = new Exemplars({ label: 'id', width: 3, most: 10 });
  const ids = () => [0, 1, 2, 3, 4].map((row) => [0, 1, 2].map((bucket) => exemplars.of(row, bucket)?.id ?? ''));
  for (const row of [0, 1, 2]) for (const bucket of [0, 1, 2]) exemplars.note(row, bucket, event(`${row}${bucket}`));
  exemplars.note(3, 0, event('30', { after: 999 }));
  exemplars.note(4, 0, event('40', { after: 1_000 }));
  t.same(ids(), [
    ['00', '01', '02'],
    ['', '11', '12'],
    ['20', '21', '22'],
    ['', '', ''],
    ['40', '', ''],
  ]);
});

t.test('it is shown in OpenMetrics alone, behind the counter or the bucket', async (t) => {
  const { registry, handles } = rig();
  const hits = handles.hits.series({ path: '/a' });
  hits.inc();
  hits.exemplify(event('q"\\1'));
  const wait = handles.wait.series({ path: '/a' });
  for (const [value, id] of [
    [0.25, 'low'],
    [7, 'high'],
  ] as const) {
    wait.observe(value);
    wait.exemplify(event(id, { value, after: 1_234 }));
  }
  const plain = handles.plain.series({ path: '/a' });
  plain.inc();
  plain.exemplify(event('nobody asked'));
  t.same(await shown(registry), [
    'hits_total{path="/a"} 1 # {event_id="q\\"\\\\1"} 1 1700000000.000',
    'wait_seconds_bucket{path="/a",le="0.25"} 1 # {trace_id="low"} 0.25 1700000001.234',
    'wait_seconds_bucket{path="/a",le="+Inf"} 2 # {trace_id="high"} 7 1700000001.234',
  ]);
  t.notMatch(await exposed(registry), / # \{/, 'not in text 0.0.4');
  hits.inc();
  t.match((await shown(registry))[0], 'hits_total{path="/a"} 2 # {event_id="q\\"\\\\1"} 1', 'the value moves on alone');
  hits.exemplify(event('next', { after: 5_000 }));
  t.match((await shown(registry))[0], 'hits_total{path="/a"} 2 # {event_id="next"} 1 1700000005.000');
});

t.test('a series that is shown at 0 has none yet', async (t) => {
  const { registry, handles } = rig();
  const scrapers = new Scrapers(registry, 0);
  const scrape = async () => {
    const collection = scrapers.begin('a', 0);
    const text = await exposed(registry, { view: OPENMETRICS, collection });
    collection.delivered();
    return text;
  };
  await scrape();
  handles.hits.inc({ path: '/a' });
  handles.hits.series({ path: '/a' }).exemplify(event('x'));
  handles.wait.observe({ path: '/a' }, 0.5);
  handles.wait.series({ path: '/a' }).exemplify(event('y', { value: 0.5 }));
  const [first, second] = [await scrape(), await scrape()];
  t.notMatch(first, / # \{/);
  t.match(second, 'hits_total{path="/a"} 1 # {event_id="x"} 1 1700000000.000');
  t.match(second, 'wait_seconds_bucket{path="/a",le="1.0"} 1 # {trace_id="y"} 0.5 1700000000.000');
});

t.test('what comes aside is not shown before it counts, and never if it is dropped', async (t) => {
  const { registry, stage, sink } = rig();
  const count = (id: string, after: number) => {
    const { hits, wait } = stage.handles;
    hits.inc({ path: '/a' });
    hits.series({ path: '/a' }).exemplify(event(id, { after }));
    wait.observe({ path: '/a' }, 0.5);
    wait.series({ path: '/a' }).exemplify(event(id, { value: 0.5, after }));
  };
  count('broken', 0);
  t.same(await shown(registry), []);
  stage.drop();
  stage.merge(sink);
  t.same(await shown(registry), []);
  count('whole', 1_000);
  stage.merge(sink);
  t.same(await shown(registry), [
    'hits_total{path="/a"} 1 # {event_id="whole"} 1 1700000001.000',
    'wait_seconds_bucket{path="/a",le="1.0"} 1 # {trace_id="whole"} 0.5 1700000001.000',
  ]);
  count('late', 500);
  stage.merge(sink);
  t.match(
    (await shown(registry))[0],
    'hits_total{path="/a"} 2 # {event_id="whole"}',
    'a later object of earlier events',
  );
});

t.test('what falls over the limit is counted once, and has one too', async (t) => {
  const { registry, stage, sink, handles } = rig({ seriesLimit: 1 });
  for (const path of ['/a', '/b']) {
    handles.wait.observe({ path }, 0.5);
    handles.wait.series({ path }).exemplify(event(path, { value: 0.5 }));
    const staged = stage.handles.hits.series({ path });
    staged.inc();
    staged.exemplify(event(path));
  }
  stage.merge(sink);
  t.same(await shown(registry), [
    'hits_total{path="/a"} 1 # {event_id="/a"} 1 1700000000.000',
    'hits_total{path="other"} 1 # {event_id="/b"} 1 1700000000.000',
    'wait_seconds_bucket{path="/a",le="1.0"} 1 # {trace_id="/a"} 0.5 1700000000.000',
    'wait_seconds_bucket{path="other",le="1.0"} 1 # {trace_id="/b"} 0.5 1700000000.000',
  ]);
  t.same([registry.families.get('hits_total')?.limited, registry.families.get('wait_seconds')?.limited], [1, 1]);
});

t.test('none is kept where they are not wanted', async (t) => {
  const { registry, handles, stage, sink } = rig({ exemplars: false });
  for (const { hits } of [handles, stage.handles]) {
    hits.inc({ path: '/a' });
    hits.series({ path: '/a' }).exemplify(event('x'));
  }
  stage.merge(sink);
  t.same(await shown(registry), []);
  t.equal(registry.families.get('hits_total')?.exemplars, null);
});

t.test('in protobuf it stands in the counter and in the bucket', async (t) => {
  const { registry, handles } = rig();
  handles.hits.inc({ path: '/a' });
  handles.hits.series({ path: '/a' }).exemplify(event('x'));
  for (const value of [0.25, 7]) {
    handles.wait.observe({ path: '/a' }, value);
    handles.wait.series({ path: '/a' }).exemplify(event(`of ${value}`, { value }));
  }
  const now = 0;
  const { pieces, giveBack } = await expose(registry, {
    view: { format: 'protobuf', escaping: 'underscores' },
    collection: new Scrapers(registry, now).begin('a', now),
    idleMs: 0,
    now,
  });
  const families = readFamilies(Buffer.concat(pieces));
  giveBack();
  const [hits, wait] = ['hits_total', 'wait_seconds'].map((name) => families.find((one) => one.name === name));
  t.same(hits?.metrics[0]?.exemplar, { labels: [['event_id', 'x']], value: 1, time: TIME });
  const buckets = (wait?.metrics[0]?.histogram?.get(3) ?? []).map((bucket) => readFields(bucket as Buffer));
  t.same(
    buckets.map((fields) => {
      const exemplar = fields.get(3)?.[0];
      return [Number(fields.get(1)?.[0]), fields.get(2)?.[0], exemplar && readExemplar(readFields(exemplar as Buffer))];
    }),
    [
      [1, 0.25, { labels: [['trace_id', 'of 0.25']], value: 0.25, time: TIME }],
      [1, 1, undefined],
      [2, Number.POSITIVE_INFINITY, { labels: [['trace_id', 'of 7']], value: 7, time: TIME }],
    ],
  );
});
