import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  counter,
  distinct,
  gauge,
  histogram,
  type MetricDef,
  maximum,
  since,
  top,
} from '../../../src/core/metrics/define.ts';
import { seriesName } from '../../../src/core/metrics/family.ts';
import type { Handles } from '../../../src/core/metrics/handles.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { handlesOf, registrySink } from '../../../src/core/metrics/registry-sink.ts';
import { type Sink, Stage } from '../../../src/core/metrics/stage.ts';
import { MOST_VALUES } from '../../../src/core/metrics/staged-values.ts';
import { show } from '../../support/exposition.ts';

const METRICS = {
  hits: counter('hits_total', 'Hits.', ['path', 'code']),
  plain: counter('plain_total', 'Without labels.', []),
  wait: histogram('wait_seconds', 'Waits.', ['path'], [0.25, 1, 4]),
  most: maximum('most_seconds', 'The longest.', ['path']),
  now: gauge('now', 'Of now.', ['path']),
  recent: since('recent', 'Since.', ['path']),
  often: top('often', 'Most frequent.', ['path']),
  different: distinct('different', 'Different.', ['path']),
};

const MINUTE = 60_000;
const DAY = 86_400_000;

function rig({ limit = 100, areNative = true } = {}) {
  const registry = new Registry({ seriesLimit: limit, nativeHistograms: areNative });
  const handles = registry.register('web', METRICS, [['source', 'a']]);
  const stage = new Stage(METRICS, {
    limitOf: (def) => registry.limitOf(def),
    isKnown: (def, labels) => registry.has('web', def, labels),
    ...registry.forms,
    history: false,
    sketches: { handleOf: handlesOf(METRICS, handles), clock: registry },
  });
  return { registry, handles, stage, sink: registrySink(METRICS, handles, registry) };
}

/** All that a registry holds: what is shown, native histograms, and what fell over limits. */
async function content(registry: Registry): Promise<object> {
  const families = [...registry.families.values()];
  return {
    shown: await show(registry),
    natives: families.flatMap((family) =>
      Array.from({ length: family.natives ? family.table!.length : 0 }, (_, row) => [
        seriesName(family, row),
        family.natives?.of(row).save(),
      ]),
    ),
    limited: families.map(({ def, limited }) => [def.name, limited]),
  };
}

t.test('nothing is seen of it until it is merged', async (t) => {
  const { registry, handles, stage, sink } = rig();
  handles.hits.inc({ path: '/a', code: '200' });
  const before = await content(registry);
  stage.handles.hits.inc({ path: '/a', code: '200' }, 2);
  stage.handles.hits.series({ path: '/b', code: '500' });
  stage.handles.plain.inc({}, 5);
  stage.handles.wait.observe({ path: '/a' }, 0.5);
  stage.handles.most.series({ path: '/a' }).observe(0.5, 10 * MINUTE);
  t.same(await content(registry), before);
  stage.merge(sink);
  t.match(await show(registry), {
    'hits_total{path="/a",code="200",source="a"}': 3,
    'hits_total{path="/b",code="500",source="a"}': 0,
    'plain_total{source="a"}': 5,
    'wait_seconds_bucket{path="/a",source="a",le="1"}': 1,
    'wait_seconds_sum{path="/a",source="a"}': 0.5,
    'most_seconds{path="/a",source="a"}': 0.5,
  });
  const after = await content(registry);
  stage.merge(sink);
  t.same(await content(registry), after, 'once');
});

t.test('what is dropped is never seen', async (t) => {
  const { registry, stage, sink } = rig();
  stage.handles.hits.inc({ path: '/a', code: '200' });
  stage.handles.wait.observe({ path: '/a' }, 0.5);
  stage.handles.most.advance(99 * MINUTE);
  stage.drop();
  stage.merge(sink);
  t.same(await show(registry), {});
  stage.handles.hits.inc({ path: '/b', code: '200' });
  stage.handles.most.series({ path: '/b' }).observe(1, 0);
  stage.merge(sink);
  t.same(await show(registry), {
    'hits_total{path="/b",code="200",source="a"}': 1,
    'most_seconds{path="/b",source="a"}': 1,
  });
});

t.test('what tells of now is not staged', async (t) => {
  const { registry, stage, sink } = rig();
  const { now, recent } = stage.handles;
  now.set({ path: '/a' }, 1);
  now.replace([[{ path: '/a' }, 1]]);
  recent.series({ path: '/a' }, []).inc();
  stage.merge(sink);
  t.same(await show(registry), {});
});

/** Counts a value in both ways. */
function see({ often, different }: Handles<typeof METRICS>, path: string, value: string, time: number | null): void {
  const [tops, distincts] = [often.series({ path }, 3), different.series({ path })];
  tops.add(tops.track(value), time, 1);
  distincts.add(distincts.hash(value), time);
}

t.test('values: nothing is seen of them until they are merged, nor of those that are dropped', async (t) => {
  const { registry, handles, stage, sink } = rig();
  registry.time = 100 * DAY;
  see(handles, '/a', 'x', null);
  const before = await show(registry, { now: registry.time });
  see(stage.handles, '/a', 'x', null);
  see(stage.handles, '/a', 'y', 100 * DAY - 60 * MINUTE);
  see(stage.handles, '/a', 'too late', 99 * DAY);
  see(stage.handles, '/b', 'ahead', 200 * DAY);
  see(stage.handles, '/b', 'never', Number.NaN);
  t.same(await show(registry, { now: registry.time }), before);
  stage.drop();
  stage.merge(sink);
  t.same(await show(registry, { now: registry.time }), before);
  see(stage.handles, '/a', 'x', null);
  see(stage.handles, '/a', 'y', 100 * DAY - 60 * MINUTE);
  see(stage.handles, '/a', 'too late', 99 * DAY);
  see(stage.handles, '/b', 'ahead', 200 * DAY);
  see(stage.handles, '/b', 'never', Number.NaN);
  stage.merge(sink);
  const shown = {
    'often{path="/a",source="a",value="x"}': 2,
    'often{path="/a",source="a",value="y"}': 1,
    'often{path="/b",source="a",value="ahead"}': 1,
    'different{path="/a",source="a"}': 2,
    'different{path="/b",source="a"}': 1,
  };
  t.same(await show(registry, { now: registry.time }), shown);
  stage.merge(sink);
  t.same(await show(registry, { now: registry.time }), shown, 'once');
});

t.test('values of pieces are counted as they would be one by one', async (t) => {
  const add = fc.tuple(fc.constantFrom('/a', '/b'), fc.nat(2_500), fc.integer({ min: -30 * 60, max: 60 }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(add, { maxLength: 200 }), { maxLength: 6 }), async (pieces) => {
      const [direct, aside] = [rig(), rig()];
      for (const [index, adds] of pieces.entries()) {
        const time = 100 * DAY + index * 17 * MINUTE;
        for (const { registry } of [direct, aside]) registry.time = time;
        for (const [path, value, minute] of adds) {
          see(direct.handles, path, `${value}`, time + minute * MINUTE);
          see(aside.stage.handles, path, `${value}`, time + minute * MINUTE);
        }
        aside.stage.merge(aside.sink);
        const [wanted, found] = [await show(direct.registry, { now: time }), await show(aside.registry, { now: time })];
        if (!isDeepStrictEqual(found, wanted)) throw new Error(JSON.stringify([found, wanted]));
      }
    }),
    { numRuns: 50 },
  );
  t.pass('always');
});

t.test('of too many values it is told how many events they were', async (t) => {
  const { registry, stage, sink } = rig();
  registry.time = DAY;
  for (let i = 0; i < MOST_VALUES + 500; i++) see(stage.handles, '/a', `${i}`, null);
  for (let i = 0; i < 5; i++) see(stage.handles, '/a', '7', null);
  stage.merge(sink);
  const shown = await show(registry, { now: registry.time });
  t.equal(registry.families.get('often')?.limited, 500);
  t.equal(registry.families.get('different')?.limited, 0);
  t.ok(Math.abs(shown['different{path="/a",source="a"}']! / (MOST_VALUES + 500) - 1) < 0.04);
});

t.test('a series that is there counts for itself, however many new ones came before it', async (t) => {
  const { registry, handles, stage, sink } = rig({ limit: 3 });
  for (const path of ['/a', '/b', '/c']) handles.wait.observe({ path }, 1);
  for (let i = 0; i < 10; i++) stage.handles.wait.observe({ path: `/new${i}` }, 1);
  stage.handles.wait.observe({ path: '/c' }, 1);
  stage.merge(sink);
  const shown = await show(registry);
  t.equal(shown['wait_seconds_count{path="/c",source="a"}'], 2);
  t.equal(shown['wait_seconds_count{path="other",source="a"}'], 10);
  t.equal(registry.families.get('wait_seconds')?.limited, 10);
});

t.test('of a hundred thousand series that are over the limit, one is kept', async (t) => {
  const { registry, stage, sink } = rig({ limit: 10 });
  const made = new Set<unknown>();
  for (let i = 0; i < 100_000; i++) made.add(stage.handles.hits.series({ path: `/${i}`, code: '200' }));
  t.equal(made.size, 11);
  for (const one of made) (one as { inc(): void }).inc();
  stage.merge(sink);
  const shown = await show(registry);
  t.equal(Object.keys(shown).length, 11);
  t.equal(shown['hits_total{path="other",code="other",source="a"}'], 1);
  t.equal(registry.families.get('hits_total')?.limited, 1);
});

t.test('a histogram adds what was observed elsewhere', async (t) => {
  const { registry, stage, sink } = rig();
  const elsewhere = new Stage(METRICS, {
    limitOf: () => 9,
    isKnown: () => false,
    areNative: true,
    history: false,
  });
  for (const value of [0.1, 0.5, 2, 8, Number.POSITIVE_INFINITY]) elsewhere.handles.wait.observe({ path: '/a' }, value);
  const into: Partial<Sink> = {
    histogram: (_, labels, observed) => stage.handles.wait.add({ path: String(labels.path) }, observed),
  };
  elsewhere.merge(into as Sink);
  stage.handles.wait.observe({ path: '/a' }, 0.1);
  stage.merge(sink);
  const shown = await show(registry);
  const bucket = (le: string) => shown[`wait_seconds_bucket{path="/a",source="a",le="${le}"}`];
  t.same(['0.25', '1', '4', '+Inf'].map(bucket), [2, 3, 4, 6]);
});

type Metrics = Handles<typeof METRICS>;
type Step = (handles: Metrics) => void;

const path = fc.constantFrom('/a', '/b', '/c', '/d', '/e');
const labels = fc.record({ path, code: fc.constantFrom('200', '500') });
/** Sums of these are exact, in any order. */
const value = fc.integer({ min: -8, max: 64 }).map((n) => n / 8);
const wide = fc.integer({ min: -900, max: 900 }).map((n) => 2 ** (n / 10));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(labels, fc.nat(5)).map(
    ([labels, by]): Step =>
      ({ hits }) =>
        hits.inc(labels, by),
  ),
  fc.tuple(labels, fc.nat(5), fc.nat(3)).map(
    ([labels, by, events]): Step =>
      ({ hits }) =>
        hits.series(labels).inc(by, events),
  ),
  labels.map(
    (labels): Step =>
      ({ hits }) =>
        void hits.series(labels),
  ),
  fc.nat(3).map(
    (by): Step =>
      ({ plain }) =>
        plain.inc({}, by),
  ),
  fc.tuple(path, value).map(
    ([path, value]): Step =>
      ({ wait }) =>
        wait.observe({ path }, value),
  ),
  // Within an hour: what of an older time is seen for a moment is another matter.
  fc.tuple(path, value, fc.nat(59 * MINUTE)).map(
    ([path, value, time]): Step =>
      ({ most }) =>
        most.series({ path }).observe(value, time),
  ),
  fc.nat(59 * MINUTE).map(
    (time): Step =>
      ({ most }) =>
        most.advance(time),
  ),
);

t.test('merged, it is as if it had been counted directly, limits included', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.array(fc.array(step, { maxLength: 40 }), { maxLength: 3 }),
      fc.integer({ min: 1, max: 6 }),
      async (before, stages, limit) => {
        const direct = rig({ limit });
        const staged = rig({ limit });
        for (const apply of before) {
          apply(direct.handles);
          apply(staged.handles);
        }
        for (const steps of stages) {
          for (const apply of steps) {
            apply(direct.handles);
            apply(staged.stage.handles);
          }
          staged.stage.merge(staged.sink);
        }
        const [wanted, found] = [await content(direct.registry), await content(staged.registry)];
        if (!isDeepStrictEqual(found, wanted)) throw new Error(JSON.stringify({ wanted, found }));
      },
    ),
    { numRuns: 300 },
  );
  t.pass('always');
});

t.test('native histograms come to the same resolution', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(wide, { maxLength: 300 }), fc.array(wide, { maxLength: 300 }), async (before, values) => {
      const direct = rig();
      const staged = rig();
      for (const value of before) {
        direct.handles.wait.observe({ path: '/a' }, value);
        staged.handles.wait.observe({ path: '/a' }, value);
      }
      for (const value of values) {
        direct.handles.wait.observe({ path: '/a' }, value);
        staged.stage.handles.wait.observe({ path: '/a' }, value);
      }
      staged.stage.merge(staged.sink);
      const buckets = ({ registry }: ReturnType<typeof rig>) => {
        const { sum: _, ...rest } = registry.families.get('wait_seconds')!.natives!.of(0).save();
        return rest;
      };
      if (!isDeepStrictEqual(buckets(staged), buckets(direct))) throw new Error('buckets');
    }),
    { numRuns: 50 },
  );
  t.pass('always');
});

/** What a sink was given, by series and step. */
function ledger() {
  const counted = new Map<string, number>();
  const key = ({ name }: MetricDef, labels: object, step: number) => `${name}${JSON.stringify(labels)} ${step}`;
  const add = (at: string, by: number) => counted.set(at, (counted.get(at) ?? 0) + by);
  const sink: Sink = {
    counter: (def, labels, { value, step }) => add(key(def, labels, step), value),
    histogram: (def, labels, { counts, step }) =>
      add(
        key(def, labels, step),
        counts.slice(0, -1).reduce((sum, n) => sum + n, 0),
      ),
    maximum: (def, labels, { slot, value }) => {
      const at = key(def, labels, slot);
      if (value !== null) counted.set(at, Math.max(value, counted.get(at) ?? Number.NEGATIVE_INFINITY));
    },
  };
  return { counted, sink, add, key };
}

t.test('with steps, each number goes on with its own, also by ways that were kept for long', async (t) => {
  const operation = fc.tuple(fc.constantFrom('hits', 'wait', 'most'), path, fc.nat(4), fc.nat(200));
  await fc.assert(
    fc.property(fc.array(fc.array(operation, { maxLength: 30 }), { maxLength: 5 }), (merges) => {
      const stage = new Stage(METRICS, { limitOf: () => 99, isKnown: () => false, areNative: false, history: true });
      const found = ledger();
      const wanted = ledger();
      const kept = new Map<string, { inc(): void }>();
      for (const operations of merges) {
        for (const [metric, path, step, minute] of operations) {
          stage.step = step;
          if (metric === 'hits') {
            const labels = { path, code: '200' };
            const series = kept.get(path) ?? stage.handles.hits.series(labels);
            kept.set(path, series);
            series.inc();
            wanted.add(wanted.key(METRICS.hits, labels, step), 1);
          } else if (metric === 'wait') {
            stage.handles.wait.observe({ path }, 1);
            wanted.add(wanted.key(METRICS.wait, { path }, step), 1);
          } else {
            stage.handles.most.series({ path }).observe(minute % 7, minute * MINUTE);
            const at = wanted.key(METRICS.most, { path }, minute);
            wanted.counted.set(at, minute % 7);
          }
        }
        stage.merge(found.sink);
      }
      const sorted = ({ counted }: ReturnType<typeof ledger>) =>
        [...counted].filter(([, n]) => n > 0).sort(([a], [b]) => (a < b ? -1 : 1));
      const zero = [...wanted.counted].filter(([, n]) => n === 0);
      for (const [at] of zero) if (found.counted.get(at) !== 0) throw new Error(`no ${at}`);
      if (!isDeepStrictEqual(sorted(found), sorted(wanted))) throw new Error('steps');
    }),
    { numRuns: 300 },
  );
  t.pass('always');
});

t.test('of minutes, only those are kept that may be shown', async (t) => {
  const { registry, stage, sink } = rig();
  const series = stage.handles.most.series({ path: '/a' });
  const far = 5_000_000;
  series.observe(7, (far - 30) * MINUTE);
  for (let minute = 0; minute < 100_000; minute++) series.observe(100, minute * MINUTE);
  series.observe(3, far * MINUTE);
  stage.merge(sink);
  t.same(await show(registry), { 'most_seconds{path="/a",source="a"}': 7 });
});
