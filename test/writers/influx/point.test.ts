import t from 'tap';
import type { Event } from '../../../src/core/event.ts';
import { encodeEvent, eventPoint, integerOf } from '../../../src/writers/influx/point.ts';
import { parseLineProtocol } from '../../support/line-protocol.ts';

const time = Date.parse('2024-01-15T09:06:00.500Z');

const request: Event = {
  id: 'r1',
  time,
  source: 's3-audit',
  action: 'GetObject',
  outcome: 'ok',
  actor: { type: 'user', id: 'u1', name: 'kim', address: '198.51.100.7' },
  target: { type: 'object', id: 'invoices/a.pdf' },
  data: {
    kind: 'request',
    api: 'GetObject',
    bucket: 'invoices',
    code: 200,
    duration_ns: '912345678',
    responseBytes: 17,
    request_bytes: -1,
    ttfb_ns: 'x',
    form: 'minio',
    record: { api: { name: 'GetObject' }, time: '2024-01-15T09:06:00.5Z' },
  },
};

t.test('an event as a point', async (t) => {
  t.equal(
    encodeEvent(request, { points: 'event', strings: false }),
    's3_requests,api=GetObject,bucket=invoices,code=200 count=1i,duration_ns=912345678i,response_bytes=17i 1705309560500000000',
  );
  t.equal(
    encodeEvent(request, { points: 'event', strings: true }),
    's3_requests,api=GetObject,bucket=invoices,code=200 actor="kim",client="198.51.100.7",count=1i,duration_ns=912345678i,id="r1",response_bytes=17i,target="invoices/a.pdf" 1705309560500000000',
  );
});

t.test('numbers that need not be whole', async (t) => {
  const flow: Event = { ...request, source: 'aporeto', data: { kind: 'flows', action: 'Accept', value: 3 } };
  t.same(
    eventPoint(flow, { strings: false }).fields,
    new Map<string, unknown>([
      ['count', 1n],
      ['value', 3],
    ]),
  );
});

t.test('two calls of one instant are two points, a repeated one is the same', async (t) => {
  const trail: Event = { ...request, source: 'cloudtrail', data: { service: 's3' } };
  const line = (id: string) => encodeEvent({ ...trail, id }, { points: 'event', strings: false });
  t.equal(line('a'), line('a'));
  t.not(line('a'), line('b'));
});

t.test('hostile values make one sound line', async (t) => {
  const text = `\\" ,=\n\u0000\ud800${'x'.repeat(2_000)}`;
  const hostile: Event = {
    ...request,
    id: text,
    source: `cts/${text}`,
    data: { service: text, rating: text, kind: text },
  };
  const line = encodeEvent(hostile, { points: 'event', strings: true }) ?? '';
  const parsed = parseLineProtocol(line, 'victoria');
  t.same(
    parsed.tags.map(([name]) => name),
    ['rating', 'service', 'source'],
  );
  for (const [name, value] of parsed.tags) t.ok(value.length <= 1_024, `${name} is bounded`);
});

t.test('whole numbers', async (t) => {
  t.equal(integerOf(7), 7n);
  t.equal(integerOf('123456789012345678'), 123456789012345678n);
  for (const value of [undefined, null, -1, 1.5, 2 ** 53, '', '-1', '1e3', '1'.repeat(19), true, [1]]) {
    t.equal(integerOf(value), null, String(value));
  }
});
