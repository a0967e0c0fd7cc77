import fc from 'fast-check';
import t from 'tap';
import { counter, histogram, since } from '../../../src/core/metrics/define.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { isChanged, restoreSeries, takeSeries } from '../../../src/core/metrics/saved.ts';
import { NEWCOMER_MS, type Scraper, Scrapers } from '../../../src/core/metrics/scrape.ts';
import { MemoryCells } from '../../support/cells.ts';
import { EngineRig } from '../../support/engine-rig.ts';
import { events, restarts, scrapes } from '../../support/engine-steps.ts';
import { show } from '../../support/exposition.ts';

t.test('after a restart all is as it was when it was last saved', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...events, ...scrapes, ...restarts), { maxLength: 80 }), (steps) =>
      new EngineRig().run(steps),
    ),
    { numRuns: 300 },
  );
});

/** More rows than any page has. */
const MANY = 600;

const HITS = counter('hits_total', 'Hits.', ['who']);
const SEEN = since('seen', 'Seen.', ['who'], 'any');
const took = (bounds: readonly number[]) => histogram('took_seconds', 'Took.', ['who'], bounds);

interface Life {
  readonly registry: Registry;
  readonly scrapers: Scrapers;
  scrape(id?: string): Promise<Record<string, number>>;
  save(): void;
}

/** A process after a start with what is on a disk; `register` is given its registry. */
function start<T>(disk: MemoryCells, register: (registry: Registry) => T, limit = 1_000): Life & T {
  const registry = new Registry({ seriesLimit: limit });
  const handles = register(registry);
  const scrapers = new Scrapers(registry, 0);
  const saved = disk.load();
  restoreSeries(registry, saved);
  scrapers.restore((saved.under('scrapers')[0]?.[1] ?? []) as readonly Scraper[]);
  return {
    registry,
    scrapers,
    scrape: async (id = 'a') => {
      const collection = scrapers.begin(id, 0);
      const shown = await show(registry, { collection });
      collection.delivered();
      return shown;
    },
    save: () => disk.save([...takeSeries(registry), [['scrapers'], scrapers.saved()]]),
    ...handles,
  };
}

t.test('a series born after a restart is shown at 0 first to a scraper that came before', async (t) => {
  const disk = new MemoryCells();
  const register = (registry: Registry) => registry.register('o', { hits: HITS, seen: SEEN });
  const first = start(disk, register);
  first.hits.inc({ who: 'old' }, 3);
  // It takes a number, and is forgotten before anything is saved.
  const gone = first.seen.series({ who: 'gone' }, []);
  await first.scrape();
  for (const hour of [1, 2, 3]) first.scrapers.begin('a', hour * NEWCOMER_MS).delivered();
  t.notOk(gone.alive);
  first.save();

  const second = start(disk, register);
  second.hits.inc({ who: 'new' }, 5);
  t.same(await second.scrape('a'), { 'hits_total{who="old"}': 3, 'hits_total{who="new"}': 0 });
  second.hits.inc({ who: 'unseen' }, 4);
  second.save();

  const third = start(disk, register);
  const known = { 'hits_total{who="old"}': 3, 'hits_total{who="new"}': 5 };
  t.same(await third.scrape('a'), { ...known, 'hits_total{who="unseen"}': 0 });
  const whole = { ...known, 'hits_total{who="unseen"}': 4 };
  t.same(await third.scrape('a'), whole);
  t.same(await third.scrape('b'), whole, 'one that is new itself sees the values at once');
});

t.test('an owner that is gone is not shown, takes no room, and finds its series when it is back', async (t) => {
  const disk = new MemoryCells();
  const constant = [['source', 'two']] as const;
  const both = (registry: Registry) => ({
    one: registry.register('one', { hits: HITS, seen: SEEN }),
    two: registry.register('two', { hits: HITS, seen: SEEN }, constant),
  });
  const first = start(disk, both, 10);
  first.one.hits.inc({ who: 'x' });
  for (let i = 0; i < 9; i++) first.two.hits.inc({ who: `w${i}` }, 10);
  first.two.seen.series({ who: 'x' }, []).inc();
  first.save();

  const second = start(disk, (registry) => ({ one: registry.register('one', { hits: HITS, seen: SEEN }) }), 10);
  for (let i = 0; i < 9; i++) second.one.hits.inc({ who: `v${i}` });
  const shown = await second.scrape();
  t.equal(Object.keys(shown).length, 10);
  t.equal(shown['hits_total{who="v8"}'], 1, 'not other');
  second.save();

  const third = start(disk, both, 20);
  third.two.hits.inc({ who: 'w8' });
  const all = await third.scrape('b');
  t.equal(all['hits_total{who="v8"}'], 1);
  t.equal(all['hits_total{who="w8",source="two"}'], 11);
  t.equal(all['seen{who="x",source="two"}'], 1);
});

t.test('series of an owner that is gone go to the one who counts in them now', async (t) => {
  const disk = new MemoryCells();
  const first = start(disk, (registry) => registry.register('before', { hits: HITS }));
  first.hits.inc({ who: 'x' }, 5);
  first.hits.inc({ who: 'y' }, 7);
  first.save();
  const second = start(disk, (registry) => registry.register('after', { hits: HITS }));
  second.hits.inc({ who: 'x' });
  t.same(await second.scrape(), { 'hits_total{who="x"}': 6 });
  second.save();
  const third = start(disk, (registry) => registry.register('after', { hits: HITS }));
  t.same(await third.scrape(), { 'hits_total{who="x"}': 6 });
});

t.test('a histogram with other buckets begins anew, and so it stays', async (t) => {
  const bounds = [[0.1, 1], [0.1, 2], [1], [0.1, 1, 2, 3, 4, 5, 6], [], [0.1, 1, 2, 3, 4, 5]];
  for (const changed of bounds.slice(1)) {
    const disk = new MemoryCells();
    const life = (bounds: readonly number[]) =>
      start(disk, (registry) => registry.register('o', { took: took(bounds) }));
    const first = life(bounds[0]!);
    // Of several pages, of which the later ones are not written again.
    for (let i = 0; i < MANY; i++) first.took.observe({ who: `w${i}` }, 0.5);
    first.save();
    const second = life(changed);
    t.same(await second.scrape(), {});
    second.took.observe({ who: 'w0' }, 7);
    second.save();
    const third = life(changed);
    const shown = await third.scrape('b');
    t.equal(Object.keys(shown).length, changed.length + 3, `${changed}`);
    t.equal(shown['took_seconds_sum{who="w0"}'], 7);
    t.equal(Object.keys(await life(bounds[0]!).scrape('c')).length, MANY * 5, 'what was saved is there still');
  }
});

t.test('a metric with other labels begins anew', async (t) => {
  const disk = new MemoryCells();
  const life = (labels: readonly string[]) => {
    return start(disk, (registry) => registry.register('o', { hits: counter('hits_total', 'Hits.', labels) }));
  };
  const first = life(['a', 'b']);
  first.hits.inc({ a: 'x', b: '1' });
  first.hits.inc({ a: 'x', b: '2' });
  first.save();
  t.same(await life(['a']).scrape(), {});
  t.same(await life(['b', 'a']).scrape(), {});
  t.same(await life(['a', 'b']).scrape(), { 'hits_total{a="x",b="1"}': 1, 'hits_total{a="x",b="2"}': 1 });
});

t.test('only what changed is saved', async (t) => {
  const disk = new MemoryCells();
  const { registry, hits, seen } = start(disk, (registry) => registry.register('o', { hits: HITS, seen: SEEN }));
  const kinds = () => takeSeries(registry).map(([[kind, , ...page]]) => [kind, ...page].join(' '));
  t.notOk(isChanged(registry));
  for (let i = 0; i < MANY; i++) hits.inc({ who: `w${i}` });
  t.ok(isChanged(registry));
  t.equal(kinds().length, 10 + 2, 'pages of rows, and of totals');
  t.notOk(isChanged(registry));
  hits.inc({ who: 'w550' });
  t.ok(isChanged(registry));
  t.same(kinds(), ['totals 1']);
  seen.series({ who: 'x' }, []).inc();
  t.same(kinds(), ['rows 0', 'totals 0', 'since base 0', 'since oldBase 0']);
  t.same(kinds(), []);
});
