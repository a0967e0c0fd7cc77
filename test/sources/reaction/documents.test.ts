import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { parseJson, parseYaml, type Tree } from '../../../src/sources/reaction/documents.ts';

function yaml(text: string): Tree {
  return parseYaml(text, { uniqueKeys: true });
}

t.test('scalars stay as they were written', async (t) => {
  t.same(
    yaml('a: 2026-05-09 10:13:01\n2001:db8::1: 0x10\nc: true\nd: ~\ne:\nf: "1\\n"\n<: 1e3'),
    new Map<string, Tree>([
      ['a', '2026-05-09 10:13:01'],
      ['2001:db8::1', '0x10'],
      ['c', 'true'],
      ['d', null],
      ['e', null],
      ['f', '1\n'],
      ['<', '1e3'],
    ]),
  );
  t.same(parseJson('{"a": [1, true, null, "x"]}'), new Map([['a', ['1', 'true', null, 'x']]]));
  t.equal(yaml(''), null);
  t.same(parseJson('{"__proto__": {"a": "b"}}'), new Map([['__proto__', new Map([['a', 'b']])]]));
});

t.test('aliases and merge keys', async (t) => {
  const tree = yaml('a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: [*a, {z: 4}]}\nd: *a\n<<: text');
  t.same(
    tree,
    new Map<string, Tree>([
      [
        'a',
        new Map([
          ['x', '1'],
          ['y', '2'],
        ]),
      ],
      [
        'b',
        new Map([
          ['x', '3'],
          ['y', '2'],
        ]),
      ],
      [
        'c',
        new Map([
          ['x', '1'],
          ['y', '2'],
          ['z', '4'],
        ]),
      ],
      [
        'd',
        new Map([
          ['x', '1'],
          ['y', '2'],
        ]),
      ],
      ['<<', 'text'],
    ]),
  );
});

t.test('mistakes have their place', async (t) => {
  const cases: readonly (readonly [(text: string) => Tree, string, RegExp])[] = [
    [yaml, 'a: 1\nb: [1\n', /^line 3, column 1: Flow sequence/],
    [yaml, 'a: 1\na: 2', /^line 2, column 1: Map keys must be unique/],
    [yaml, 'a: 1\nb: *c', /^line 2, column 4: no anchor &c before \*c$/],
    [yaml, 'a: 1\n---\nb: 2', /^line 2, column 1: found a second document, wanted one$/],
    [yaml, "thread 'main' panicked at: not : valid : [yaml", /^line 1, column 28: /],
    [parseJson, '{"a": 1,\n "b": x}', /^line 2, column 7: Unexpected token/],
    [parseJson, '{"a": [1, 2\n', /^line 2, column 1: /],
  ];
  for (const [parse, text, message] of cases) t.throws(() => parse(text), { message }, text);
  t.same(parseYaml('a: 1\na: 2', { uniqueKeys: false }), new Map([['a', '2']]));
});

t.test('what is small and means much is refused', async (t) => {
  const levels = Array.from({ length: 12 }, (_, index) => index + 1);
  const lists = levels
    .map(
      (n) =>
        `a${n}: &a${n} [${Array(10)
          .fill(`*a${n - 1}`)
          .join(', ')}]`,
    )
    .join('\n');
  t.throws(() => yaml(`a0: &a0 [x]\n${lists}`), { message: 'more than 1000000 values once aliases are expanded' });
  const merges = levels
    .map(
      (n) =>
        `a${n}: &a${n} {<<: [${Array(10)
          .fill(`*a${n - 1}`)
          .join(', ')}]}`,
    )
    .join('\n');
  t.throws(() => yaml(`a0: &a0 {x: 1}\n${merges}`), { message: /^more than 1000000 values/ });
  t.throws(() => yaml('a: &a [*a]'), { message: /^nested more than 64 deep, or holds itself$/ });
  t.throws(() => yaml('['.repeat(100_000)), { message: 'line 1, column 129: nested more than 64 deep' });
  t.throws(() => yaml('- '.repeat(100_000)), { message: /nested more than 64 deep$/ });
  t.throws(() => parseJson('['.repeat(100_000) + ']'.repeat(100_000)), { message: /^nested more than 64 deep/ });
  const many = Array.from({ length: 500 }, (_, n) => `f${n}: *a`).join('\n');
  t.equal((yaml(`a: &a {b: [c]}\n${many}`) as ReadonlyMap<string, Tree>).size, 501, 'many plain aliases are fine');
});

t.test('gives back what was printed', async () => {
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'binary' }).filter((text) => text !== '<<'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc
        .array(
          fc.tuple(
            fc.string().filter((key) => key !== '<<'),
            tie('tree'),
          ),
          { maxLength: 3 },
        )
        .map((all) => new Map(all)),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const json = JSON.stringify(value, (_, part) => (part instanceof Map ? Object.fromEntries(part) : part));
      return isDeepStrictEqual(yaml(stringify(value)), value) && isDeepStrictEqual(parseJson(json), value);
    }),
  );
});
