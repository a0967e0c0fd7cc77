import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { readBlockYaml } from '../../../src/sources/reaction/block-yaml.ts';
import { parseYaml, type Tree } from '../../../src/sources/reaction/documents.ts';
import { fixture } from '../../support/paths.ts';

t.test('reads what show prints, as the whole parser does', async (t) => {
  const text = readFileSync(fixture('reaction/answers/show.yaml'), 'utf8');
  t.same(readBlockYaml(text), parseYaml(text, { uniqueKeys: true }));
  t.ok(readBlockYaml(text) instanceof Map);
});

t.test('plain forms', async (t) => {
  const cases: readonly (readonly [string, Tree])[] = [
    ['', null],
    ['\n', null],
    ['a: b', new Map([['a', 'b']])],
    ['2001:db8::1: a:b', new Map([['2001:db8::1', 'a:b']])],
    ["'it''s: [x': \"\\u0007\\\"\"", new Map([["it's: [x", '\u0007"']])],
    [
      'a:\nb:\n- x\nc: ~',
      new Map<string, Tree>([
        ['a', null],
        ['b', ['x']],
        ['c', null],
      ]),
    ],
    ['- a\n- b', ['a', 'b']],
    ['a b (c; d) e/5.0#x: 1', new Map([['a b (c; d) e/5.0#x', '1']])],
  ];
  for (const [text, wanted] of cases) t.same(readBlockYaml(text), wanted, JSON.stringify(text));
});

t.test('leaves the rest to the whole parser', async (t) => {
  const cases = [
    'a',
    'a: b: c',
    'a: {}',
    '? a\n: b',
    'a: |\n  b',
    'a: b\n  c',
    'a: &x b',
    '\ta: b',
    'a: b # c',
    'a:\n- b: c',
  ];
  cases.push(
    'a: b\n c: d',
    '  a: b\nc: d',
    'a: b\r\n',
    '<<: b',
    '# c',
    '--- a',
    'a: *b',
    '- - a',
    "'a",
    `${'a'.repeat(5000)}: b`,
  );
  cases.push(Array.from({ length: 40 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'));
  for (const text of cases) t.equal(readBlockYaml(text), undefined, JSON.stringify(text.slice(0, 40)));
});

t.test('never differs from the whole parser', async () => {
  const unit = fc.constantFrom(...'ab01:-#\'"\\[]{}*&!?|>%@`~, \t\u0000\u0085\u2028é\ufeff\u{1f600}<=');
  const text = fc.oneof(
    fc.string({ unit, maxLength: 12 }),
    fc.constantFrom('null', '~', '', '<<', '---', '2026-05-09 10:13:01'),
  );
  const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.array(text, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(text, tie('tree')), { minLength: 1, maxLength: 3 }).map((all) => new Map(all)),
    ),
  })).tree;
  let read = 0;
  fc.assert(
    fc.property(tree, fc.boolean(), (value, indentSeq) => {
      return isSame(stringify(value, { indentSeq, lineWidth: 0 }));
    }),
    { numRuns: 1000 },
  );
  t.ok(read > 100, `${read} were of the plain form`);
  const lines = fc.array(fc.tuple(fc.nat(4), text, fc.constantFrom('', ':', ': ', '- '), text), { maxLength: 6 });
  fc.assert(
    fc.property(lines, (all) => {
      return isSame(all.map(([indent, a, between, b]) => ' '.repeat(indent) + a + between + b).join('\n'));
    }),
    { numRuns: 2000 },
  );

  function isSame(printed: string): boolean {
    const plain = readBlockYaml(printed);
    if (plain === undefined) return true;
    read++;
    return isDeepStrictEqual(plain, parseYaml(printed, { uniqueKeys: false }));
  }
});
