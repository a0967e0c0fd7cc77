import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import {
  type CloudWatchPayload,
  logGroupLabel,
  readLogEvent,
  readPayload,
  unpackPayload,
} from '../../src/lib/cloudwatch-logs.ts';
import { fixture } from '../support/paths.ts';

const LIMIT = 1024 * 1024;
const PAYLOAD = { messageType: 'DATA_MESSAGE', owner: 'o', logGroup: '/g', logStream: 's', logEvents: [] };

function file(name: string): Buffer {
  return readFileSync(fixture(`object-logs/cloudwatch/${name}`));
}

function payloadOf(body: Buffer): CloudWatchPayload {
  const unpacked = unpackPayload(body, LIMIT);
  const payload = typeof unpacked === 'object' ? readPayload(unpacked.value) : null;
  if (payload === null) throw new Error('no payload');
  return payload;
}

t.test('the forms in which a payload is posted', async (t) => {
  const decoded = file('app.decoded.json');
  const payload = payloadOf(decoded);
  t.same(payloadOf(file('app.lambda-event.json')), payload);
  t.same(payloadOf(gzipSync(decoded)), payload);
  const data = gzipSync(decoded).toString('base64');
  t.same(payloadOf(gzipSync(JSON.stringify({ awslogs: { data } }))), payload);
  t.same(payloadOf(Buffer.from(JSON.stringify({ awslogs: { data: data.replaceAll('=', '') } }))), payload);
  t.match(payload, { control: false, owner: '111122223333', logGroup: '/app/web', logStream: 'i-1' });
  t.same(payload.subscriptionFilters, ['demo']);
});

t.test('what cannot be unpacked', async (t) => {
  const gzip = gzipSync('{"a":1}');
  const wrapped = (data: unknown) => Buffer.from(JSON.stringify({ awslogs: { data } }));
  const bodies = [Buffer.alloc(0), Buffer.from('words'), gzip.subarray(0, -9), gzipSync('words'), wrapped('***')];
  for (const body of [...bodies, wrapped(''), wrapped(7), wrapped(gzip.subarray(0, -9).toString('base64'))]) {
    t.equal(unpackPayload(body, LIMIT), undefined, body.toString('hex', 0, 20));
  }
  const bomb = gzipSync(Buffer.alloc(LIMIT + 1, 0x20));
  for (const body of [bomb, wrapped(bomb.toString('base64')), Buffer.alloc(LIMIT + 1)]) {
    t.equal(unpackPayload(body, LIMIT), 'too_large');
  }
});

t.test('what is a payload', async (t) => {
  t.ok(readPayload(PAYLOAD));
  for (const other of [null, [], 'x', {}, { ...PAYLOAD, messageType: 1 }, { ...PAYLOAD, logEvents: {} }]) {
    t.equal(readPayload(other), null, JSON.stringify(other));
  }
  t.equal(readPayload({ ...PAYLOAD, logGroup: undefined }), null);
  t.equal(readPayload({ ...PAYLOAD, logStream: 1 }), null);
  t.same(readPayload({ ...PAYLOAD, subscriptionFilters: ['a', 1, null] })?.subscriptionFilters, ['a']);
  t.match(readPayload({ messageType: 'CONTROL_MESSAGE' }), { control: true, logEvents: [] });
  const control = payloadOf(file('control.lambda-event.json'));
  t.match(control, { control: true, owner: 'CloudwatchLogs' });
  t.same(control.logEvents, []);
});

t.test('log events', async (t) => {
  const payload = payloadOf(file('app.lambda-event.json'));
  const events = payload.logEvents.map((event) => readLogEvent(payload, event));
  t.equal(events.length, 4);
  t.match(events[0], { id: `/app/web i-1 38${'0'.repeat(54)}`, time: 1715419800000, cloudTrail: false });
  t.match(events[0]?.json, { owner: 'team-a', logGroup: 'shadow' });
  t.match(events[1], { json: null, message: 'plain "text" with\ta tab' });
  t.match(events[2], { json: null, message: '[1,2,3]' });
  t.match(events[3], { json: { eventVersion: 1 }, cloudTrail: false });
  const hundred = payloadOf(file('exactly-100.lambda-event.json'));
  t.equal(new Set(hundred.logEvents.map((event) => readLogEvent(hundred, event)?.id)).size, 100);
});

t.test('log events that are records of CloudTrail', async (t) => {
  const payload = payloadOf(file('cloudtrail.lambda-event.json'));
  const events = payload.logEvents.map((event) => readLogEvent(payload, event));
  t.same(
    events.map((event) => [event?.cloudTrail, event?.json?.eventName]),
    [
      [true, 'PutRolePolicy'],
      [true, 'GetObject'],
    ],
  );
});

t.test('log events of any shape', async (t) => {
  const payload = readPayload(PAYLOAD);
  if (payload === null) throw new Error('no payload');
  for (const other of [null, 1, 'x', [], {}, { message: 1 }, { message: null, id: 'a' }]) {
    t.equal(readLogEvent(payload, other), null, JSON.stringify(other));
  }
  const first = readLogEvent(payload, { message: '', timestamp: 'soon' });
  t.match(first, { time: null, message: '', json: null });
  t.match(first?.id, /^\/g s [0-9a-f]{64}$/);
  t.equal(readLogEvent(payload, { message: '', id: 7 })?.id, first?.id);
  t.not(readLogEvent(payload, { message: '', timestamp: 1 })?.id, first?.id);
  t.equal(readLogEvent(payload, { message: 'a', timestamp: 1e300 })?.time, null);
  t.equal(readLogEvent(payload, { message: ' {"a":1}' })?.json?.a, 1);
  t.equal(readLogEvent(payload, { message: '{"a":1' })?.json, null);
  const deep = '{"a":'.repeat(200_000) + 1 + '}'.repeat(200_000);
  t.ok(readLogEvent(payload, { message: deep })?.json);
});

t.test('log groups', async (t) => {
  for (const group of ['/app/web', 'a.b_c-d#1', 'x'.repeat(512)]) t.equal(logGroupLabel(group), group);
  for (const group of ['', 'x'.repeat(513), 'a b', 'é', 'a\n']) t.equal(logGroupLabel(group), 'other');
});
