import fc from 'fast-check';
import t from 'tap';
import { jsonText } from '../../src/lib/json-text.ts';

t.test('says what JSON.stringify says', async (t) => {
  fc.assert(fc.property(fc.jsonValue(), (value) => jsonText(value) === JSON.stringify(value)));
  t.equal(jsonText([undefined, Number.POSITIVE_INFINITY]), '[null,null]');
});

t.test('sorted, the order of members makes no difference', async (t) => {
  const values = ['{"b":[{"y":1,"x":2}],"a":{},"__proto__":3}', '{"__proto__":3,"a":{},"b":[{"x":2,"y":1}]}'];
  const [one, other] = values.map((text) => jsonText(JSON.parse(text), { sorted: true }));
  t.equal(one, '{"__proto__":3,"a":{},"b":[{"x":2,"y":1}]}');
  t.equal(other, one);
});

t.test('depth does no harm', async (t) => {
  const text = `${'[{"a":'.repeat(200_000)}1${'}]'.repeat(200_000)}`;
  t.equal(jsonText(JSON.parse(text)), text);
});
