import t from 'tap';
import { counter, gauge, histogram, since } from '../../../src/core/metrics/define.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { show } from '../../support/exposition.ts';

const CATALOGUE = {
  hits: counter('test_hits_total', 'Hits.', ['who']),
  level: gauge('test_level', 'Level.', ['who'], 'any'),
  took: histogram('test_took_seconds', 'Took.', [], [0.1, 1]),
  seen: since('test_seen_count', 'Seen.', ['who'], 'any'),
};

t.test('owners share a metric and keep their series apart', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const one = registry.register('one', CATALOGUE);
  const two = registry.register('two', CATALOGUE, [['source', 'b']]);
  one.hits.inc({ who: 'x' });
  two.hits.inc({ who: 'x' }, 2);
  one.level.set({ who: 'x' }, 1);
  two.level.replace([[{ who: 'x' }, 2]]);
  two.level.replace([[{ who: 'y' }, 3]]);
  t.same(await show(registry), {
    'test_hits_total{who="x"}': 1,
    'test_hits_total{who="x",source="b"}': 2,
    'test_level{who="x"}': 1,
    'test_level{who="y",source="b"}': 3,
  });
});

t.test('a metric is declared once', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  registry.register('one', CATALOGUE);
  t.throws(() => registry.register('two', { other: counter('test_hits_total', 'Else.', []) }), {
    message: 'metric test_hits_total is declared twice',
  });
});

t.test('a histogram counts each value in its bucket and those above', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const { took } = registry.register('one', CATALOGUE);
  for (const seconds of [0.05, 0.1, 0.5, 7]) took.observe({}, seconds);
  t.same(await show(registry), {
    'test_took_seconds_bucket{le="0.1"}': 2,
    'test_took_seconds_bucket{le="1"}': 3,
    'test_took_seconds_bucket{le="+Inf"}': 4,
    test_took_seconds_sum: 7.65,
    test_took_seconds_count: 4,
  });
});

t.test('over the limit one series takes the rest, and totals stay exact', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { hits, seen, level } = registry.register('one', CATALOGUE);
  for (let i = 0; i < 10_000; i++) {
    hits.inc({ who: `w${i}` });
    seen.series({ who: `w${i % 50}` }, [['any', `v${i}`]]).inc();
  }
  level.replace(Array.from({ length: 1_000 }, (_, i) => [{ who: 'x' }, 1, [['any', `v${i}`]]] as const));
  const shown = await show(registry);
  const total = (name: string) =>
    Object.entries(shown)
      .filter(([series]) => series.startsWith(name))
      .reduce((sum, [, value]) => sum + value, 0);
  t.equal(total('test_hits_total'), 10_000);
  t.equal(shown['test_hits_total{who="other"}'], 9_900);
  t.equal(total('test_seen_count'), 10_000);
  t.ok(shown['test_seen_count{who="w3",any="other"}'], 'the fixed labels stay');
  t.equal(total('test_level'), 1_000);
  t.equal(shown['test_level{who="x",any="other"}'], 900);
  t.equal(registry.families.get('test_hits_total')?.limited, 9_900);
  t.ok(Object.keys(shown).length <= 100 + 1 + 100 + 50 + 100 + 1);
});

t.test('labels that only the data names are shown in the order of their names', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const { seen } = registry.register('one', CATALOGUE);
  seen
    .series({ who: 'x' }, [
      ['b', '1'],
      ['a', '2'],
    ])
    .inc();
  seen
    .series({ who: 'x' }, [
      ['a', '2'],
      ['b', '1'],
    ])
    .inc();
  t.same(await show(registry), { 'test_seen_count{who="x",a="2",b="1"}': 2 });
});

t.test('saved series come back at their places', async (t) => {
  const first = new Registry({ seriesLimit: 10 });
  const before = first.register('one', CATALOGUE);
  before.hits.inc({ who: 'x' }, 5);
  before.took.observe({}, 0.5);
  first.register('gone', CATALOGUE, [['source', 'gone']]).hits.inc({ who: 'x' }, 9);
  const { births, pages } = first.store.take();

  const second = new Registry({ seriesLimit: 10 });
  const after = second.register('one', CATALOGUE);
  second.restore(
    births,
    pages.map(({ page, values }) => [page, values] as const),
  );
  after.hits.inc({ who: 'x' });
  after.hits.inc({ who: 'new' });
  const shown = await show(second);
  t.equal(shown['test_hits_total{who="x"}'], 6);
  t.equal(shown['test_hits_total{who="new"}'], 1);
  t.equal(shown.test_took_seconds_count, 1);
  t.notOk('test_hits_total{who="x",source="gone"}' in shown, 'an owner that is gone is not shown');
});
