import t from 'tap';
import { isObject, isWithinDepth, objectAt, parseJson, textAt } from '../../src/lib/json-value.ts';

t.test('members of known types only', async (t) => {
  const value = parseJson('{"text":"a","object":{"b":1},"list":[],"null":null,"number":1,"__proto__":{"c":"d"}}');
  if (!isObject(value)) throw new Error('no object');
  t.equal(textAt(value, 'text'), 'a');
  t.same(objectAt(value, 'object'), { b: 1 });
  for (const name of ['list', 'null', 'number', 'absent', 'c']) {
    t.equal(textAt(value, name), '');
    t.equal(objectAt(value, name), null);
  }
  t.equal(textAt(null, 'text'), '');
  t.equal(objectAt(null, 'object'), null);
  t.equal(parseJson('{'), undefined);
  t.equal(parseJson('null'), null);
  for (const none of [null, [], 'a', 1, undefined]) t.equal(isObject(none), false);
});

t.test('depth, of any', async (t) => {
  t.equal(isWithinDepth(1, 0), true);
  t.equal(isWithinDepth([], 0), false);
  t.equal(isWithinDepth([1, { a: 2 }], 1), false);
  t.equal(isWithinDepth([1, { a: 2 }], 2), true);
  const deep = parseJson('['.repeat(500_000) + ']'.repeat(500_000));
  t.equal(isWithinDepth(deep, 64), false);
  t.equal(isWithinDepth(deep, 500_000), true);
});
