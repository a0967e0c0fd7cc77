import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { counter, gauge, histogram, since } from '../../../src/core/metrics/define.ts';
import { LABEL_VALUE_LIMIT, type Label } from '../../../src/core/metrics/labels.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { exposed, show } from '../../support/exposition.ts';
import { parseExposition, seriesKey } from '../../support/strict-exposition.ts';

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

t.test('an empty label is an absent one', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const { hits, seen, level } = registry.register('one', CATALOGUE);
  hits.inc({ who: '' });
  seen.series({ who: '' }, []).inc();
  seen.series({ who: '' }, [['any', '']]).inc();
  seen.series({ who: '' }, [['any', 'x']]).inc();
  level.set({ who: '' }, 5);
  const shown = await show(registry);
  t.same(shown, { test_hits_total: 1, test_level: 5, test_seen_count: 2, 'test_seen_count{any="x"}': 1 });
});

t.test('labels that the data names may be many and long', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { seen } = registry.register('one', CATALOGUE);
  const long = (end: string): Label[] => [
    ['a', 'q"'.repeat(400)],
    ['b', `${'x'.repeat(1_000)}${end}`],
    ['c', `${'ü'.repeat(5_000)}${end}`],
  ];
  for (const end of ['1', '2', '1']) seen.series({ who: 'x' }, long(end)).inc();
  const { samples } = parseExposition(await exposed(registry));
  const labels = [...samples.values()].map(({ labels, value }) => [labels.get('a'), labels.get('b')?.at(-1), value]);
  t.same(labels, [
    ['q"'.repeat(400), '1', 2],
    ['q"'.repeat(400), '2', 1],
  ]);
  for (const { labels } of samples.values()) t.equal(labels.get('c')?.length, LABEL_VALUE_LIMIT);
});

t.test('values that look like other labels make series of their own', async () => {
  const two = counter('test_two_total', 'Two.', ['a', 'b']);
  const hostile = fc.constantFrom(
    '',
    '"',
    ',',
    '"x',
    '",b="',
    'a="b",c',
    'a="b",c="',
    '\\',
    '\\"',
    '\n',
    '{',
    '}',
    '\0',
  );
  const set = fc.record({ a: hostile, b: hostile, any: hostile });
  await fc.assert(
    fc.asyncProperty(fc.array(set, { maxLength: 30 }), async (sets) => {
      const registry = new Registry({ seriesLimit: 1_000 });
      const metrics = registry.register('one', { two, seen: CATALOGUE.seen });
      const wanted = new Map<string, number>();
      const count = (name: string, labels: readonly Label[]) => {
        const key = seriesKey(
          name,
          labels.filter(([, value]) => value !== ''),
        );
        wanted.set(key, (wanted.get(key) ?? 0) + 1);
      };
      for (const { a, b, any } of sets) {
        metrics.two.inc({ a, b });
        count('test_two_total', Object.entries({ a, b }));
        metrics.seen.series({ who: a }, [['any', any]]).inc();
        count('test_seen_count', Object.entries({ who: a, any }));
      }
      const { samples } = parseExposition(await exposed(registry));
      const found = new Map([...samples].map(([key, { value }]) => [key, value]));
      if (!isDeepStrictEqual(found, wanted)) throw new Error(`${[...found.keys()]} for ${[...wanted.keys()]}`);
    }),
    { numRuns: 200 },
  );
});

t.test('a stream of new values at the limit is counted and costs no memory', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { hits, seen } = registry.register('one', CATALOGUE);
  for (let i = 0; i < 100_000; i++) {
    hits.inc({ who: `w${i}` });
    seen.series({ who: 'x' }, [['any', `v${i}`]]).inc();
  }
  const shown = await show(registry);
  t.equal(
    Object.values(shown).reduce((sum, value) => sum + value, 0),
    200_000,
  );
  t.equal(shown['test_hits_total{who="other"}'], 99_900);
  const { symbols, suffixes } = registry.texts;
  t.ok(symbols.size <= 100 + 3, `${symbols.size} values`);
  t.ok(suffixes.size <= 100 + 2, `${suffixes.size} label texts`);
});

t.test('gauges that are replaced while they are shown are not shown twice', async (t) => {
  const registry = new Registry({ seriesLimit: 100_000 });
  const { level } = registry.register('one', CATALOGUE);
  const again = registry.register('one', CATALOGUE);
  const all = Array.from({ length: 40_000 }, (_, index) => [{ who: `w${index}` }, index] as const);
  level.replace(all);
  const text = exposed(registry);
  const timer = setImmediate(() => again.level.replace(all));
  const { samples } = parseExposition(await text);
  clearImmediate(timer);
  t.equal(samples.size, 40_000);
  level.set({ who: 'new' }, 1);
  t.equal(Object.keys(await show(registry)).length, 40_001, 'two handles of one owner show the same');
});

t.test('a million different values leave no more behind than the limit allows', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { hits, seen } = registry.register('one', CATALOGUE);
  for (let i = 0; i < 1_000_000; i++) hits.inc({ who: `w${i}` });
  for (let i = 0; i < 100_000; i++) seen.series({ who: 'x' }, [['any', `v${i}`]]).inc();
  const { symbols, suffixes } = registry.texts;
  t.ok(symbols.size <= 103, `${symbols.size} label values`);
  t.ok(suffixes.size <= 103, `${suffixes.size} label texts`);
  const shown = await show(registry);
  const sum = (name: string) =>
    Object.entries(shown).reduce((sum, [series, value]) => sum + (series.startsWith(name) ? value : 0), 0);
  t.same([sum('test_hits_total'), sum('test_seen_count')], [1_000_000, 100_000]);
});

t.test('a limit of one metric, and one of all together', async (t) => {
  const registry = new Registry({ seriesLimit: 10, seriesLimits: { test_seen_count: 3 }, seriesTotal: 15 });
  const { hits, seen, level } = registry.register('one', CATALOGUE);
  for (let i = 0; i < 100; i++) seen.series({ who: `w${i}` }, []).inc();
  for (let i = 0; i < 100; i++) hits.inc({ who: `w${i}` });
  level.replace(Array.from({ length: 100 }, (_, i) => [{ who: `w${i}` }, 1] as const));
  const shown = await show(registry);
  const of = (name: string) => Object.entries(shown).filter(([series]) => series.startsWith(name));
  const total = (name: string) => of(name).reduce((sum, [, value]) => sum + value, 0);
  t.same(
    ['test_seen_count', 'test_hits_total', 'test_level'].map((name) => of(name).length),
    [4, 11, 1],
  );
  t.same(['test_seen_count', 'test_hits_total', 'test_level'].map(total), [100, 100, 100]);
  t.equal(shown['test_level{who="other"}'], 100);
});

t.test('metrics of the program itself tell of others at any limit', async (t) => {
  const registry = new Registry({ seriesLimit: 1, seriesTotal: 1 });
  const { series, hits } = registry.register('', {
    series: gauge('trailgauge_series', 'Series.', ['metric']),
    hits: CATALOGUE.hits,
  });
  for (const name of ['a', 'b', 'c']) {
    series.set({ metric: name }, 1);
    hits.inc({ who: name });
  }
  const shown = await show(registry);
  t.match(shown, { 'trailgauge_series{metric="a"}': 1, 'trailgauge_series{metric="c"}': 1 });
  t.equal(shown['test_hits_total{who="other"}'], 3);
});
