import t from 'tap';
import { datedPlan } from '../../../src/lib/objects/dated.ts';
import type { Listing, Plan } from '../../../src/lib/objects/plan.ts';
import { memoryStore } from '../../support/memory-store.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const DAY = 86_400_000;
const go = new AbortController().signal;

function planAt(clock: { now: number }, prefix = '', isBranch: (folder: string) => boolean = () => true): Plan {
  const find: Plan['find'] = (key) => ({
    kind: key.includes('/20') || key.startsWith('20') ? 'log' : 'nothing',
    time: null,
  });
  return datedPlan({ prefix, lookBackMs: DAY, isBranch, find, now: () => clock.now });
}

async function listings(plan: Plan, store: ReturnType<typeof memoryStore>, from: number, to = NOW) {
  const found: Listing[] = [];
  for await (const listing of plan.listings(store, { from, to }, go)) found.push(listing);
  return found;
}

t.test('from the first open day on, in every folder that holds years', async (t) => {
  const store = memoryStore(() => NOW);
  for (const key of ['2026/01/02/x', 'a/eu/b/2025/12/31/x', 'a/us/b/2024/01/01/x', 'notes/x', 'a/eu/b/2025/12/31/y']) {
    store.put(key, 'x');
  }
  const plan = planAt({ now: NOW });
  t.same(
    (await listings(plan, store, NOW - DAY / 24)).map(({ prefix, startAfter, until }) => [prefix, startAfter, until]),
    [
      ['', '2025/12/30', ':'],
      ['a/eu/b/', 'a/eu/b/2025/12/30', 'a/eu/b/:'],
      ['a/us/b/', 'a/us/b/2025/12/30', 'a/us/b/:'],
    ],
    'today and the three days before',
  );
  t.equal((await listings(plan, store, NOW - 20 * DAY))[0]?.startAfter, '2025/12/13', 'since the last listing');
  t.equal((await listings(plan, store, Number.NEGATIVE_INFINITY))[0]?.startAfter, null);
  t.equal((await listings(plan, store, -1))[0]?.startAfter, null);
});

t.test('new folders are found within ten minutes, at once if there were none', async (t) => {
  const clock = { now: NOW };
  const store = memoryStore(() => NOW);
  const plan = planAt(clock, 'logs/');
  t.same(await listings(plan, store, NOW), []);
  store.put('logs/a/2026/01/02/x', 'x');
  store.put('other/2026/01/02/x', 'x');
  t.same(
    (await listings(plan, store, NOW)).map(({ prefix }) => prefix),
    ['logs/a/'],
  );
  store.put('logs/b/2026/01/02/x', 'x');
  const calls = store.lists.length;
  clock.now += 599_999;
  t.equal((await listings(plan, store, NOW)).length, 1);
  t.equal(store.lists.length, calls, 'without a call');
  clock.now += 1;
  t.same(
    (await listings(plan, store, NOW)).map(({ prefix }) => prefix),
    ['logs/a/', 'logs/b/'],
  );
});

t.test('branches that are not wanted are not gone into, nor too deep ones', async (t) => {
  const store = memoryStore(() => NOW);
  store.put('AWSLogs/2/2026/01/02/x', 'x');
  store.put('backup/2/2026/01/02/x', 'x');
  store.put(`${'AWSLogs/'.repeat(14)}2026/01/02/x`, 'x');
  const plan = planAt({ now: NOW }, '', (folder) => folder.startsWith('AWSLogs/'));
  t.same(
    (await listings(plan, store, NOW)).map(({ prefix }) => prefix),
    ['AWSLogs/2/'],
  );
  t.notOk(store.lists.some((prefix) => prefix.startsWith('backup')));
  t.same(planAt({ now: NOW }, 'p/').find('q/2026/01/02/x', 1), { kind: 'nothing' });
});
