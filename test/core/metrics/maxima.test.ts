import fc from 'fast-check';
import t from 'tap';
import { maximum } from '../../../src/core/metrics/define.ts';
import { seriesCount } from '../../../src/core/metrics/family.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { isChanged, restoreSeries, takeSeries } from '../../../src/core/metrics/saved.ts';
import { MemoryCells } from '../../support/cells.ts';
import { exposed, show } from '../../support/exposition.ts';

const METRICS = { most: maximum('most_seconds', 'The longest.', ['path']) };
const MINUTE = 60_000;
const START = Date.UTC(2026, 4, 9, 10);

function rig(limit = 100, cells = new MemoryCells()) {
  const registry = new Registry({ seriesLimit: limit });
  const { most } = registry.register('web', METRICS);
  const named = registry.register('web/edge', METRICS, [['source', 'edge']]).most;
  restoreSeries(registry, cells.load());
  return { registry, most, named, cells, family: registry.families.get('most_seconds')! };
}

t.test('the greatest value of the last hour of events', async (t) => {
  const { registry, most } = rig();
  t.same(await show(registry), {}, 'none: no series');
  const a = most.series({ path: '/a' });
  a.observe(5, START);
  a.observe(3, START + 30 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 5 });
  most.advance(START + 59 * MINUTE + 59_999);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 5 }, 'the 60th minute');
  most.advance(START + 60 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 3 }, 'the 61st');
  most.series({ path: '/b' }).observe(1, START + 90 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/b"}': 1 }, 'an event of any series moves all of them');
  t.match(await exposed(registry), '# TYPE most_seconds gauge\n');
});

t.test('late events count if they are within the hour', async (t) => {
  const { registry, most } = rig();
  const series = most.series({ path: '/a' });
  series.observe(1, START);
  series.observe(9, START - 60 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 1 });
  series.observe(4, START - 59 * MINUTE);
  series.observe(2, START - 10 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 4 });
  most.advance(START + MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 2 });
});

t.test('each owner has an hour of its own', async (t) => {
  const { registry, most, named } = rig();
  most.series({ path: '/a' }).observe(1, START);
  named.series({ path: '/a' }).observe(2, START + 600 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 1, 'most_seconds{path="/a",source="edge"}': 2 });
});

t.test('times before 1970, and times that are none', async (t) => {
  const { registry, most } = rig();
  const series = most.series({ path: '/a' });
  series.observe(1, -1);
  series.observe(2, -59 * MINUTE);
  series.observe(9, Number.NaN);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 2 });
  most.advance(Number.NaN);
  most.advance(MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/a"}': 1 });
});

t.test('over the limit, all others share one series, and are counted', async (t) => {
  const { registry, most, family } = rig(2);
  for (const [index, path] of ['/a', '/b', '/c', '/d'].entries()) most.series({ path }).observe(index, START);
  t.same(await show(registry), {
    'most_seconds{path="/a"}': 0,
    'most_seconds{path="/b"}': 1,
    'most_seconds{path="other"}': 3,
  });
  t.equal(family.limited, 2);
  most.series({ path: '/c' }).observe(7, START, 10);
  t.equal(family.limited, 12, 'so many as were told');
  most.series({ path: 'other' }).observe(1, START);
  t.equal(family.limited, 12, 'called so by itself');
  t.equal((await show(registry))['most_seconds{path="other"}'], 7);
  most.advance(START + 60 * MINUTE);
  t.same(await show(registry), {});
  t.equal(seriesCount(family), 0, 'what is past leaves its place to others');
  most.series({ path: '/d' }).observe(4, START + 60 * MINUTE);
  t.same(await show(registry), { 'most_seconds{path="/d"}': 4 });
});

t.test('saved and taken back', async (t) => {
  const first = rig();
  first.most.series({ path: '/a' }).observe(5, START);
  first.most.series({ path: '/b' }).observe(6, START - 30 * MINUTE);
  t.ok(isChanged(first.registry));
  first.cells.save(takeSeries(first.registry));
  t.notOk(isChanged(first.registry));
  t.same(takeSeries(first.registry), []);

  const second = rig(100, first.cells);
  t.same(await show(second.registry), await show(first.registry));
  t.notOk(isChanged(second.registry));
  second.most.advance(START + 30 * MINUTE);
  t.ok(isChanged(second.registry), 'the hour is saved as well');
  t.same(await show(second.registry), { 'most_seconds{path="/a"}': 5 });
  second.cells.save(takeSeries(second.registry));
  t.equal(second.cells.load().under('maximum').length, 1, 'what is past is removed');

  const third = rig(100, first.cells);
  third.most.series({ path: '/b' }).observe(9, START - 30 * MINUTE);
  t.same(await show(third.registry), { 'most_seconds{path="/a"}': 5 }, 'still past');
});

t.test('as the rule says, whatever comes in which order, over restarts', async (t) => {
  const event = fc.tuple(fc.constantFrom('/a', '/b', '/c'), fc.nat(100), fc.integer({ min: -200, max: 200 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 9, arbitrary: event }, fc.constant(null)), { maxLength: 40 }),
      async (events) => {
        let it = rig();
        const seen: (readonly [path: string, value: number, slot: number])[] = [];
        for (const event of events) {
          if (event === null) {
            it.cells.save(takeSeries(it.registry));
            it = rig(100, it.cells);
          } else {
            const [path, value, minute] = event;
            it.most.series({ path }).observe(value, START + minute * MINUTE + 500);
            seen.push([path, value, minute]);
          }
          const newest = Math.max(...seen.map(([, , slot]) => slot));
          const wanted = new Map<string, number>();
          for (const [path, value, slot] of seen) {
            const name = `most_seconds{path="${path}"}`;
            if (slot > newest - 60) wanted.set(name, Math.max(value, wanted.get(name) ?? 0));
          }
          const shown = await show(it.registry);
          if (!isSame(shown, wanted)) throw new Error(JSON.stringify({ shown, wanted: [...wanted] }));
        }
      },
    ),
    { numRuns: 200 },
  );
  t.pass('always');
});

function isSame(shown: Readonly<Record<string, number>>, wanted: ReadonlyMap<string, number>): boolean {
  return Object.keys(shown).length === wanted.size && [...wanted].every(([name, value]) => shown[name] === value);
}
