import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { parsePrinted, parseYaml, type Tree } from '../../../src/sources/reaction/documents.ts';

t.test('scalars stay as they were written', async (t) => {
  t.same(
    parseYaml('a: 2026-05-09 10:13:01\n2001:db8::1: 0x10\nc: true\nd: ~\ne:\nf: "1\\n"\n<: 1e3'),
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
  t.same(parsePrinted('{"a": [1, true, null, "x"]}'), new Map([['a', ['1', 'true', null, 'x']]]));
  t.equal(parseYaml(''), null);
  t.same(parsePrinted('{"__proto__": {"a": "b"}}'), new Map([['__proto__', new Map([['a', 'b']])]]));
});

t.test('aliases and merge keys', async (t) => {
  const tree = parseYaml('a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: [*a, {z: 4}]}\nd: *a\n<<: text');
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
    [parseYaml, 'a: 1\nb: [1\n', /^line 3, column 1: Flow sequence/],
    [parseYaml, 'a: 1\na: 2', /^line 2, column 1: Map keys must be unique/],
    [parseYaml, 'a: 1\nb: *c', /^Unresolved alias .*: c$/],
    [parseYaml, 'a: 1\n---\nb: 2', /^line 2, column 1: found a second document, wanted one$/],
    [parseYaml, "thread 'main' panicked at: not : valid : [yaml", /^line 1, column 28: /],
    [parsePrinted, '{"a": 1,\n "b": ]}', /^line 2, column 7: /],
    [parsePrinted, '{"a": [1, 2\n', /^line 2, column 1: /],
  ];
  for (const [parse, text, message] of cases) t.throws(() => parse(text), { message }, text);
});

t.test('what programs print: JSON, or YAML without merge keys, where the last of equal keys stays', async (t) => {
  const wanted = new Map([['a', ['b', 'c']]]);
  for (const text of [
    '{"a": ["b", "c"]}',
    ' \n{"a": ["b", "c"]}',
    'a:\n- b\n- c\n',
    '{a: [b, c]}',
    '# x\na: [b, "c"]',
    'a: x\na: [b, c]',
  ]) {
    t.same(parsePrinted(text), wanted, text);
  }
  t.equal(parsePrinted(''), null);
  t.same(parsePrinted('[]'), []);
  t.equal(parsePrinted('hello'), 'hello');
  for (const text of ['{"<<": {"a": "b"}}', '<<: {a: b}']) {
    t.same(parsePrinted(text), new Map([['<<', new Map([['a', 'b']])]]), text);
  }
  t.throws(() => parsePrinted('x'.repeat(5 * 2 ** 20)), {
    message: 'no JSON, and too long for YAML: 5242880 characters, wanted at most 1048576',
  });
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
  t.throws(() => parseYaml(`a0: &a0 [x]\n${lists}`), { message: 'more than 1000000 values once aliases are expanded' });
  const merges = levels
    .map(
      (n) =>
        `a${n}: &a${n} {<<: [${Array(10)
          .fill(`*a${n - 1}`)
          .join(', ')}]}`,
    )
    .join('\n');
  t.throws(() => parseYaml(`a0: &a0 {x: 1}\n${merges}`), { message: /^more than 1000000 values/ });
  t.throws(() => parseYaml('a: &a [*a]'), { message: /^nested more than 64 deep, or holds itself$/ });
  t.throws(() => parseYaml('['.repeat(100_000)), { message: 'line 1, column 129: nested more than 64 deep' });
  t.throws(() => parseYaml('- '.repeat(100_000)), { message: /nested more than 64 deep$/ });
  t.throws(() => parsePrinted('['.repeat(100_000) + ']'.repeat(100_000)), { message: /^nested more than 64 deep/ });
  const many = Array.from({ length: 500 }, (_, n) => `f${n}: *a`).join('\n');
  t.equal((parseYaml(`a: &a {b: [c]}\n${many}`) as ReadonlyMap<string, Tree>).size, 501, 'many plain aliases are fine');
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
      return isDeepStrictEqual(parseYaml(stringify(value)), value) && isDeepStrictEqual(parsePrinted(json), value);
    }),
  );
});
