import fc from 'fast-check';
import t from 'tap';
import { NEWCOMER_MS, SCRAPER_LIMIT, SCRAPER_TTL_MS, Scrapers } from '../../../src/core/metrics/scrape.ts';
import { type SavedSince, SinceStore } from '../../../src/core/metrics/since.ts';

function create() {
  const owed = new SinceStore();
  const scrapers = new Scrapers(owed, 0);
  const add = (text: string, by = 1) => owed.inc(owed.find('f', text) ?? owed.create('f', 's', text), by);
  const collect = (id: string, now = 0) => {
    const collection = scrapers.begin(id, 0, now);
    const rows = Object.fromEntries(collection.collect('f'));
    return { rows, collection };
  };
  const given = (id: string, now = 0) => {
    const { rows, collection } = collect(id, now);
    collection.delivered();
    return rows;
  };
  return { owed, scrapers, add, collect, given };
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
  broken.collection.failed();
  t.same(given('a'), { x: 2 });
});

t.test('a series that everyone has seen is forgotten in time, and begins anew', async (t) => {
  const { add, given, owed } = create();
  const first = owed.create('f', 's', 'x');
  owed.inc(first, 4);
  t.same(given('a', 1), { x: 4 });
  given('a', NEWCOMER_MS + 1);
  t.ok(first.alive, 'a new scraper would get it still');
  given('a', 2 * NEWCOMER_MS + 2);
  t.notOk(first.alive);
  t.equal(owed.size('f'), 0);
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
      text: fc.constantFrom('x', 'y', 'z'),
      by: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ do: fc.constantFrom('give' as const, 'break' as const), id: fc.constantFrom('a', 'b') }),
    fc.record({ do: fc.constant('hour' as const) }),
    fc.record({ do: fc.constant('restart' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let { owed, scrapers } = create();
      const disk = new Map<number, SavedSince>();
      const truth = new Map<string, number>();
      const seen = new Map<string, number>();
      let now = 0;
      // Both scrapers come before anything happens, so that all is owed to both.
      for (const id of ['a', 'b']) scrapers.begin(id, 0, now).delivered();
      for (const step of steps) {
        if (step.do === 'add') {
          owed.inc(owed.find('f', step.text) ?? owed.create('f', 's', step.text), step.by);
          truth.set(step.text, (truth.get(step.text) ?? 0) + step.by);
        } else if (step.do === 'give' || step.do === 'break') {
          const collection = scrapers.begin(step.id, 0, now);
          const rows = collection.collect('f');
          if (step.do === 'break') collection.failed();
          else {
            for (const [text, value] of rows) seen.set(step.id + text, (seen.get(step.id + text) ?? 0) + value);
            collection.delivered();
          }
        } else if (step.do === 'hour') now += NEWCOMER_MS / 2;
        else {
          for (const { slot, saved } of owed.take()) {
            if (saved) disk.set(slot, structuredClone(saved));
            else disk.delete(slot);
          }
          const list = scrapers.list();
          ({ owed, scrapers } = create());
          for (const [slot, saved] of disk) owed.restore(slot, saved);
          owed.restored();
          scrapers.restore(list);
        }
        if (now > SCRAPER_TTL_MS / 2) break;
        for (const id of ['a', 'b'])
          for (const text of ['x', 'y', 'z']) {
            if ((seen.get(id + text) ?? 0) > (truth.get(text) ?? 0)) return false;
          }
      }
      for (const id of ['a', 'b']) {
        for (const [text, value] of scrapers.begin(id, 0, now).collect('f')) {
          seen.set(id + text, (seen.get(id + text) ?? 0) + value);
        }
        for (const [text, value] of truth) if (seen.get(id + text) !== value) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});
