import t from 'tap';
import type { Data, Event } from '../../../src/core/event.ts';
import { eventDocument } from '../../../src/writers/elasticsearch/document.ts';
import { sinkDocument } from '../../../src/writers/elasticsearch/sink.ts';
import { timeText } from '../../../src/writers/time-text.ts';

const trail: Event = {
  id: '84896d3e-0678-4462-8c0f-54334b8d8409',
  time: Date.parse('2024-05-11T09:30:01Z'),
  source: 'cloudtrail',
  action: 'StopLogging',
  outcome: 'denied',
  actor: { type: 'user', id: 'AIDA1', name: 'kim', address: '198.51.100.7' },
  scope: { type: 'account', id: '111122223333' },
  data: {
    dataset: 'cloudtrail',
    labels: { service: 'cloudtrail', region: 'eu-west-1', account: '111122223333', outcome: 'denied' },
    region: 'eu-west-1',
    raw: { eventName: 'StopLogging', requestParameters: { name: 'x' } },
  },
};

function logEvent(data: { readonly [key: string]: Data }): Event {
  return {
    id: '/aws/app main 37000001',
    time: 1_715_419_800_123,
    source: 'ingest',
    action: 'log',
    outcome: 'unknown',
    data: {
      dataset: 'cloudwatch',
      log_group: '/aws/app',
      log_stream: 'main',
      owner: '111122223333',
      message_type: 'DATA_MESSAGE',
      subscription_filters: ['all'],
      ...data,
    },
  };
}

t.test('an event', async (t) => {
  t.same(eventDocument(trail), {
    '@timestamp': '2024-05-11T09:30:01.000Z',
    event: { id: trail.id, dataset: 'cloudtrail', action: 'StopLogging', outcome: 'failure' },
    trailgauge: { source: 'cloudtrail', outcome: 'denied' },
    user: { name: 'kim' },
    source: { ip: '198.51.100.7' },
    cloud: { account: { id: '111122223333' }, region: 'eu-west-1' },
    labels: { service: 'cloudtrail', region: 'eu-west-1', account: '111122223333', outcome: 'denied' },
    raw: { eventName: 'StopLogging', requestParameters: { name: 'x' } },
  });
});

t.test('what is not there is left out', async (t) => {
  const bare: Event = { id: 'e', time: 0, source: 'x', action: 'a', outcome: 'unknown', data: {} };
  t.same(eventDocument(bare), {
    '@timestamp': '1970-01-01T00:00:00.000Z',
    event: { id: 'e', dataset: 'x', action: 'a', outcome: 'unknown' },
    trailgauge: { source: 'x', outcome: 'unknown' },
    labels: { source: 'x' },
  });
  const address = { type: 'address', id: '203.0.113.9', address: '203.0.113.9' };
  t.match(eventDocument({ ...bare, actor: address, data: { raw: {} } }), { source: { ip: '203.0.113.9' }, raw: {} });
  t.notOk('user' in eventDocument({ ...bare, actor: address }), 'an address is no user');
});

t.test('a record that is text, an address that is told apart, a project', async (t) => {
  const data = { form: 'aws-line', kind: 'request', client: '203.0.113.9', record: 'a line' };
  const scope = { type: 'project', id: 'demo-1' };
  const { actor, ...rest } = trail;
  t.ok(actor);
  const document = eventDocument({ ...rest, source: 's3-audit/x', scope, data });
  t.match(document, {
    event: { original: 'a line' },
    source: { ip: '203.0.113.9' },
    cloud: { project: { id: 'demo-1' } },
  });
  t.notOk('raw' in document || 'user' in document);
});

t.test('times', async (t) => {
  t.equal(timeText(Number.NaN), '1970-01-01T00:00:00.000Z');
  t.equal(timeText(1e18), '9999-12-31T23:59:59.999Z');
  t.equal(timeText(-1e18), '0000-01-01T00:00:00.000Z');
});

t.test('a log event of CloudWatch', async (t) => {
  t.match(eventDocument(logEvent({ message: 'text' })), {
    event: { dataset: 'cloudwatch' },
    aws: { cloudwatch: { log_group: '/aws/app', log_stream: 'main', owner: '111122223333' } },
    labels: { log_group: '/aws/app' },
    message: 'text',
  });
});

t.test('as the bulk sink sent a log event', async (t) => {
  const envelope = {
    messageType: 'DATA_MESSAGE',
    owner: '111122223333',
    logGroup: '/aws/app',
    logStream: 'main',
    subscriptionFilters: ['all'],
  };
  const head = { id: '37000001', timestamp: 1_715_419_800_123 };
  t.same(sinkDocument(logEvent({ message: 'text' })), { ...head, message: 'text', ...envelope });
  t.same(sinkDocument(logEvent({ raw: [1, 2] })), { ...head, message: [1, 2], ...envelope });
  t.same(sinkDocument(logEvent({})), { ...head, ...envelope });
  const own = { level: 'info', owner: 'billing', logGroup: 7, original: 'o' };
  t.same(
    sinkDocument(logEvent({ raw: own })),
    { ...head, level: 'info', ...envelope, original: { owner: 'billing', logGroup: 7, original: 'o' } },
    'what is covered is kept',
  );
});

t.test('as the bulk sink sent a record', async (t) => {
  t.same(sinkDocument(trail), trail.data.raw);
  t.same(sinkDocument({ ...trail, data: { raw: 'a line' } }), { message: 'a line' });
  t.match(sinkDocument({ ...trail, data: {} }), { event: { id: trail.id } }, 'no record: the event');
  const odd = JSON.parse('{"__proto__":{"x":1},"a":1}') as Data;
  t.equal(JSON.stringify(sinkDocument({ ...trail, data: { raw: odd } })), '{"__proto__":{"x":1},"a":1}');
  const log = JSON.stringify(sinkDocument(logEvent({ raw: odd })));
  t.match(log, '"__proto__":{"x":1}');
});
