import t from 'tap';
import { isRejected } from '../../../src/core/source.ts';
import { toEvent } from '../../../src/sources/cts/event.ts';
import { NOWHERE, type Place, traceLabels } from '../../../src/sources/cts/labels.ts';
import { decodeTrace } from '../../../src/sources/cts/trace.ts';

function eventOf(item: unknown, place: Place = NOWHERE) {
  const trace = decodeTrace(item);
  if (isRejected(trace)) throw new Error(trace.rejected);
  const { labels } = traceLabels(trace, place, new Set());
  return toEvent({ trace, source: 'cts/prod', place, labels, receivedAt: 7 });
}

t.test('of a trace that tells nothing, nothing is told', async (t) => {
  t.same(eventOf({ trace_id: 'a' }), {
    id: 'a',
    time: 7,
    source: 'cts/prod',
    action: '',
    outcome: 'unknown',
    actor: { type: 'unknown', id: 'unknown' },
    data: {
      dataset: 'cts',
      labels: { service: 'unknown', resource_type: 'unknown', trace_type: 'unknown', rating: 'unknown' },
      severity: 'info',
      raw: { trace_id: 'a' },
    },
  });
});

t.test('who, what and where', async (t) => {
  const event = eventOf(
    {
      trace_id: 'a',
      resource_type: 'ecs',
      resource_id: 'r',
      trace_type: ' systemaction ',
      request_id: 'q',
      message: 'm',
      source_ip: '192.0.2.1',
    },
    { ...NOWHERE, projectId: 'p' },
  );
  t.same(event.actor, { type: 'system', id: 'system', address: '192.0.2.1' });
  t.same(event.target, { type: 'ecs', id: 'r' });
  t.same(event.scope, { type: 'project', id: 'p' });
  t.match(event.data, { requestId: 'q', message: 'm', traceType: 'systemaction', resourceId: 'r' });
  t.same(eventOf({ trace_id: 'a', resource_name: 'n' }).target, { type: '', id: 'n', name: 'n' });
  t.same(eventOf({ trace_id: 'a', user: { id: 'i', name: 'n' } }).actor, { type: 'user', id: 'i', name: 'n' });
  t.same(eventOf({ trace_id: 'a', user: 'n' }).actor, { type: 'user', id: 'n', name: 'n' });
  t.same(eventOf({ trace_id: 'a', user: { id: 'i' } }).actor, { type: 'user', id: 'i' });
});

const OUTCOMES: readonly (readonly [item: object, wanted: string])[] = [
  [{ trace_rating: 'normal', code: 500 }, 'ok'],
  [{ trace_rating: 'warning' }, 'failed'],
  [{ trace_rating: 'incident', code: 200 }, 'failed'],
  [{ trace_rating: 'warning', code: 403 }, 'denied'],
  [{ trace_rating: 'incident', code: '401' }, 'denied'],
  [{ code: 399 }, 'ok'],
  [{ code: 400 }, 'failed'],
  [{ code: '403' }, 'denied'],
  [{ code: 600 }, 'unknown'],
  [{ code: 99 }, 'unknown'],
  [{ code: 'CTS.0214' }, 'unknown'],
  [{ trace_rating: 'else', code: 204 }, 'ok'],
  [{ trace_name: 'loginfailed', trace_rating: 'normal' }, 'failed'],
  [{ trace_name: 'iamUserSsoLoginFailed', trace_rating: 'normal', code: 401 }, 'denied'],
  [{ trace_name: 'faillogin', trace_rating: 'normal' }, 'ok'],
];

for (const [item, wanted] of OUTCOMES) {
  t.test(`outcome of ${JSON.stringify(item)}`, async (t) => {
    t.equal(eventOf({ trace_id: 'a', ...item }).outcome, wanted);
  });
}

t.test('a name that could take long', async (t) => {
  t.equal(eventOf({ trace_id: 'a', trace_name: 'login'.repeat(400_000) }).outcome, 'unknown');
});
