import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { toEvent } from '../../../src/sources/cloudtrail/event.ts';
import { parseRecord } from '../../../src/sources/cloudtrail/record.ts';

const ARRIVAL = Date.UTC(2024, 4, 11, 9, 35);
const BASE = { eventID: 'e-1', eventSource: 'cloudtrail.amazonaws.com', eventName: 'StopLogging' };

function eventOf(text: string): Event {
  const record = parseRecord(text);
  if ('rejected' in record) throw new Error(text);
  return toEvent({
    record,
    source: 'cloudtrail',
    arrival: ARRIVAL,
    labels: { service: 'cloudtrail' },
  });
}

t.test('all that a record tells', async (t) => {
  const raw = {
    ...BASE,
    eventTime: '2024-05-11T09:30:01Z',
    awsRegion: 'eu-west-1',
    errorCode: 'AccessDenied',
    sourceIPAddress: '198.51.100.7',
    userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/kim', userName: 'kim' },
    recipientAccountId: '111122223333',
    resources: [{ ARN: 'arn:aws:cloudtrail:eu-west-1:111122223333:trail/t', type: 'AWS::CloudTrail::Trail' }],
  };
  t.same(eventOf(JSON.stringify(raw)), {
    id: 'e-1',
    time: Date.UTC(2024, 4, 11, 9, 30, 1),
    source: 'cloudtrail',
    action: 'StopLogging',
    outcome: 'denied',
    actor: { type: 'IAMUser', id: 'arn:aws:iam::111122223333:user/kim', name: 'kim', address: '198.51.100.7' },
    target: { type: 'AWS::CloudTrail::Trail', id: 'arn:aws:cloudtrail:eu-west-1:111122223333:trail/t' },
    scope: { type: 'account', id: '111122223333' },
    data: {
      dataset: 'cloudtrail',
      timestamp: '2024-05-11T09:30:01Z',
      labels: { service: 'cloudtrail' },
      region: 'eu-west-1',
      controls: ['unauthorized-api-calls', 'cloudtrail-changes'],
      raw,
    },
  });
});

t.test('little, or odd things', async (t) => {
  const raw = { ...BASE, eventName: 'X' };
  t.same(eventOf(JSON.stringify(raw)), {
    id: 'e-1',
    time: ARRIVAL,
    source: 'cloudtrail',
    action: 'X',
    outcome: 'ok',
    target: { type: 'service', id: 'cloudtrail.amazonaws.com' },
    data: { dataset: 'cloudtrail', labels: { service: 'cloudtrail' }, raw },
  });
  const odd = { ...raw, userIdentity: 7, resources: [7], sourceIPAddress: {}, awsRegion: 1, recipientAccountId: [] };
  t.same({ ...eventOf(JSON.stringify(odd)), data: 0 }, { ...eventOf(JSON.stringify(raw)), data: 0 });
});

t.test('actors', async (t) => {
  const cases: readonly (readonly [userIdentity: unknown, sourceIPAddress: unknown, actor: unknown])[] = [
    [undefined, '192.0.2.60', { type: 'address', id: '192.0.2.60', address: '192.0.2.60' }],
    [undefined, 's3.amazonaws.com', { type: 'service', id: 's3.amazonaws.com' }],
    [
      { type: 'AWSService', invokedBy: 's3.amazonaws.com' },
      's3.amazonaws.com',
      { type: 'AWSService', id: 's3.amazonaws.com' },
    ],
    [{ principalId: 'p' }, '2001:db8::1', { type: 'unknown', id: 'p', address: '2001:db8::1' }],
    [
      { type: 'AssumedRole', arn: 'a', sessionContext: { sessionIssuer: { userName: 'role' } } },
      undefined,
      { type: 'AssumedRole', id: 'a', name: 'role' },
    ],
    [{ type: 'WebIdentityUser', userName: 'u' }, undefined, { type: 'WebIdentityUser', id: 'u', name: 'u' }],
  ];
  for (const [userIdentity, sourceIPAddress, actor] of cases) {
    t.same(eventOf(JSON.stringify({ ...BASE, userIdentity, sourceIPAddress })).actor, actor);
  }
});

t.test('a time in the future is not told', async (t) => {
  const event = eventOf(JSON.stringify({ ...BASE, eventTime: '2024-05-11T10:35:01Z' }));
  t.equal(event.time, ARRIVAL);
  t.equal(event.data.timestamp, undefined);
  t.equal(eventOf(JSON.stringify({ ...BASE, eventTime: '2024-05-11T10:35:00Z' })).time, ARRIVAL + 3_600_000);
});

t.test('what is nested too deep stays text, and can be written', async (t) => {
  const text = `${JSON.stringify(BASE).slice(0, -1)},"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`;
  t.equal(eventOf(text).data.raw, text);
  t.ok(JSON.stringify(eventOf(text)));
  t.equal(
    JSON.stringify(eventOf('{"__proto__":1,"eventSource":"a","eventName":"b"}').data.raw).slice(0, 14),
    '{"__proto__":1',
  );
});
