import t from 'tap';
import { everPlan, loosePlan } from '../../../src/lib/objects/loose.ts';
import type { Listing, Plan, Span } from '../../../src/lib/objects/plan.ts';
import { memoryStore } from '../../support/memory-store.ts';

const { signal } = new AbortController();
const NOW: Span = { from: 1_000, to: 2_000 };

/** A plan of one folder that holds `.log`s, and what it was asked for. */
function folderPlan(folder: string, asked: Span[] = []): Plan {
  return {
    lookBackMs: 7,
    find: (key) => (key.startsWith(folder) && key.endsWith('.log') ? { kind: 'log', time: 1 } : { kind: 'nothing' }),
    listings: async function* (_store, span): AsyncGenerator<Listing> {
      asked.push(span);
      yield { prefix: folder, startAfter: null, flat: false, ordered: true };
    },
  };
}

async function prefixesOf(plan: Plan, store: ReturnType<typeof memoryStore>): Promise<readonly string[]> {
  const prefixes: string[] = [];
  for await (const { prefix } of plan.listings(store, NOW, signal)) prefixes.push(prefix);
  return prefixes;
}

t.test('what is laid out is read as such, from when it is there', async (t) => {
  const asked: Span[] = [];
  const store = memoryStore(() => 0, 2);
  const plan = loosePlan({
    wanted: folderPlan('p/logs/a/', asked),
    whole: folderPlan('p/logs/'),
    prefix: 'p/',
    isLog: (key) => key.endsWith('.json'),
  });
  for (const key of ['p/x.json', 'p/logs/1.json', 'p/logs/2.json', 'p/logs/3.json', 'q/y.json']) store.put(key, '');
  t.same(await prefixesOf(plan, store), ['p/']);
  t.same(plan.find('p/x.json', 0), { kind: 'log', time: null });
  t.same(plan.find('p/logs/b.log', 0), { kind: 'nothing' });
  t.same(plan.find('q/y.json', 0), { kind: 'nothing' });
  store.put('p/logs/b/z.log', '');
  t.same(await prefixesOf(plan, store), ['p/logs/a/'], 'it is of the layout, if nothing that is wanted');
  t.same(plan.find('p/x.json', 0), { kind: 'nothing' });
  t.same(plan.find('p/logs/a/z.log', 0), { kind: 'log', time: 1 });
  store.remove('p/logs/b/z.log');
  t.same(await prefixesOf(plan, store), ['p/logs/a/'], 'once laid out, always so');
  t.same(asked, [NOW, NOW]);
  t.match(plan, { prefix: 'p/', lookBackMs: 7 });
});

t.test('all that was ever there', async (t) => {
  const asked: Span[] = [];
  await prefixesOf(
    everPlan(folderPlan('', asked)),
    memoryStore(() => 0),
  );
  t.same(asked, [{ from: Number.NEGATIVE_INFINITY, to: 2_000 }]);
});
