import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { eventId, toEvent } from '../../../src/sources/s3-audit/event.ts';
import { fixture } from '../../support/paths.ts';
import { linesOf, recordOf } from './counted.ts';

const PLACE = { source: 's3-audit', arrival: Date.UTC(2024, 1, 1) };

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function minio(fields: object, api: object = {}): string {
  return JSON.stringify({
    api: { name: 'GetObject', bucket: 'pics', object: 'a/b', statusCode: 200, ...api },
    ...fields,
  });
}

t.test('a request of Lyve Cloud', async (t) => {
  const entry = {
    api: { name: 'GetObject', bucket: 'pics', object: 'a/b', statusCode: 403, timeToResponse: '5ns' },
    time: '2024-01-15T09:05:11.232759412Z',
    requestID: 'R1',
    requestHeader: { 'X-Real-Ip': '192.0.2.10:40112' },
    responseHeader: { 'Content-Length': '12' },
  };
  const raw = { auditEntry: entry, serviceAccountName: 'svc', serviceAccountCreatorId: 'owner@example.org' };
  t.same(toEvent({ record: recordOf(JSON.stringify(raw)), ...PLACE }), {
    id: 'R1 2024-01-15T09:05:11.232759412Z GetObject',
    time: Date.UTC(2024, 0, 15, 9, 5, 11) + 232.759,
    source: 's3-audit',
    action: 'GetObject',
    outcome: 'denied',
    actor: { type: 'account', id: 'svc', name: 'owner@example.org', address: '192.0.2.10' },
    target: { type: 'object', id: 'pics/a/b', name: 'a/b' },
    scope: { type: 'bucket', id: 'pics', name: 'pics' },
    data: {
      ...{ dataset: 's3-audit', kind: 'request', form: 'lyve', timestamp: entry.time },
      labels: { api: 'GetObject', bucket: 'pics', code: '403' },
      duration_ns: 5,
      ...{ response_bytes: 12, client: '192.0.2.10', raw },
    },
  });
});

t.test('the same id for the same thing, and only for it', async (t) => {
  const time = '2024-01-15T09:05:11Z';
  t.equal(eventId(recordOf(minio({ requestID: 'R', time }))), `R ${time} GetObject`);
  const lacking = [
    ...[minio({ time }), minio({ requestID: 'R' }), minio({ requestID: '', time }), minio({ requestID: 5, time })],
    ...[minio({ requestID: 'R'.repeat(600), time }), '{"ConsoleEvent":{}}', '{"ApiEvent":{}}'],
    '{"operation":"a","http_status":"200","trans_id":"t"}',
    'o b [06/Feb/2026:00:00:38 +0000] - - ID OP - "-" 200 - 1 1 1 1',
  ];
  for (const line of lacking) t.equal(eventId(recordOf(line)), hash(line), line.slice(0, 80));
});

t.test('whoever acts, on whatever', async (t) => {
  const line = 'o pics [06/Feb/2023:00:00:38 +0000] 192.0.2.7 arn:x ID OP k "-" 500 - 1 1 1 1';
  const cases: readonly (readonly [line: string, event: object])[] = [
    [minio({ accessKey: 'k', parentUser: 'p' }), { actor: { type: 'account', id: 'k', name: 'p' }, outcome: 'ok' }],
    [minio({ parentUser: 'p' }), { actor: { id: 'p', name: undefined } }],
    [
      minio({ remotehost: '[2001:db8::1]:5' }),
      { actor: { type: 'address', id: '2001:db8::1', address: '2001:db8::1' } },
    ],
    [minio({}), { actor: undefined, time: PLACE.arrival }],
    [minio({}, { object: undefined }), { target: { type: 'bucket', id: 'pics' }, scope: undefined }],
    [minio({}, { bucket: undefined, object: undefined }), { target: undefined }],
    [minio({}, { statusCode: 499 }), { outcome: 'unknown' }],
    [
      minio({ trigger: 'ilm:expiry' }, { statusCode: 0 }),
      { outcome: 'unknown', data: { kind: 'background', labels: { code: undefined } } },
    ],
    [line, { actor: { id: 'arn:x', address: '192.0.2.7' }, target: { id: 'pics/k' }, outcome: 'failed' }],
    [line.replace('arn:x', '-').replace(' k ', ' - '), { actor: { type: 'address' }, target: { type: 'bucket' } }],
    [
      '{"operation":"get_obj","http_status":"404","user":"u","remote_addr":"192.0.2.1","bucket":"b"}',
      { actor: { id: 'u', address: '192.0.2.1' }, target: { id: 'b' } },
    ],
    [
      '{"UserIdentity":{"UserName":"bo","IPAddress":"192.0.2.9:1"},"ConsoleEvent":{"Eventname":"e","StatusCode":7}}',
      {
        action: 'e',
        outcome: 'denied',
        actor: { id: 'bo', address: '192.0.2.9' },
        data: { labels: { event: 'e', outcome: 'denied' } },
      },
    ],
    [
      '{"ApiEvent":{"EventName":"e","Request":{"AccountName":"bot","SourceIP":"192.0.2.8"}}}',
      { action: 'e', actor: { id: 'bot', address: '192.0.2.8' } },
    ],
    [
      '{"organization":"o","content":{"type":"s","user_name":"bo","ip":"192.0.2.9"}}',
      { action: 's', outcome: 'unknown', actor: { id: 'bo', address: '192.0.2.9' } },
    ],
  ];
  for (const [text, event] of cases) t.match(toEvent({ record: recordOf(text), ...PLACE }), event, text);
});

t.test('what is nested too deep travels as text', async (t) => {
  for (const [depth, isText] of [
    [10, false],
    [100, true],
    [100_000, true],
  ] as const) {
    const line = `{"api":{"name":"GetObject"},"tags":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
    const { raw } = toEvent({ record: recordOf(line), ...PLACE }).data;
    t.equal(raw === line, isText, String(depth));
    t.equal(typeof raw, isText ? 'string' : 'object');
  }
});

t.test('every record of the fixtures becomes an event that JSON can say', async (t) => {
  for (const name of ['minio/epochs.ndjson', 'access-log/ceph-ops.ndjson']) {
    for (const line of linesOf(readFileSync(fixture(`object-logs/${name}`), 'utf8'))) {
      const event = toEvent({ record: recordOf(line), ...PLACE });
      t.same(JSON.parse(JSON.stringify(event)), event);
      t.same(event, toEvent({ record: recordOf(line), ...PLACE }));
      t.same(event.data.raw, JSON.parse(line));
    }
  }
});

t.test('the time as told, where it can be used', async (t) => {
  const time = '2024-01-15T09:05:11.123456789Z';
  const go = '2024-01-15 09:05:11.123456789 +0000 UTC m=+1.5';
  const cases: readonly (readonly [line: string, timestamp: string | undefined])[] = [
    [minio({ time }), time],
    [`{"auditEntry":${minio({ time })}}`, time],
    [minio({ time: 'never' }), undefined],
    [minio({ time: '2199-01-01T00:00:00Z' }), undefined],
    [`{"operation":"a","http_status":"200","time":"${time}"}`, time],
    [`{"ConsoleEvent":{"EventTime":"${go}"}}`, go],
    [`{"ApiEvent":{"Request":{"RequestTime":"${time}"}}}`, time],
    [`{"organization":"o","content":{"date":"never"},"created_date":"${time}"}`, time],
    ['o b [06/Feb/2023:00:00:38 +0000] - - - OP - "-" 200 - 1 1 1 1', undefined],
  ];
  for (const [line, timestamp] of cases) {
    t.equal(toEvent({ record: recordOf(line), ...PLACE }).data.timestamp, timestamp, line);
  }
});

t.test('an access-log line travels as it is', async (t) => {
  const line = 'o b [06/Feb/2023:00:00:38 +0000] - - - OP - "-" 200 - 1 1 1 1 "agent" -';
  t.equal(toEvent({ record: recordOf(line), ...PLACE }).data.raw, line);
});
