import t from 'tap';
import { counter, gauge, histogram, since } from '../../../src/core/metrics/define.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { NEWCOMER_MS, Scrapers } from '../../../src/core/metrics/scrape.ts';
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
