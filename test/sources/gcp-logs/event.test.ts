import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { parseEntry } from '../../../src/sources/gcp-logs/entry.ts';
import { toEvent } from '../../../src/sources/gcp-logs/event.ts';

const ARRIVAL = Date.UTC(2024, 5, 2, 11);
const BASE = { logName: 'projects/demo-1/logs/syslog', timestamp: '2024-06-02T08:10:00.000000001Z', insertId: 's1' };
const ID = 'projects/demo-1/logs/syslog 2024-06-02T08:10:00.000000001Z s1';

function eventOf(text: string): Event {
  const entry = parseEntry(text);
  if ('rejected' in entry) throw new Error(text);
  return toEvent({ entry, source: 'gcp-logs', arrival: ARRIVAL });
}

t.test('an audit entry', async (t) => {
  const raw = {
    ...BASE,
    resource: { type: 'gcs_bucket' },
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      serviceName: 'storage.googleapis.com',
      methodName: 'storage.buckets.create',
      resourceName: 'projects/_/buckets/b',
      authenticationInfo: { principalEmail: 'bo@example.org' },
      requestMetadata: { callerIp: '192.0.2.60' },
      status: { code: 7 },
    },
  };
  t.same(eventOf(JSON.stringify(raw)), {
    id: ID,
    time: Date.UTC(2024, 5, 2, 8, 10),
    source: 'gcp-logs',
    action: 'storage.buckets.create',
    outcome: 'denied',
    actor: { type: 'principal', id: 'bo@example.org', name: 'bo@example.org', address: '192.0.2.60' },
    target: { type: 'gcs_bucket', id: 'projects/_/buckets/b' },
    scope: { type: 'project', id: 'demo-1' },
    data: {
      dataset: 'gcp-logs',
      timestamp: BASE.timestamp,
      labels: { log: 'syslog', severity: 'DEFAULT', resource_type: 'gcs_bucket' },
      raw,
    },
  });
});

t.test('a request and a text', async (t) => {
  const httpRequest = {
    requestMethod: 'GET',
    requestUrl: 'https://e/x',
    status: 404,
    latency: '0.5s',
    remoteIp: '::1',
  };
  t.match(eventOf(JSON.stringify({ ...BASE, httpRequest })), {
    action: 'GET',
    outcome: 'failed',
    actor: { type: 'address', id: '::1', address: '::1' },
    target: { type: 'resource', id: 'https://e/x' },
    data: { durationNs: 500_000_000 },
  });
  const text = eventOf(JSON.stringify({ ...BASE, logName: 'x', textPayload: 'hello' }));
  t.match(text, { action: 'log', outcome: 'unknown', data: { message: 'hello' } });
  for (const absent of ['actor', 'target', 'scope'] as const) t.equal(text[absent], undefined);
  const outcomes: readonly (readonly [status: unknown, outcome: string])[] = [
    [200, 'ok'],
    ['304', 'ok'],
    [401, 'denied'],
    [403, 'denied'],
    [499, 'unknown'],
    [503, 'failed'],
    [0, 'unknown'],
    [{}, 'unknown'],
  ];
  for (const [status, outcome] of outcomes) {
    t.equal(eventOf(JSON.stringify({ ...BASE, httpRequest: { status } })).outcome, outcome, String(status));
  }
});

t.test('odd entries can be written', async (t) => {
  const late = eventOf(JSON.stringify({ ...BASE, timestamp: '2024-06-02T12:00:01Z' }));
  t.equal(late.time, ARRIVAL);
  t.equal(late.data.timestamp, undefined);
  const text = `${JSON.stringify(BASE).slice(0, -1)},"jsonPayload":${'{"a":'.repeat(150_000)}1${'}'.repeat(150_001)}`;
  t.equal(eventOf(text).data.raw, text);
  t.ok(JSON.stringify(eventOf(text)));
});
