import t from 'tap';
import type { Data, Event } from '../../../src/core/event.ts';
import { flatText } from '../../../src/writers/influx/flatten.ts';
import { gatewayPoint } from '../../../src/writers/influx/gateway.ts';
import { encodeEvent } from '../../../src/writers/influx/point.ts';
import { parseLineProtocol } from '../../support/line-protocol.ts';

type Raw = { readonly [key: string]: Data };

function event(raw: Data, time: string, source = 's3-audit'): Event {
  return {
    id: 'e',
    time: Date.parse(time),
    source,
    action: 'a',
    outcome: 'ok',
    data: { kind: 'request', form: 'lyve', record: raw },
  };
}

const audit: Raw = {
  serviceAccountName: 'backup, nightly',
  serviceAccountCreatorId: 'kim@example.org',
  auditEntry: {
    api: { name: 'GetObject', bucket: 'invoices', statusCode: 200, timeToResponse: '912345678ns' },
    time: '2024-02-01T00:00:00.123456789Z',
    requestHeader: { 'x-real-ip': '198.51.100.7:53122' },
  },
};

t.test('a record of the audit log', async (t) => {
  const point = gatewayPoint(event(audit, '2024-02-01T00:00:00.123Z'));
  t.equal(point?.measurement, 'audit-01');
  t.equal(point?.time, 1706745600123456789n);
  t.same(Object.fromEntries(point?.tags ?? []), {
    'auditEntry.api.name': 'GetObject',
    'auditEntry.api.bucket': 'invoices',
    'auditEntry.api.statusCode': '200',
    'auditEntry.requestHeader.X-Real-Ip': '198.51.100.7',
    serviceAccountName: 'backup, nightly',
    serviceAccountCreatorId: 'kim@example.org',
  });
  t.equal(point?.fields.get('auditEntry.api.timeToResponse'), 912345678n);
  t.match(JSON.parse(String(point?.fields.get('message'))), {
    'auditEntry.api.name': 'GetObject',
    'auditEntry.api.statusCode': 200,
    'auditEntry.requestHeader.x-real-ip': '198.51.100.7:53122',
  });
});

t.test('no latency is no latency, no bucket no tag', async (t) => {
  const point = gatewayPoint(event({ auditEntry: { api: { name: 'ListBuckets' } } }, '2024-02-01T00:00:00Z'));
  t.same([...(point?.fields.keys() ?? [])], ['message']);
  const line = encodeEvent(event({ auditEntry: { api: { name: 'ListBuckets' } } }, '2024-02-01T00:00:00Z'), {
    points: 'gateway',
    strings: false,
  });
  t.same(parseLineProtocol(line ?? '', 'influx').tags, [['auditEntry.api.name', 'ListBuckets']]);
});

t.test('a record of MinIO is what Lyve wraps', async (t) => {
  const raw = { api: { name: 'PutObject', timeToResponse: '2.1ms', timeToResponseInNS: '2143308' }, time: 'x' };
  const point = gatewayPoint(event(raw, '2024-02-01T00:00:00Z'));
  t.equal(point?.tags.get('auditEntry.api.name'), 'PutObject');
  t.equal(point?.fields.get('auditEntry.api.timeToResponse'), 2143308n);
});

t.test('console and account', async (t) => {
  const console = {
    UserIdentity: { UserName: 'kim', Role: 'admin', IPAddress: '[2001:db8::1]:443' },
    ConsoleEvent: { Eventname: 'CreateBucket', StatusCode: 7, EventTime: '2024-02-01 00:00:00.5 +0000 UTC' },
  };
  const point = gatewayPoint(event(console, '2024-02-01T00:00:00.500Z'));
  t.match(point, { measurement: 'console-01', time: 1706745600500000000n });
  t.same(Object.fromEntries(point?.tags ?? []), {
    'UserIdentity.UserName': 'kim',
    'UserIdentity.Role': 'admin',
    'UserIdentity.IPAddress': '2001:db8::1',
    'ConsoleEvent.Eventname': 'CreateBucket',
  });
  t.equal(point?.fields.get('StatusCode'), 7n);
  const iam = {
    organization: 'acme',
    source: 'iam',
    created_date: '2024-02-01',
    content: { client_name: 'web', ip: 'no address', hostname: 'h', user_name: 'kim' },
  };
  const account = gatewayPoint(event(iam, '2024-02-01T00:00:00Z'));
  t.equal(account?.measurement, 'iam-01');
  t.equal(account?.tags.get('content.client_name'), 'web');
  t.equal(account?.tags.get('content.ip'), '');
  t.equal(account?.fields.get('created_date'), '2024-02-01');
});

t.test('what the gateway did not know is written as an event', async (t) => {
  for (const raw of ['a line', null, { operation: 'get_obj', http_status: '200' }, [audit]]) {
    t.equal(gatewayPoint(event(raw, '2024-02-01T00:00:00Z')), null);
  }
  t.equal(gatewayPoint(event(audit, '2024-02-01T00:00:00Z', 'cts')), null);
  const made = event(audit, '2024-02-01T00:00:00Z');
  t.equal(gatewayPoint({ ...made, data: { ...made.data, kind: 'background' } }), null);
  const line = encodeEvent(event('a line', '2024-02-01T00:00:00Z'), { points: 'gateway', strings: false });
  t.match(line, /^s3_requests count=1i /);
});

t.test('a record as text of one level', async (t) => {
  t.equal(flatText({}, 100), '{}');
  t.equal(
    flatText({ a: { b: 1, c: { d: null } }, e: [true, { f: 'x"' }], g: [], h: {} }, 1_000),
    '{"a.b":1,"a.c.d":null,"e.0":true,"e.1.f":"x\\"","g":[],"h":{}}',
  );
  t.equal(flatText({ a: 'üü' }, 7), '{"a":"');
  t.equal(Buffer.byteLength(flatText({ a: 'x'.repeat(100_000), b: 1 }, 64_000)), 64_000);
  let deep: Data = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  t.ok(Buffer.byteLength(flatText({ deep }, 1_000)) <= 1_000, 'however deep');
});
