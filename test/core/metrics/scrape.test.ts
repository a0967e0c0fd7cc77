import fc from 'fast-check';
import t from 'tap';
import { counter, since } from '../../../src/core/metrics/define.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { restoreSeries, takeSeries } from '../../../src/core/metrics/saved.ts';
import {
  type Collection,
  NEWCOMER_MS,
  SCRAPER_LIMIT,
  SCRAPER_TTL_MS,
  Scrapers,
} from '../../../src/core/metrics/scrape.ts';
import { MemoryCells } from '../../support/cells.ts';

const CATALOGUE = { seen: since('seen', 'Seen.', ['who']) };

function create() {
  const registry = new Registry({ seriesLimit: 10_000 });
  const { seen } = registry.register('o', CATALOGUE);
  const family = registry.families.get('seen')!;
  const { keys } = family.table!;
  const scrapers = new Scrapers(registry, 0);
  const add = (who: string, by = 1) => {
    const series = seen.series({ who }, []);
    for (let i = 0; i < by; i++) series.inc();
    return series;
  };
  /** What a collection gives, row by row. */
  function* rowsOf(collection: Collection): Generator<readonly [string, number]> {
    for (const { rows, amounts } of collection.collect(family)) {
      for (const [index, row] of rows.entries())
        yield [registry.texts.symbols.text(keys.id(row, 0)), amounts[index] ?? Number.NaN];
    }
  }
  const collect = (id: string, now = 0) => {
    const collection = scrapers.begin(id, now);
    return { ...collection, rows: Object.fromEntries(rowsOf(collection)) };
  };
  const given = (id: string, now = 0) => {
    const { rows, delivered } = collect(id, now);
    delivered();
    return rows;
  };
  return { registry, scrapers, add, rowsOf, collect, given, size: () => family.table!.count };
}

t.test('each scraper sees each event once', async (t) => {
  const { add, given } = create();
  add('x', 2);
  t.same(given('a'), { x: 2 });
  add('x');
  add('y');
  t.same(given('b'), { x: 3, y: 1 }, 'a new one gets all since the beginning');
  t.same(given('a'), { x: 1, y: 1 });
  t.same(given('a'), {});
  t.same(given('b'), {});
});

t.test('what did not arrive is owed again', async (t) => {
  const { add, collect, given } = create();
  add('x', 2);
  const broken = collect('a');
  add('x');
  t.same(broken.rows, { x: 2 });
  t.same(collect('a').rows, { x: 1 }, 'two at once get different events');
  broken.failed();
  t.same(given('a'), { x: 2 });
});

t.test('a series that everyone has seen is forgotten in time, and begins anew', async (t) => {
  const { add, given, size } = create();
  const first = add('x', 4);
  t.same(given('a', 1), { x: 4 });
  given('a', NEWCOMER_MS + 1);
  t.ok(first.alive, 'a new scraper would get it still');
  given('a', 2 * NEWCOMER_MS + 2);
  t.notOk(first.alive);
  t.equal(size(), 0);
  add('x');
  t.same(given('a', 2 * NEWCOMER_MS + 3), { x: 1 });
});

t.test('a new scraper gets at least the last hour, and not the day before', async (t) => {
  const { add, given } = create();
  add('x', 5);
  given('a', 0);
  given('a', NEWCOMER_MS);
  add('x', 2);
  given('a', 2 * NEWCOMER_MS);
  t.same(given('b', 2 * NEWCOMER_MS + 1), { x: 2 });
});

t.test('one who was away gets all of it, but not after a day', async (t) => {
  const { add, given } = create();
  given('a', 0);
  given('away', 0);
  for (let hour = 1; hour < 20; hour++) {
    add('x');
    t.same(given('a', hour * NEWCOMER_MS), { x: 1 });
  }
  t.same(given('away', 20 * NEWCOMER_MS), { x: 19 });
  given('a', 20 * NEWCOMER_MS + SCRAPER_TTL_MS);
  t.same(given('away', 20 * NEWCOMER_MS + SCRAPER_TTL_MS), {}, 'it is a new one now');
});

t.test('the one not seen for longest makes room', async (t) => {
  const { add, given, scrapers } = create();
  for (let i = 0; i < SCRAPER_LIMIT; i++) given(`s${i}`, i);
  given('s0', 100);
  add('x');
  given('new', 101);
  t.equal(scrapers.list().length, SCRAPER_LIMIT);
  t.notOk(scrapers.list().some(({ id }) => id === 's1'));
  t.equal(new Set(scrapers.list().map(({ index }) => index)).size, SCRAPER_LIMIT);
  t.same(given('s0', 102), { x: 1 });
});

t.test('what is owed survives being saved', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      who: fc.constantFrom('x', 'y', 'z'),
      by: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ do: fc.constantFrom('give' as const, 'break' as const), id: fc.constantFrom('a', 'b') }),
    fc.record({ do: fc.constant('hour' as const) }),
    fc.record({ do: fc.constant('restart' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let life = create();
      const disk = new MemoryCells();
      const truth = new Map<string, number>();
      const seen = new Map<string, number>();
      let now = 0;
      const give = (id: string) => {
        for (const [who, value] of Object.entries(life.given(id, now))) {
          seen.set(id + who, (seen.get(id + who) ?? 0) + value);
        }
      };
      // Both scrapers come before anything happens, so that all is owed to both.
      for (const id of ['a', 'b']) give(id);
      for (const step of steps) {
        if (step.do === 'add') {
          life.add(step.who, step.by);
          truth.set(step.who, (truth.get(step.who) ?? 0) + step.by);
        } else if (step.do === 'give') give(step.id);
        else if (step.do === 'break') life.collect(step.id, now).failed();
        else if (step.do === 'hour') now += NEWCOMER_MS / 2;
        else {
          disk.save(takeSeries(life.registry));
          const list = life.scrapers.list();
          life = create();
          restoreSeries(life.registry, disk.load());
          life.scrapers.restore(list);
        }
        if (now > SCRAPER_TTL_MS / 2) break;
        for (const [key, value] of seen) if (value > (truth.get(key.slice(1)) ?? 0)) return false;
      }
      for (const id of ['a', 'b']) {
        give(id);
        for (const [who, value] of truth) if (seen.get(id + who) !== value) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

t.test('what one is being given is not forgotten because all others have it', async (t) => {
  const { add, collect, given, size } = create();
  given('a');
  add('x');
  // Newcomers do not get it any more.
  for (const hour of [1, 2, 3]) given('b', hour * NEWCOMER_MS);
  const hanging = collect('a', 3 * NEWCOMER_MS);
  t.same(hanging.rows, { x: 1 });
  given('b', 3 * NEWCOMER_MS);
  t.equal(size(), 1);
  hanging.failed();
  t.same(given('a', 3 * NEWCOMER_MS), { x: 1 });
  t.equal(size(), 0);
});

t.test('what one was given and did not get is not owed to the one that has its place', async (t) => {
  const { add, collect, given } = create();
  add('x');
  const hanging = collect('0');
  for (let i = 1; i <= SCRAPER_LIMIT; i++) given(String(i), i);
  hanging.failed();
  for (let i = 1; i <= SCRAPER_LIMIT; i++) t.same(given(String(i), 100), {});
});

t.test('one that is forgotten while it collects takes nothing from the one that has its place', async (t) => {
  const { add, scrapers, rowsOf, given } = create();
  // More than are given at a time.
  const many = Array.from({ length: 3_000 }, (_, i) => [`w${i}`, 1] as const);
  for (const [who] of many) add(who);
  const rows = rowsOf(scrapers.begin('0', 0));
  t.same(rows.next().value, ['w0', 1]);
  for (let i = 1; i < SCRAPER_LIMIT; i++) given(String(i), i);
  const next = scrapers.begin('next', 100);
  t.ok([...rows].length < 1_500, 'it got no more than it was being given');
  t.same([...rowsOf(next)], many);
});

t.test('a clock that was set back does not keep what everyone has seen', async (t) => {
  const { add, given, size } = create();
  add('x');
  given('a', 1_000 * NEWCOMER_MS);
  for (let hour = 0; hour < 4; hour++) given('a', hour * NEWCOMER_MS);
  t.equal(size(), 0);
});

t.test('what a later answer showed is not shown at 0 again because an earlier one failed', async (t) => {
  const { registry, scrapers } = create();
  const known = (births: number) => {
    registry.births = births;
    return scrapers.begin('a', 0);
  };
  known(10).delivered();
  const hanging = known(20);
  t.equal(hanging.known, 10);
  const later = known(20);
  t.equal(later.known, 10, 'nobody knows yet that the first one arrives');
  later.delivered();
  hanging.failed();
  t.equal(known(20).known, 20);
  const alone = known(30);
  alone.failed();
  t.equal(known(30).known, 20, 'else it is');
});

t.test('of collections that overlap, those that failed have shown nothing', async (t) => {
  const cases = [
    { ends: ['fail 1', 'fail 2'], known: 0 },
    { ends: ['fail 2', 'fail 1'], known: 0 },
    { ends: ['fail 1', 'deliver 2'], known: 2 },
    { ends: ['deliver 2', 'fail 1'], known: 2 },
    { ends: ['deliver 1', 'fail 2'], known: 1 },
    { ends: ['fail 2', 'deliver 1'], known: 1 },
  ];
  for (const { ends, known } of cases) {
    const registry = new Registry({ seriesLimit: 100 });
    const { hits } = registry.register('o', { hits: counter('hits_total', 'Hits.', ['who']) });
    const scrapers = new Scrapers(registry, 0);
    scrapers.begin('a', 0).delivered();
    const first = registry.births;
    const collections = [1, 2].map((who) => {
      hits.inc({ who: String(who) });
      return scrapers.begin('a', who);
    });
    for (const end of ends) {
      const collection = collections[Number(end.at(-1)) - 1]!;
      if (end.startsWith('fail')) collection.failed();
      else collection.delivered();
    }
    t.equal(scrapers.begin('a', 3).known - first, known, ends.join(', '));
  }
});

t.test('whatever overlaps and fails, a series is shown at 0 before its value, and never after it', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('bear' as const) }),
    fc.record({ do: fc.constant('begin' as const) }),
    fc.record({ do: fc.constant('end' as const), which: fc.nat(3), arrives: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { registry, scrapers } = create();
      scrapers.begin('a', 0).delivered();
      const first = registry.births;
      const all: { readonly collection: Collection; readonly births: number; arrived: boolean }[] = [];
      const open = new Set<(typeof all)[number]>();
      for (const step of steps) {
        if (step.do === 'bear') registry.births += 1;
        else if (step.do === 'begin') {
          const one = { collection: scrapers.begin('a', 0), births: registry.births, arrived: false };
          all.push(one);
          open.add(one);
        } else {
          const one = [...open][step.which];
          if (!one) continue;
          open.delete(one);
          one.arrived = step.arrives;
          if (step.arrives) one.collection.delivered();
          else one.collection.failed();
        }
      }
      const arrived = all.filter((one) => one.arrived);
      for (let series = first; series < registry.births; series++) {
        const shown = arrived
          .filter(({ births }) => series < births)
          .map(({ collection }) => (series < collection.known ? 'value' : 'zero'))
          .join(' ');
        if (!/^(zero( zero)*( value)*)?$/.test(shown)) throw new Error(`series ${series}: ${shown}`);
      }
    }),
    { numRuns: 500 },
  );
});

t.test('what is saved while a collection is under way has not been shown', (t) => {
  const { registry, scrapers } = create();
  const begin = (births: number) => {
    registry.births = births;
    return scrapers.begin('a', births);
  };
  const saved = () => {
    const [scraper] = scrapers.saved();
    return [scrapers.takeChanged(), scraper?.shown, scraper?.last];
  };
  begin(10).delivered();
  t.same(saved(), [true, 10, 10]);
  const first = begin(20);
  t.same(saved(), [true, 10, 10]);
  const second = begin(30);
  t.same(saved(), [true, 10, 10]);
  first.failed();
  t.same(saved(), [true, 10, 10]);
  second.delivered();
  t.same(saved(), [true, 30, 30]);
  t.same(saved(), [false, 30, 30]);
  t.end();
});
