import { readFileSync } from 'node:fs';
import { HTTP } from 'cloudevents';
import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { decodeHeader } from '../../../src/lib/cloud-events/headers.ts';
import { cloudEvent, type EventSettings } from '../../../src/writers/cloudevents/event.ts';
import { type Message, messageOf } from '../../../src/writers/cloudevents/request.ts';
import { ctsCases, ctsEvents } from '../../support/cts-events.ts';
import { fixture } from '../../support/paths.ts';

interface Wanted {
  readonly case: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly binary_headers: Readonly<Record<string, string>>;
  readonly data: object;
}

const { events: wanted } = JSON.parse(readFileSync(fixture('cts/cloudevents/send.json'), 'utf8')) as {
  readonly events: readonly Wanted[];
};

const PLAIN: EventSettings = { source: null, overrides: new Map() };

function sent(event: Event, mode: 'binary' | 'structured', settings: Partial<EventSettings> = {}): Message {
  return messageOf(cloudEvent(event, { ...PLAIN, ...settings }), mode);
}

function parsed({ body }: Message): Record<string, unknown> {
  return JSON.parse(String(body)) as Record<string, unknown>;
}

/** Attributes of the structured mode, and the data. */
function told(event: Event, settings: Partial<EventSettings> = {}) {
  const { data, ...attributes } = parsed(sent(event, 'structured', settings));
  return { attributes, data };
}

function trace(name: string): Event {
  const found = ctsCases().find((one) => one.name === name);
  if (!found) throw new Error(`no case ${name}`);
  return found.event;
}

const MATCH: Event = {
  id: 'kJ3 ü',
  time: 1_767_268_861_130,
  source: 'reaction/edge north',
  action: 'match',
  outcome: 'ok',
  actor: { type: 'address', id: '192.0.2.1', address: '192.0.2.1' },
  target: { type: 'filter', id: 'ssh.failed', name: 'ssh.failed' },
  scope: { type: 'stream', id: 'ssh' },
  data: { stream: 'ssh', filter: 'failed', patterns: { ip: '192.0.2.1' } },
};

t.test('traces, as their consumers know them', async (t) => {
  t.equal(ctsCases().length, wanted.length);
  for (const { case: name, attributes, binary_headers: headers, data } of wanted) {
    const event = trace(name);
    const binary = sent(event, 'binary');
    t.same(binary.headers, headers, `${name}: headers`);
    t.same(parsed(binary), data, `${name}: body`);
    const structured = sent(event, 'structured');
    t.same(structured.headers, { 'content-type': 'application/cloudevents+json; charset=utf-8' });
    t.same(parsed(structured), { ...attributes, data }, `${name}: structured`);
  }
});

t.test('another implementation reads the same', async (t) => {
  for (const { case: name, attributes, data } of wanted) {
    for (const mode of ['binary', 'structured'] as const) {
      const read = HTTP.toEvent<object>({ ...sent(trace(name), mode) });
      const { data: readData, ...rest } = JSON.parse(JSON.stringify(read)) as Record<string, unknown>;
      // It leaves percent-encoding as it is.
      const decoded = Object.entries(rest).map(([key, value]) => [
        key,
        mode === 'binary' ? decodeHeader(String(value)) : value,
      ]);
      t.same(Object.fromEntries(decoded), attributes, `${name}, ${mode}`);
      t.same(readData, data, `${name}, ${mode}`);
    }
  }
});

t.test('the same event, the same bytes', async (t) => {
  for (const event of [...ctsEvents(), MATCH]) {
    for (const mode of ['binary', 'structured'] as const) {
      const copy = JSON.parse(JSON.stringify(event)) as Event;
      t.same(sent(copy, mode), sent(event, mode));
      t.same(Object.keys(sent(copy, mode).headers), Object.keys(sent(event, mode).headers));
    }
  }
});

t.test('events of other sources', async (t) => {
  const { attributes, data } = told(MATCH);
  t.same(attributes, {
    specversion: '1.0',
    id: 'kJ3 ü',
    source: '/trailgauge/reaction/edge%20north',
    type: 'reaction.match',
    subject: 'ssh.failed',
    time: '2026-01-01T12:01:01.130Z',
    datacontenttype: 'application/json',
    outcome: 'success',
    authtype: 'unknown',
    sourceip: '192.0.2.1',
  });
  t.same(data, MATCH);
  const settings = { source: 'urn:edge' };
  t.equal(told(MATCH, settings).attributes.source, 'urn:edge');
  t.match(told(trace('plain'), settings).attributes.source, /^https:/, 'traces have a source of their own');
  const s3: Event = {
    ...MATCH,
    source: 's3-audit',
    action: 'PutObject',
    outcome: 'denied',
    actor: { type: 'account', id: 'winery', name: 'Mara' },
    target: { type: 'object', id: 'cellar/a b', name: 'a b' },
    data: { dataset: 's3-audit', kind: 'request', client: '2001:db8::1' },
  };
  t.match(told(s3).attributes, {
    source: '/trailgauge/s3-audit',
    type: 's3-audit.request',
    subject: 'cellar/a b',
    outcome: 'failure',
    authtype: 'user',
    authid: 'winery',
    sourceip: '2001:db8::1',
  });
  const service = { type: 'service', id: 'ec2.amazonaws.com' };
  const bare: Event = {
    id: 'a',
    time: 0,
    source: 'cloudtrail',
    action: '',
    outcome: 'unknown',
    actor: service,
    data: {},
  };
  t.same(told(bare).attributes, {
    specversion: '1.0',
    id: 'a',
    source: '/trailgauge/cloudtrail',
    type: 'cloudtrail',
    time: '1970-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    outcome: 'unknown',
    authtype: 'system',
    authid: 'ec2.amazonaws.com',
  });
});

t.test('who it was', async (t) => {
  for (const [actor, wanted] of [
    [undefined, [undefined, undefined]],
    [{ type: 'IAMUser', id: 'arn:aws:iam::1:user/a' }, ['user', 'arn:aws:iam::1:user/a']],
    [{ type: 'AWSService', id: 'ec2.amazonaws.com' }, ['system', 'ec2.amazonaws.com']],
    [{ type: 'system', id: 'system' }, ['system', undefined]],
    [{ type: 'unknown', id: 'unknown' }, ['unknown', undefined]],
    [{ type: 'unknown', id: 'AKIA' }, ['unknown', 'AKIA']],
    [{ type: 'address', id: '192.0.2.1', address: '192.0.2.1' }, ['unknown', undefined]],
  ] as const) {
    const { actor: _, ...event } = MATCH;
    const { authtype, authid } = told({ ...event, ...(actor && { actor }) }).attributes;
    t.same([authtype, authid], wanted, JSON.stringify(actor));
  }
});

t.test('a trace that came in by the receiver without its origin', async (t) => {
  const event = trace('plain');
  const { origin, ...data } = event.data;
  t.type(origin, 'string');
  t.equal(told({ ...event, source: 'ingest', data }).attributes.source, '/trailgauge/ingest');
  const { raw, ...without } = data;
  t.type(raw, 'object');
  const bare = { ...event, data: without };
  t.same(told(bare).data, bare, 'without the trace the event stands for it');
});

t.test('of a trace that says nothing', async (t) => {
  const event: Event = {
    id: 'a',
    time: 0,
    source: 'cts',
    action: '',
    outcome: 'unknown',
    data: { dataset: 'cts', raw: {} },
  };
  t.match(told(event).attributes, { type: 'cts.trace', status: '', code: '', region: '', domain: '', tenant: '' });
  t.notOk('subject' in told(event).attributes);
});

t.test('overrides replace extensions, and add to them', async (t) => {
  const overrides = new Map([
    ['cluster', 'Nord "1"'],
    ['status', 'replaced'],
  ]);
  const { headers } = sent(trace('plain'), 'binary', { overrides });
  t.match(headers, { 'ce-status': 'replaced', 'ce-cluster': 'Nord%20%221%22', 'ce-code': '202' });
  t.match(told(trace('plain'), { overrides }).attributes, { cluster: 'Nord "1"', status: 'replaced' });
});

t.test('overrides count for the size of an event', async (t) => {
  const plain = trace('plain');
  const event = { ...plain, data: { ...plain.data, raw: { request: 'x'.repeat(58 * 1024) } } };
  t.ok(sent(event, 'binary').body.length > 58 * 1024);
  const overrides = new Map([['note', 'y'.repeat(2 * 1024)]]);
  t.ok(sent(event, 'binary', { overrides }).body.length < 9 * 1024);
});

const FOREIGN: Event = {
  id: 'e-1',
  time: 1_767_268_861_130,
  source: 'ingest',
  action: 'com.example.made',
  outcome: 'unknown',
  data: {
    dataset: 'ingest',
    kind: 'cloudevent',
    origin: '/barrels',
    attributes: {
      specversion: '1.0',
      id: 'e-1',
      source: '/barrels',
      type: 'com.example.made',
      subject: '',
      time: '2026-01-01T13:01:01.13+01:00',
      dataschema: 'https://example.test/s',
      sequence: 7,
      urgent: true,
      'not-a-name': 'x',
      nested: {},
    },
    raw: { litres: 225 },
  },
};

t.test('a CloudEvent that was received goes on as it came', async (t) => {
  const { attributes, data } = told(FOREIGN, { overrides: new Map([['cluster', 'north']]) });
  t.same(attributes, {
    specversion: '1.0',
    id: 'e-1',
    source: '/barrels',
    type: 'com.example.made',
    time: '2026-01-01T13:01:01.13+01:00',
    dataschema: 'https://example.test/s',
    sequence: 7,
    urgent: true,
    datacontenttype: 'application/json',
    cluster: 'north',
  });
  t.same(data, { litres: 225 });
  t.match(sent(FOREIGN, 'binary').headers, { 'ce-sequence': '7', 'ce-urgent': 'true', 'ce-time': /\+01:00$/ });
});

t.test('its data, whatever they are', async (t) => {
  const of = (raw: Event['data'][string] | undefined, type?: string): Event => {
    const { raw: _, ...data } = FOREIGN.data;
    const attributes = { ...(data.attributes as object), ...(type !== undefined && { datacontenttype: type }) };
    return { ...FOREIGN, data: { ...data, attributes, ...(raw !== undefined && { raw }) } };
  };
  t.match(sent(of(undefined), 'binary'), { body: '' });
  t.notOk('content-type' in sent(of(undefined), 'binary').headers);
  t.notOk('data' in parsed(sent(of(undefined), 'structured')));
  t.match(sent(of('<a/>', 'text/xml'), 'binary'), { body: '<a/>', headers: { 'content-type': 'text/xml' } });
  t.equal(told(of('<a/>', 'text/xml')).data, '<a/>');
  t.equal(sent(of('text', 'application/json'), 'binary').body, '"text"');
  t.equal(told(of('text')).data, 'text');
  t.match(sent(of('x', 'text/ä\n'), 'binary').headers, { 'content-type': 'application/octet-stream' });
});

t.test('bytes that are no text', async (t) => {
  const attributes = { specversion: '1.0', id: 'a', source: 'b', type: 'c' };
  const event = { ...FOREIGN, data: { kind: 'cloudevent', attributes, raw: '/wD+', encoding: 'base64' } };
  t.same(sent(event, 'binary').body, Buffer.from([0xff, 0, 0xfe]));
  t.equal(sent(event, 'binary').headers['content-type'], 'application/octet-stream');
  const wanted = { ...attributes, datacontenttype: 'application/octet-stream', data_base64: '/wD+' };
  t.same(parsed(sent(event, 'structured')), wanted);
});

t.test('nested deep', async (t) => {
  const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const event = trace('plain');
  // A source hands on the text of what is too deep for most writers.
  for (const depth of [100, 200_000]) {
    const raw = `{"b":${deep(depth)},"user":" jon "}`;
    const { body } = sent({ ...event, data: { ...event.data, rating: 'normal', raw } }, 'binary');
    const wanted = `{"b":${deep(depth)},"user":{"name":"jon"},"trace_rating":"normal","trace_status":"normal"}`;
    t.ok(body === wanted, `${depth}: ${String(body).slice(-80)}`);
    const foreign = { ...FOREIGN, data: { ...FOREIGN.data, raw: deep(depth) } };
    t.ok(sent(foreign, 'binary').body === deep(depth));
    t.ok(String(sent(foreign, 'structured').body).endsWith(`,"data":${deep(depth)}}`));
  }
});
