import t from 'tap';
import { parsePrinted } from '../../../src/sources/reaction/printed.ts';

t.test('JSON, YAML in its plain form, and any other YAML', async (t) => {
  const wanted = new Map([['a', ['b', 'c']]]);
  for (const text of [
    '{"a": ["b", "c"]}',
    ' \n{"a": ["b", "c"]}',
    'a:\n- b\n- c\n',
    '{a: [b, c]}',
    '# x\na: [b, "c"]',
  ]) {
    t.same(parsePrinted(text), wanted, text);
  }
  t.equal(parsePrinted(''), null);
  t.same(parsePrinted('[]'), []);
  t.equal(parsePrinted('hello'), 'hello');
});

t.test('what is none of them, or too much', async (t) => {
  t.throws(() => parsePrinted('{"a": '), { message: /^line 1, column 7: / });
  t.throws(() => parsePrinted(`{"a": "${'x'.repeat(2 ** 20)}"`), { message: /^line 1, column 1048585: / });
  t.throws(() => parsePrinted(`# ${'x'.repeat(9 * 2 ** 20)}`), {
    message: /^YAML of 9437186 characters, wanted at most/,
  });
});
