import t from 'tap';
import { NEWCOMER_MS, SCRAPER_LIMIT, Scrapers } from '../../../src/core/metrics/scrape.ts';
import { SinceStore } from '../../../src/core/metrics/since.ts';

function create() {
  const owed = new SinceStore();
  const scrapers = new Scrapers(owed, 0);
  const add = (text: string) => owed.inc(owed.find('f', text) ?? owed.create('f', 's', text), 1);
  const begin = (id: string, { now = 0, used = 0 } = {}) => {
    const collection = scrapers.begin(id, used, now);
    return { ...collection, rows: Object.fromEntries(collection.collect('f')) };
  };
  return { owed, add, begin };
}

t.test('what one is being given is not forgotten because all others have it', async (t) => {
  const { owed, add, begin } = create();
  begin('a').delivered();
  add('x');
  // Newcomers do not get it any more.
  for (const hour of [1, 2, 3]) begin('b', { now: hour * NEWCOMER_MS }).delivered();
  const hanging = begin('a', { now: 3 * NEWCOMER_MS });
  t.same(hanging.rows, { x: 1 });
  begin('b', { now: 3 * NEWCOMER_MS }).delivered();
  t.equal(owed.size('f'), 1);
  hanging.failed();
  const again = begin('a', { now: 3 * NEWCOMER_MS });
  t.same(again.rows, { x: 1 });
  again.delivered();
  t.equal(owed.size('f'), 0);
});

t.test('what one was given and did not get is not owed to the one that has its place', async (t) => {
  const { add, begin } = create();
  add('x');
  const hanging = begin('0');
  for (let i = 1; i <= SCRAPER_LIMIT; i++) begin(String(i), { now: i }).delivered();
  hanging.failed();
  for (let i = 1; i <= SCRAPER_LIMIT; i++) t.same(begin(String(i), { now: 100 }).rows, {});
});

t.test('what a later answer showed is not shown at 0 again because an earlier one failed', async (t) => {
  const { begin } = create();
  begin('a', { used: 10 }).delivered();
  const hanging = begin('a', { used: 20 });
  t.equal(hanging.known, 10);
  const later = begin('a', { used: 20 });
  t.equal(later.known, 20);
  later.delivered();
  hanging.failed();
  t.equal(begin('a', { used: 20 }).known, 20);
  const alone = begin('a', { used: 30 });
  alone.failed();
  t.equal(begin('a', { used: 30 }).known, 20, 'else it is');
});
