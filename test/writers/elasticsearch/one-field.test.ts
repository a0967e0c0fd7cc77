import t from 'tap';
import type { Data, Event } from '../../../src/core/event.ts';
import { eventDocument } from '../../../src/writers/elasticsearch/document.ts';
import { fitsOneField } from '../../../src/writers/elasticsearch/one-field.ts';

function nested(levels: number, by: (inner: Data) => Data): Data {
  let value: Data = 'x';
  for (let level = 0; level < levels; level++) value = by(value);
  return value;
}

t.test('what can be one field', async (t) => {
  t.ok(fitsOneField({ a: [1, 'b', { c: null }], '': true, 'a.b': {} }));
  t.ok(fitsOneField(nested(20, (d) => ({ d }))));
  t.notOk(fitsOneField(nested(21, (d) => ({ d }))));
  t.notOk(fitsOneField(nested(100_000, (d) => [d])), 'and takes no stack');
  t.notOk(fitsOneField({ a: { 'b\0': 1 } }), 'a NUL in a key');
  t.ok(fitsOneField({ a: 'b\0' }));
});

t.test('a text of more bytes than a term may have, together with its path', async (t) => {
  const most = 32_000 - 'a.b='.length;
  t.ok(fitsOneField({ a: { b: 'x'.repeat(most) } }));
  t.notOk(fitsOneField({ a: { b: 'x'.repeat(most + 1) } }));
  t.notOk(fitsOneField({ a: { b: 'é'.repeat(most / 2 + 1) } }), 'bytes, not characters');
  t.notOk(fitsOneField({ a: ['x'.repeat(40_000)] }));
  t.notOk(fitsOneField({ ['k'.repeat(40_000)]: 1 }));
});

t.test('else it is the text of the event', async (t) => {
  const event = (raw: Data): Event => ({ id: 'e', time: 0, source: 'x', action: 'a', outcome: 'ok', data: { raw } });
  const long = { spec: 'x'.repeat(40_000) };
  t.match(eventDocument(event(long)), { event: { original: JSON.stringify(long) } });
  t.notOk('raw' in eventDocument(event(long)));
  const short = eventDocument(event({ spec: 'x' }));
  t.match(short, { raw: { spec: 'x' } });
  t.notMatch(short, { event: { original: String } });
});
