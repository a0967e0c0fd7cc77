// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what a user writes
import fc from 'fast-check';
import t from 'tap';
import { interpolate } from '../../src/core/interpolate.ts';

t.test('names, defaults, escapes', async (t) => {
  const env = { A: 'a', EMPTY: '', B_2: '${A}', $: 'x' };
  const cases: readonly (readonly [text: string, result: string, ...missing: string[]])[] = [
    ['', ''],
    ['plain $A $ $$ {A}', 'plain $A $ $$ {A}'],
    ['${A}${A}', 'aa'],
    ['x${A}y', 'xay'],
    ['${B_2}', '${A}'],
    ['${EMPTY}', ''],
    ['${EMPTY:-e}', 'e'],
    ['${A:-e}', 'a'],
    ['${NONE}', '', 'NONE'],
    ['${NONE} ${NO_TOO}', ' ', 'NONE', 'NO_TOO'],
    ['${NONE:-}', ''],
    ['${NONE:-a b:c $d {e}', 'a b:c $d {e'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$${A} ${A}', '${A} a'],
    ['${1A} ${A-b} ${A:b} ${} ${ A }', '${1A} ${A-b} ${A:b} ${} ${ A }'],
    ['${A', '${A'],
    ['${__proto__} ${constructor}', ' ', '__proto__', 'constructor'],
  ];
  for (const [text, result, ...missing] of cases) {
    t.same(interpolate(text, env), { text: result, missing }, text);
  }
});

t.test('text without a dollar is left alone, and every result ends', async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const plain = text.replaceAll('$', '');
      if (interpolate(plain, {}).text !== plain) throw new Error(plain);
    }),
  );
  const long = '${'.repeat(100_000);
  if (interpolate(long, {}).text !== long) throw new Error('changed');
});
