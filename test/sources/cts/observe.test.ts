import t from 'tap';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { isRejected } from '../../../src/core/source.ts';
import { NOWHERE, type OptionalLabel, type Place } from '../../../src/sources/cts/labels.ts';
import { CTS_METRICS } from '../../../src/sources/cts/metrics.ts';
import { Observer, type ObserverOptions } from '../../../src/sources/cts/observe.ts';
import { decodeTrace, type Trace } from '../../../src/sources/cts/trace.ts';
import { show } from '../../support/exposition.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const PLACE: Place = { ...NOWHERE, region: 'eu-de', projectId: 'p', projectName: 'eu-de_winery' };

function traceOf(more: object = {}): Trace {
  const trace = decodeTrace({
    trace_id: 'a',
    trace_name: 'createServer',
    service_type: 'ECS',
    resource_type: 'ecs',
    trace_type: 'ApiCall',
    trace_rating: 'normal',
    source_ip: '192.0.2.1',
    user: { name: 'ada', id: '1' },
    time: NOW - 9_000,
    record_time: NOW - 7_000,
    ...more,
  });
  if (isRejected(trace)) throw new Error(trace.rejected);
  return trace;
}

function rig(labels: readonly OptionalLabel[] = [], options: Partial<ObserverOptions> & { limit?: number } = {}) {
  const registry = new Registry({ seriesLimit: options.limit ?? 1_000 });
  registry.time = NOW;
  const metrics = registry.register('cts', CTS_METRICS);
  const observer = new Observer({ metrics, optional: new Set(labels), top: 0, distinct: false, ...options });
  const at = { place: PLACE, receivedAt: NOW, visible: false };
  const limited = () => registry.families.get('cts_traces_total')!.limited;
  const shown = async (name: string) => {
    const all = Object.entries(await show(registry, { now: NOW }));
    return Object.fromEntries(all.filter(([series]) => series.startsWith(name)));
  };
  return { observer, registry, at, limited, shown };
}

t.test('labels, as far as they are asked for', async (t) => {
  const plain = rig();
  const labels = plain.observer.observe(traceOf(), plain.at);
  plain.observer.observe(traceOf(), plain.at);
  t.match(labels, { service: 'ECS', operation: '', region: '' });
  t.same(await plain.shown('cts_traces'), {
    'cts_traces_total{service="ECS",resource_type="ecs",trace_type="ApiCall",rating="normal"}': 2,
  });
  const all = rig(['operation', 'user', 'region', 'project']);
  all.observer.observe(traceOf(), all.at);
  all.observer.observe(traceOf(), { ...all.at, place: { ...PLACE, region: null, projectName: null } });
  t.same(await all.shown('cts_traces'), {
    'cts_traces_total{service="ECS",resource_type="ecs",trace_type="ApiCall",rating="normal",operation="createServer",user="ada",region="eu-de",project="eu-de_winery"}': 1,
    'cts_traces_total{service="ECS",resource_type="ecs",trace_type="ApiCall",rating="normal",operation="createServer",user="ada",region="unknown",project="p"}': 1,
  });
});

t.test('a trace with any label made `other` is limited once', async (t) => {
  const { observer, at, limited } = rig(['user']);
  observer.observe(traceOf({ service_type: 'a"b', trace_rating: 'x', user: '\n\u0007' }), at);
  t.equal(limited(), 1);
  observer.observe(traceOf({ service_type: 'a"b' }), at);
  observer.observe(traceOf({ service_type: 'a"b' }), at);
  t.equal(limited(), 3);
  observer.observe(traceOf(), at);
  observer.observe(traceOf({ trace_name: '%' }), at);
  t.equal(limited(), 3, 'not for a label that is not shown');
});

t.test('at the limit all traces are still counted', async (t) => {
  const { observer, at, limited, shown } = rig(['operation', 'user'], { limit: 10 });
  for (let i = 0; i < 300; i++) {
    const user = `u${i % 100}`;
    observer.observe(
      traceOf({ user, ...(i % 3 === 0 && { service_type: `S${i}` }), ...(i % 5 === 0 && { code: i }) }),
      at,
    );
  }
  const series = await shown('cts_traces');
  t.equal(
    Object.values(series).reduce((sum, value) => sum + value, 0),
    300,
  );
  t.ok(Object.keys(series).length <= 10);
  const whole = Object.entries(series).filter(([name]) => !name.includes('"other"'));
  t.equal(limited(), 300 - whole.reduce((sum, [, value]) => sum + value, 0));
});

t.test('how long it took until traces could be seen', async (t) => {
  const { observer, at, shown } = rig();
  observer.observe(traceOf(), at);
  observer.observe(traceOf({ record_time: 'x' }), { ...at, visible: true });
  t.same(await shown('cts_trace_visibility'), {});
  observer.observe(traceOf(), { ...at, visible: true });
  observer.observe(traceOf({ record_time: NOW + 5_000 }), { ...at, visible: true });
  t.match(await shown('cts_trace_visibility'), {
    'cts_trace_visibility_seconds_bucket{le="0.5"}': 1,
    'cts_trace_visibility_seconds_bucket{le="5"}': 1,
    'cts_trace_visibility_seconds_bucket{le="10"}': 2,
    cts_trace_visibility_seconds_sum: 7,
    cts_trace_visibility_seconds_count: 2,
  });
});

t.test('the latest record, over restarts too', async (t) => {
  const first = rig();
  const last = async ({ shown }: ReturnType<typeof rig>) => (await shown('cts_last')).cts_last_trace_timestamp_seconds;
  first.observer.observe(traceOf({ time: null, record_time: null }), first.at);
  t.equal(await last(first), undefined);
  t.same(first.observer.changes(), []);
  first.observer.observe(traceOf({ record_time: null }), first.at);
  t.equal(await last(first), NOW / 1000 - 9);
  first.observer.observe(traceOf(), first.at);
  first.observer.observe(traceOf({ record_time: NOW - 8_000 }), first.at);
  first.observer.observe(traceOf({ record_time: NOW + 3_600_001 }), first.at);
  t.equal(await last(first), NOW / 1000 - 7);
  const saved = first.observer.changes();
  t.same(first.observer.changes(), []);
  const second = rig();
  second.observer.restore(saved);
  t.equal(await last(second), NOW / 1000 - 7);
  second.observer.observe(traceOf({ record_time: NOW - 8_000 }), second.at);
  t.equal(await last(second), NOW / 1000 - 7);
  t.same(second.observer.changes(), []);
  second.observer.observe(traceOf({ record_time: NOW + 3_600_000 }), second.at);
  t.equal(await last(second), NOW / 1000 + 3_600);
});

t.test('the most active users and addresses', async (t) => {
  const { observer, at, shown } = rig([], { top: 2, distinct: true });
  const seen = [
    { user: 'ada', source_ip: '192.0.2.1' },
    { user: { name: 'ada', id: 5 }, source_ip: '192.0.2.2' },
    { user: { id: 'i' }, source_ip: '192.0.2.2' },
    { user: { id: 'i' }, source_ip: null },
    { user: null, source_ip: 'x'.repeat(500) },
    { user: 'bob', source_ip: '\u0007' },
    { user: 'ada', time: NOW - 2 * 86_400_000 },
  ];
  for (const more of seen) observer.observe(traceOf(more), at);
  t.same(await shown('cts_user'), {
    'cts_user_top{user="ada"}': 2,
    'cts_user_top{user="i"}': 2,
    cts_users_distinct: 3,
  });
  t.same(await shown('cts_address'), {
    'cts_address_top{address="192.0.2.2"}': 2,
    'cts_address_top{address="192.0.2.1"}': 1,
    cts_addresses_distinct: 2,
  });
});

t.test('nothing of them where it is not wanted', async (t) => {
  const { observer, at, shown } = rig();
  observer.observe(traceOf(), at);
  t.same({ ...(await shown('cts_user')), ...(await shown('cts_address')) }, {});
});
