import t from 'tap';
import { counter, distinct, gauge, histogram, maximum, since, top } from '../../../src/core/metrics/define.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { NEWCOMER_MS, Scrapers } from '../../../src/core/metrics/scrape.ts';
import { SKETCH_LIMIT } from '../../../src/core/metrics/sketches.ts';
import { traceChanges } from '../../../src/core/metrics/trace.ts';

const CATALOGUE = {
  hits: counter('test_hits_total', 'Hits.', ['who']),
  level: gauge('test_level', 'Level.', ['who']),
  took: histogram('test_took_seconds', 'Took.', [], [0.1, 1]),
  seen: since('test_seen', 'Seen.', ['who'], 'any'),
};

t.test('tells each series that changed, and by how much', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const { hits, level, took, seen } = registry.register('', CATALOGUE, [['source', 'b']]);
  hits.series({ who: 'born before' });
  const changes = traceChanges(registry);
  t.same(changes(), []);
  hits.inc({ who: 'q"' }, 2);
  hits.inc({ who: 'q"' });
  hits.inc({ who: 'nothing' }, 0);
  level.set({ who: 'x' }, 1);
  took.observe({}, 0.5);
  took.observe({}, 7);
  seen.series({ who: 'x' }, [['any', 'y']]).inc();
  t.same(changes(), [
    { series: 'test_hits_total{who="q\\"",source="b"}', by: 3 },
    { series: 'test_took_seconds{source="b"}', by: 2 },
    { series: 'test_seen{who="x",source="b",any="y"}', by: 1 },
  ]);
  hits.inc({ who: 'q"' });
  t.same(changes(), [{ series: 'test_hits_total{who="q\\"",source="b"}', by: 1 }]);
  t.same(changes(), []);
});

t.test('a series in the place of a forgotten one begins at 0', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const { seen } = registry.register('', CATALOGUE);
  const scrapers = new Scrapers(registry, 0);
  const changes = traceChanges(registry);
  for (let i = 0; i < 5; i++) seen.series({ who: 'x' }, []).inc();
  t.same(changes(), [{ series: 'test_seen{who="x"}', by: 5 }]);
  const family = registry.families.get('test_seen')!;
  const forget = (now: number) => {
    for (let hour = 0; hour < 3; hour++) {
      const collection = scrapers.begin('a', now + hour * NEWCOMER_MS);
      for (const _ of collection.collect(family));
      collection.delivered();
    }
  };
  forget(0);
  seen.series({ who: 'y' }, []).inc();
  t.same(changes(), [{ series: 'test_seen{who="y"}', by: 1 }]);
  t.equal(family.table?.length, 1, 'it took its place');
  seen.series({ who: 'y' }, []).inc();
  forget(4 * NEWCOMER_MS);
  t.same(changes(), [], 'nobody knows any more which series that was');
});

const GAUGES = {
  top: top('test_top', 'Top.', ['who']),
  different: distinct('test_distinct', 'Different.', ['who']),
  most: maximum('test_most_seconds', 'Most.', ['who']),
};

t.test('frequent and different values: what took one, and by how much it grew', (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const changes = traceChanges(registry);
  const { top, different } = registry.register('', GAUGES, [['source', 'b']]);
  const [tops, distincts] = [top.series({ who: 'x' }, 1), different.series({ who: 'x' })];
  const count = (value: string, times = 1) => {
    tops.add(tops.track(value), null, times);
    distincts.add(distincts.hash(value), null);
  };
  const grown = (value: string | null, by: number, different: number) => [
    ...(value === null ? [] : [{ series: `test_top{who="x",source="b",value="${value}"}`, by }]),
    { series: 'test_distinct{who="x",source="b"}', by: different },
  ];
  t.same(changes(), []);
  count('q"', 2);
  t.same(changes(), grown('q\\"', 2, 1));
  count('q"');
  t.same(changes(), grown('q\\"', 1, 0), 'counted, and known');
  count('r', 3);
  t.same(changes(), grown(null, 0, 1), 'one that is not shown has no series');
  count('r');
  t.same(changes(), grown('r', 1, 0), 'one that comes to be shown');
  count('r');
  count('s');
  count('r');
  t.same(changes(), grown('r', 2, 1));
  t.same(changes(), []);
  t.end();
});

t.test('sketches beyond the limit are told by the one that stands for them', (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const changes = traceChanges(registry);
  const { different } = registry.register('', GAUGES);
  for (let i = 0; i < SKETCH_LIMIT; i++) different.series({ who: `${i}` });
  const series = different.series({ who: 'more' });
  series.add(series.hash('a'), null);
  t.same(changes(), [{ series: 'test_distinct{who="other"}', by: 1 }]);
  t.end();
});

t.test('maxima: those with another value', (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const changes = traceChanges(registry);
  const { most } = registry.register('', GAUGES);
  const [x, y] = [most.series({ who: 'x' }), most.series({ who: 'y' })];
  const named = (who: string, value: number) => ({ series: `test_most_seconds{who="${who}"}`, value });
  x.observe(5, 0);
  t.same(changes(), [named('x', 5)]);
  x.observe(3, 60_000);
  t.same(changes(), [], 'none is greater');
  y.observe(1, 60 * 60_000);
  t.same(changes(), [named('x', 3), named('y', 1)], 'the first has left the hour');
  most.advance(10 * 60 * 60_000);
  t.same(changes(), []);
  x.observe(3, 10 * 60 * 60_000);
  t.same(changes(), [named('x', 3)], 'it was gone');
  t.end();
});
