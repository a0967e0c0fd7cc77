import { readFileSync } from 'node:fs';
import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import t from 'tap';
import { isRefusal, type Received, type ReceivedEvent } from '../../../src/lib/cloud-events/received.ts';
import { formOf, type RequestHeaders, readRequest } from '../../../src/lib/cloud-events/request.ts';
import { fixture } from '../../support/paths.ts';
import { receiveCases } from '../../support/receive-cases.ts';

const BINARY = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 't' } as const;
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCH = { 'content-type': 'application/cloudevents-batch+json' };
const TRACE = { trace_id: '8a6852a1-e709-11f0-9c00-02f1a7c40000', service_type: 'EVS' };
const ESSENCE = { specversion: '1.0', id: '1', source: '/x', type: 't' } as const;

function read(headers: RequestHeaders, body: string | Buffer): readonly Received[] {
  const form = formOf(headers);
  return form === null ? [] : readRequest(form, headers, Buffer.from(body));
}

function only(headers: RequestHeaders, body: string | Buffer): Received {
  const [received, ...others] = read(headers, body);
  if (received === undefined || others.length > 0) throw new Error(`found ${others.length + 1} or none`);
  return received;
}

/** The event of a request in the structured form with these members. */
function structured(members: Readonly<Record<string, unknown>>): Received {
  return only(STRUCTURED, JSON.stringify({ ...ESSENCE, ...members }));
}

function eventOf(received: Received): ReceivedEvent {
  if (isRefusal(received)) throw new Error(received.why);
  return received;
}

t.test('the requests of the fixture', async (t) => {
  for (const { name, status, headers, body, kind, events, rejected, attributes, token } of receiveCases()) {
    if (token === null || token === 'wrong') continue;
    if (status === 415) {
      t.equal(formOf(headers), null, name);
      continue;
    }
    const found = read(headers, body);
    const good = found.filter((one) => !isRefusal(one)) as ReceivedEvent[];
    t.equal(good.length, events, name);
    const [first] = good;
    if (kind === 'cts') t.match(first?.data, name === 'trigger form' ? { cts: TRACE } : TRACE, name);
    if (attributes && first) t.match(Object.fromEntries(first.attributes), attributes, name);
    const refused = found.filter(isRefusal).map((one) => one.rejected);
    if (rejected) t.same(refused, Array(rejected.shape).fill('shape'), name);
    else if (status === 400) t.same(refused, [/cut|overlong/.test(name) ? 'malformed' : 'shape'], name);
  }
});

t.test('values of headers', async (t) => {
  const { decode } = JSON.parse(readFileSync(fixture('cts/cloudevents/headers.json'), 'utf8')) as {
    decode: [string, string | { error: string }][];
  };
  for (const [value, wanted] of decode) {
    const received = only({ ...BINARY, 'ce-subject': value }, '');
    if (typeof wanted === 'string') t.equal(eventOf(received).attributes.get('subject'), wanted, value);
    else t.match(received, { rejected: 'malformed', why: /ce-subject .*UTF-8/ }, value);
  }
  // As they come from a sender that encodes nothing.
  const raw = Buffer.from('Grüße').toString('latin1');
  t.equal(eventOf(only({ ...BINARY, 'ce-subject': raw }, '')).attributes.get('subject'), 'Grüße');
});

t.test('what data are', async (t) => {
  const cases: readonly (readonly [type: string | undefined, body: string | Buffer, data: unknown, base64?: true])[] = [
    ['application/json', '{"a":[1]}', { a: [1] }],
    ['application/json', '\ufeff{"a":1}', { a: 1 }],
    ['application/json', 'null', null],
    ['Application/Vnd.X+JSON; charset=utf-8', '7', 7],
    ['text/json', '"x"', 'x'],
    [undefined, '{"a":1}', { a: 1 }],
    [undefined, 'hello', 'hello'],
    [undefined, '', undefined],
    ['application/json', '', undefined],
    ['text/plain', '{"a":1}', '{"a":1}'],
    ['jsonx', '{}', '{}'],
    ['image/png', Buffer.from([0x89, 0xff]), 'if8=', true],
    ['application/json', `${'['.repeat(2_000)}${']'.repeat(2_000)}`, `${'['.repeat(2_000)}${']'.repeat(2_000)}`],
  ];
  for (const [type, body, data, base64 = false] of cases) {
    const headers = { ...BINARY, ...(type && { 'content-type': type }) };
    const found = eventOf(only(headers, body));
    t.same([found.data, found.isBase64], [data, base64], `${type} ${String(body).slice(0, 20)}`);
    t.equal(found.attributes.get('datacontenttype'), type);
  }
  for (const body of ['{', '{"a":1}x', Buffer.from([0x22, 0xff, 0x22])])
    t.match(only({ ...BINARY, 'content-type': 'application/json' }, body), { rejected: 'malformed' });
});

t.test('data within the JSON of an event', async (t) => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const cases: readonly (readonly [members: Readonly<Record<string, unknown>>, data: unknown, isBase64?: true])[] = [
    [{}, undefined],
    [{ data: null }, undefined],
    [{ data: null, data_base64: base64('{"a":1}') }, { a: 1 }],
    [{ data: 0 }, 0],
    [{ data: '{"a":1}' }, { a: 1 }],
    [{ data: '{"a":1', datacontenttype: 'application/json' }, '{"a":1'],
    [{ data: '"a"' }, '"a"'],
    [{ data: '{"a":1}', datacontenttype: 'text/plain' }, '{"a":1}'],
    [{ data_base64: base64('{"a":1}'), datacontenttype: 'text/plain' }, '{"a":1}'],
    [{ data_base64: base64('hello') }, 'hello'],
    [{ data_base64: '_-8=' }, '/+8=', true],
    [{ data_base64: '' }, undefined],
  ];
  for (const [members, data, isBase64 = false] of cases) {
    const found = eventOf(structured(members));
    t.same([found.data, found.isBase64], [data, isBase64], JSON.stringify(members));
  }
  t.match(structured({ data: 1, data_base64: 'AA==' }), { rejected: 'shape', why: /beside/ });
  for (const wrong of [7, 'a b', '===', '%', {}]) t.match(structured({ data_base64: wrong }), { rejected: 'shape' });
  t.match(structured({ data_base64: base64('{'), datacontenttype: 'application/json' }), { rejected: 'malformed' });
});

t.test('attributes', async (t) => {
  const found = eventOf(structured({ n: 5, f: false, list: [1], none: null, odd_name: 'x', UPPER: 'x', subject: '' }));
  t.same(Object.fromEntries(found.attributes), { ...ESSENCE, n: '5', f: 'false' });
  t.equal(eventOf(structured({ time: '2026-01-01T13:01:01.5+01:00' })).time, Date.UTC(2026, 0, 1, 12, 1, 1, 500));
  t.equal(eventOf(structured({})).time, null);
  for (const members of [
    { id: '' },
    { id: 7 },
    { id: null },
    { source: {} },
    { type: undefined },
    { specversion: '1' },
    { specversion: 1 },
    { subject: 7 },
    { time: '' },
    { time: 0 },
    { time: '2026-02-30T00:00:00Z' },
    { id: 'x'.repeat(16_385) },
    Object.fromEntries([...Array(97)].map((_, index) => [`a${index}`, 'x'])),
    { data: JSON.parse(`${'[['.repeat(600)}${']]'.repeat(600)}`) },
  ]) {
    t.match(structured(members), { rejected: 'shape', why: /^found / }, JSON.stringify(members).slice(0, 80));
  }
  t.match(only({ ...BINARY, 'ce-subject': '' }, ''), { id: '1' }, 'an empty subject is none');
  t.match(only({ ...BINARY, 'ce-time': '' }, ''), { rejected: 'shape' });
  const many = Object.fromEntries([...Array(97)].map((_, index) => [`ce-a${index}`, 'x']));
  t.match(only({ ...BINARY, ...many }, ''), { rejected: 'shape', why: 'found 101 attributes, wanted at most 100' });
});

t.test('nothing that is sent reaches a prototype', async (t) => {
  const body = `{"specversion":"1.0","id":"1","source":"/x","type":"t","__proto__":"a","constructor":"b","data":{"__proto__":{"c":1}}}`;
  const found = eventOf(only(STRUCTURED, body));
  t.notOk(found.attributes.has('__proto__'));
  t.equal(found.attributes.get('constructor'), 'b');
  t.equal(Object.getPrototypeOf(found.data), Object.prototype);
  t.notOk('c' in {});
  t.match(only(STRUCTURED, '{"__proto__":{"specversion":"1.0","id":"1","source":"/x","type":"t"}}'), {
    rejected: 'shape',
  });
});

t.test('batches', async (t) => {
  t.same(read(BATCH, '[]'), []);
  const event = JSON.stringify(ESSENCE);
  t.match(read(BATCH, `[${event},7,${event},{"id":"1"}]`), [
    { id: '1' },
    { rejected: 'shape' },
    { id: '1' },
    { rejected: 'shape' },
  ]);
  t.match(read(BATCH, '{}'), [{ rejected: 'shape' }]);
  t.match(read(BATCH, '[1'), [{ rejected: 'malformed' }]);
  t.equal(read(BATCH, `[${'1,'.repeat(9_999)}1]`).length, 10_000);
  t.match(read(BATCH, `[${'1,'.repeat(10_000)}1]`), [{ rejected: 'shape', why: /10001 events, wanted at most 10000/ }]);
});

t.test('which form a request has', async (t) => {
  t.equal(formOf({}), null);
  t.equal(formOf({ 'content-type': 'application/cloudevents+xml' }), null);
  t.equal(formOf({ 'content-type': 'application/cloudevents+jsonx' }), null);
  t.equal(formOf({ 'Content-Type': ' APPLICATION/CLOUDEVENTS+JSON ; x=y' }), 'structured');
  t.equal(formOf({ ...BATCH, ...BINARY }), 'batched');
  t.equal(formOf({ 'ce-id': '' }), 'binary');
});

t.test('what the SDK of CloudEvents emits', async () => {
  const text = fc.stringMatching(/^[!-~]{1,20}$/);
  const attributes = fc.record({ id: text, source: text, type: text, subject: text });
  fc.assert(
    fc.property(attributes, fc.jsonValue({ maxDepth: 3 }), fc.integer(), (given, data, ext) => {
      const time = '2026-05-09T10:12:45.123Z';
      const event = new CloudEvent({ ...given, time, ext, data: { data } }, false);
      const wanted = { ...given, specversion: '1.0', time, ext: String(ext) };
      for (const { headers, body } of [HTTP.binary(event), HTTP.structured(event)]) {
        const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
        // It encodes nothing, as it should.
        if (Object.values(sent).some((value) => /%|"/.test(value))) continue;
        const found = eventOf(only(sent, String(body)));
        t.match(Object.fromEntries(found.attributes), wanted);
        t.same(found.data, { data: JSON.parse(JSON.stringify(data)) });
        t.equal(found.time, Date.parse(time));
      }
    }),
    { numRuns: 50 },
  );
});

t.test('whatever comes, it is an event or it is not', async () => {
  const form = fc.constantFrom(...(['structured', 'batched', 'binary'] as const));
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('%C3', '"', '"\\', '%', 'application/json'));
  const name = fc.oneof(fc.string(), fc.constantFrom('ce-id', 'CE-ID', 'ce-', 'ce-time', 'content-type', '__proto__'));
  const headers = fc.dictionary(name, fc.oneof(value, fc.array(value)), { noNullPrototype: true });
  const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
  const bytes = fc.uint8Array().map((one) => Buffer.from(one));
  const members = fc.dictionary(
    fc.constantFrom(...Object.keys(ESSENCE), 'time', 'data', 'data_base64'),
    fc.jsonValue(),
  );
  const near = fc.array(members).map((list) => Buffer.from(JSON.stringify(list)));
  fc.assert(
    fc.property(form, headers, fc.oneof(json, bytes, near), (form, headers, body) => {
      for (const one of readRequest(form, headers, body)) {
        if (isRefusal(one) ? one.why === '' : one.id === '') throw new Error('neither');
      }
    }),
    { numRuns: 500 },
  );
});
