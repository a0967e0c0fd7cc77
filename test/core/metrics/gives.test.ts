import fc from 'fast-check';
import t from 'tap';
import { counter } from '../../../src/core/metrics/define.ts';
import type { Counter } from '../../../src/core/metrics/handles.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { registrySink } from '../../../src/core/metrics/registry-sink.ts';
import { restoreSeries, takeSeries } from '../../../src/core/metrics/saved.ts';
import { Stage } from '../../../src/core/metrics/stage.ts';
import { MemoryCells } from '../../support/cells.ts';
import { show } from '../../support/exposition.ts';

const CALLS = counter('calls_total', 'Calls.', ['kind', 'operation', 'user'], { gives: ['user', 'operation'] });
const METRICS = { calls: CALLS };

interface Call {
  readonly kind: string;
  readonly operation: string;
  readonly user: string;
}

function limitedOf(registry: Registry): number {
  return registry.families.get('calls_total')!.limited;
}

function sum(shown: Readonly<Record<string, number>>): number {
  return Object.values(shown).reduce((all, value) => all + value, 0);
}

t.test('a new series gives up one label after the other, within the limit', async (t) => {
  const registry = new Registry({ seriesLimit: 9 });
  const { calls } = registry.register('one', METRICS);
  // Six whole ones, one without its user, one without both, and the one that has nothing left.
  for (let i = 0; i < 6; i++) calls.inc({ kind: 'a', operation: 'o', user: `u${i}` });
  t.equal(limitedOf(registry), 0);
  for (let i = 6; i < 10; i++) calls.inc({ kind: 'a', operation: 'o', user: `u${i}` });
  calls.inc({ kind: 'a', operation: 'p', user: 'u1' });
  calls.inc({ kind: 'a', operation: 'q', user: 'u1' });
  calls.inc({ kind: 'b', operation: 'o', user: 'u1' });
  calls.inc({ kind: 'a', operation: 'o', user: 'u1' });
  t.same(await show(registry), {
    'calls_total{kind="a",operation="o",user="u0"}': 1,
    'calls_total{kind="a",operation="o",user="u1"}': 2,
    'calls_total{kind="a",operation="o",user="u2"}': 1,
    'calls_total{kind="a",operation="o",user="u3"}': 1,
    'calls_total{kind="a",operation="o",user="u4"}': 1,
    'calls_total{kind="a",operation="o",user="u5"}': 1,
    'calls_total{kind="a",operation="o",user="other"}': 4,
    'calls_total{kind="a",operation="other",user="other"}': 2,
    'calls_total{kind="other",operation="other",user="other"}': 1,
  });
  t.equal(limitedOf(registry), 7);
});

t.test('labels that are empty stay so', async (t) => {
  const registry = new Registry({ seriesLimit: 4 });
  const { calls } = registry.register('one', METRICS);
  for (let i = 0; i < 10; i++) calls.inc({ kind: `k${i}`, operation: '', user: '' });
  t.same(await show(registry), {
    'calls_total{kind="k0"}': 1,
    'calls_total{kind="k1"}': 1,
    'calls_total{kind="k2"}': 1,
    'calls_total{kind="other"}': 7,
  });
});

t.test('each owner has room for what has lost all labels', async (t) => {
  const registry = new Registry({ seriesLimit: 3 });
  const one = registry.register('one', METRICS);
  const two = registry.register('two', METRICS, [['source', 'b']]);
  registry.register('two', METRICS, [['source', 'b']]);
  for (const { calls } of [one, two]) for (let i = 0; i < 5; i++) calls.inc({ kind: `k${i}`, operation: '', user: '' });
  t.same(await show(registry), {
    'calls_total{kind="k0"}': 1,
    'calls_total{kind="other"}': 4,
    'calls_total{kind="other",source="b"}': 5,
  });
});

t.test('a series whose labels were made `other` before counts as limited, and once', async (t) => {
  const registry = new Registry({ seriesLimit: 3 });
  const { calls } = registry.register('one', METRICS);
  const series = calls.series({ kind: 'other', operation: '', user: '' }, { isLimited: true });
  t.equal(limitedOf(registry), 0, 'not by being there');
  series.inc();
  series.inc(5, 2);
  calls.inc({ kind: 'a', operation: '', user: '' });
  t.equal(limitedOf(registry), 3);
  calls.series({ kind: 'b', operation: 'other', user: '' }, { isLimited: true }).inc();
  t.equal(limitedOf(registry), 4, 'over the limit too');
  t.same(await show(registry), {
    'calls_total{kind="other"}': 6,
    'calls_total{kind="a"}': 1,
    'calls_total{kind="other",operation="other"}': 1,
  });
});

const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom('a', 'b', 'c'),
  operation: fc.constantFrom('o', 'p', 'q', 'r'),
  user: fc.integer({ min: 0, max: 30 }).map((user) => `u${user}`),
});
const restart = fc.constant<'restart'>('restart');
const isOwn = (shown: Readonly<Record<string, number>>, { kind, operation, user }: Call) =>
  shown[`calls_total{kind="${kind}",operation="${operation}",user="${user}"}`];

t.test('all are counted within the limit, over restarts too, and what was limited is told', async () => {
  const steps = fc.array(fc.oneof({ weight: 20, arbitrary: call }, { weight: 1, arbitrary: restart }), {
    maxLength: 120,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 40 }), async (steps, seriesLimit) => {
      const disk = new MemoryCells();
      const open = () => {
        const registry = new Registry({ seriesLimit });
        const { calls } = registry.register('one', METRICS);
        restoreSeries(registry, disk.load());
        return { registry, calls };
      };
      let life = open();
      let count = 0;
      for (const step of steps) {
        if (step === 'restart') {
          disk.save(takeSeries(life.registry));
          life = open();
          continue;
        }
        const before = await show(life.registry);
        const own = isOwn(before, step) ?? 0;
        const kept: Counter<typeof CALLS> = life.calls;
        kept.series({ ...step }).inc();
        count += 1;
        const after = await show(life.registry);
        const isCounted = isOwn(after, step) === own + 1;
        if ((limitedOf(life.registry) === 0) !== isCounted) throw new Error(`${limitedOf(life.registry)} limited`);
        life.registry.families.get('calls_total')!.limited = 0;
        if (Object.keys(after).length > seriesLimit) throw new Error(`${Object.keys(after).length} series`);
        if (sum(after) !== count) throw new Error(`${sum(after)} of ${count}`);
      }
    }),
    { numRuns: 100 },
  );
});

t.test('what is staged gives up the same labels, and is limited once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { maxLength: 60 }),
      fc.array(call, { maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      async (first, second, seriesLimit) => {
        const registry = new Registry({ seriesLimit });
        const handles = registry.register('one', METRICS);
        const stage = new Stage(METRICS, {
          limitOf: (def) => registry.limitOf(def),
          isKnown: (def, labels) => registry.has('one', def, labels),
          areNative: false,
          history: false,
        });
        for (const calls of [first, second]) {
          for (const one of calls) stage.handles.calls.series(one, { isLimited: one.kind === 'c' }).inc();
          stage.merge(registrySink(METRICS, handles, registry));
        }
        const shown = await show(registry);
        if (sum(shown) !== first.length + second.length) throw new Error(`${sum(shown)}`);
        if (Object.keys(shown).length > seriesLimit) throw new Error(`${Object.keys(shown).length} series`);
        // What is shown with all of its labels is what was not limited, and what came as limited already.
        const kept = sum(
          Object.fromEntries(Object.entries(shown).filter(([name]) => !/user="other"|kind="c"/.test(name))),
        );
        if (limitedOf(registry) !== sum(shown) - kept) throw new Error(`${limitedOf(registry)} limited, ${kept} kept`);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('in a stage too, labels go one after the other', async (t) => {
  const registry = new Registry({ seriesLimit: 9 });
  const handles = registry.register('one', METRICS);
  const stage = new Stage(METRICS, {
    limitOf: (def) => registry.limitOf(def),
    isKnown: (def, labels) => registry.has('one', def, labels),
    areNative: false,
    history: false,
  });
  for (let i = 0; i < 100; i++) stage.handles.calls.inc({ kind: 'a', operation: 'o', user: `u${i}` });
  stage.merge(registrySink(METRICS, handles, registry));
  const shown = await show(registry);
  t.equal(shown['calls_total{kind="a",operation="o",user="other"}'], 94);
  t.equal(limitedOf(registry), 94);
});
