import t from 'tap';
import type { Data, Event } from '../../src/core/event.ts';
import { eventNumbers, mainCounter } from '../../src/writers/main-counter.ts';

function event(source: string, data: { readonly [key: string]: Data }, more: Partial<Event> = {}): Event {
  return { id: 'e', time: 0, source, action: 'GetObject', outcome: 'ok', data, ...more };
}

function shown(of: Event): string {
  const { name, labels } = mainCounter(of);
  return `${name}{${[...labels].map(([label, value]) => `${label}=${value}`).join(',')}}`;
}

t.test('by what an event is of, and by its kind', async (t) => {
  const cases: readonly (readonly [of: Event, counter: string])[] = [
    [event('reaction', { stream: 's', filter: 'f' }, { action: 'match' }), 'reaction_matches{stream=s,filter=f}'],
    [
      event('reaction/b', { stream: 's', type: 'exit' }, { action: 'stream' }),
      'reaction_stream_events{stream=s,type=exit,source=b}',
    ],
    [
      event('s3-audit', { kind: 'request', api: 'Put', bucket: 'b', code: 200 }),
      's3_requests{api=Put,bucket=b,code=200}',
    ],
    [event('s3-audit', { kind: 'request', api: 'Put', bucket: '', code: '200' }), 's3_requests{api=Put,code=200}'],
    [event('ingest', { kind: 'request', api: 'Put', code: '200' }), 's3_requests{api=Put,code=200}'],
    [event('s3-audit', { kind: 'background', api: 'ILMExpiry' }), 's3_background{api=ILMExpiry}'],
    [event('s3-audit', { kind: 'console', event: 'Login' }), 's3_console_events{event=Login,outcome=ok}'],
    [event('s3-audit/lyve', { kind: 'iam', event: 'x' }), 's3_iam_events{event=x,source=lyve}'],
    [
      event('cloudtrail', { dataset: 'cloudtrail', labels: { service: 's3', outcome: 'denied', event: 'E' } }),
      'cloudtrail_events{service=s3,outcome=denied,event=E}',
    ],
    [event('ingest', { dataset: 'cloudtrail', labels: { service: 's3' } }), 'cloudtrail_events{service=s3}'],
    [event('ingest', { dataset: 'cloudwatch', logGroup: '/aws/x' }), 'cloudwatch_log_events{log_group=/aws/x}'],
    [event('gcp-logs', { labels: { log: 'syslog', severity: 'INFO' } }), 'gcp_log_entries{log=syslog,severity=INFO}'],
    [event('cts', { service: 'IAM', resourceType: 'user' }), 'cts_traces{service=IAM,resource_type=user}'],
    [
      event('aporeto', { kind: 'activities', operation: 'create', target: 'policy' }),
      'aporeto_activities{operation=create,target=policy,outcome=ok}',
    ],
    [event('aporeto', { kind: 'flows', observed: true, action: ['x'] }), 'aporeto_flows{observed=true}'],
    [event('ingest', { kind: 'cloudevent' }), 'trailgauge_source_events{source=ingest}'],
    [event('else/where', {}), 'trailgauge_source_events{source=else/where}'],
  ];
  for (const [of, counter] of cases) t.equal(shown(of), counter);
});

t.test('names from outside are names', async (t) => {
  const data = JSON.parse('{"kind":"__proto__","__proto__":{"api":"x"}}') as { [key: string]: Data };
  t.equal(shown(event('s3-audit', data)), 'trailgauge_source_events{source=s3-audit}');
  t.equal(shown(event('s3-audit', { ...data, kind: 'background' })), 's3_background{}');
  t.same(eventNumbers(event('constructor', {})), { integers: [], floats: [] });
});
