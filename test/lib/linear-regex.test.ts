import fc from 'fast-check';
import t from 'tap';
import { compileLinear } from '../../src/lib/linear-regex.ts';

/** Whether it matches the whole text; null if it is not understood. */
function matches(source: string, text: string): boolean | null {
  const ends = compileLinear(source)?.ends(text, 0, text.length, { left: 10_000_000 });
  return ends ? ends.includes(text.length) : null;
}

t.test('matches whole texts as Rust does', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['', '', true],
    ['', 'a', false],
    ['abc', 'abc', true],
    ['a|bc|', 'bc', true],
    ['a|bc|', '', true],
    ['(?:ab)+', 'abab', true],
    ['(?P<x>a)(?<y>b)(c)', 'abc', true],
    ['a{2}', 'aa', true],
    ['a{2}', 'aaa', false],
    ['a{2,}', 'aaaaa', true],
    ['a{1,3}b{0}', 'aaa', true],
    ['a{1,3}', 'aaaa', false],
    ['a+?b*?c??', 'aab', true],
    ['(a*)*', 'aaa', true],
    ['.*', 'a b', true],
    ['.*', 'a\nb', false],
    ['.', '\u{1f600}', true],
    ['..', '\u{1f600}', false],
    ['[a-c-]+', 'a-c', true],
    ['[^a-c]+', 'xyz', true],
    ['[^a-c]', 'b', false],
    ['[]a]+', ']a', true],
    ['[^]a]', 'b', true],
    ['[[:alpha:][:digit:]_]+', 'aZ9_', true],
    ['[\\w.-]+@[\\]]', 'a.b-c@]', true],
    ['[-._+\\w]+@[-.\\w]+', 'mallory@example.org', true],
    ['\\w+', 'äö9_', true],
    ['\\W', 'ä', false],
    ['\\d\\D', '٣x', true],
    ['\\s\\S', '\u3000x', true],
    ['\\p{L}\\pL\\p{Greek}\\P{L}', 'aäα1', true],
    ['\\x41\\x{1F600}\\u0042\\U00000043', 'A\u{1f600}BC', true],
    ['\\.\\-\\/\\@\\ \\"', '.-/@ "', true],
    ['\\t\\n\\r\\f\\v\\a', '\t\n\r\f\v\u0007', true],
    ['^a$', 'a', true],
    ['\\Aa\\z', 'a', true],
    ['a$b', 'ab', false],
    ['a^b', 'ab', false],
    ['\\bfoo\\b \\bbar\\b', 'foo bar', true],
    ['foo\\Bbar', 'foobar', true],
    ['foo\\bbar', 'foobar', false],
    ['(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)', '203.0.113.9', true],
    ['(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)', '203.0.113.256', false],
  ];
  for (const [source, text, wanted] of cases) t.equal(matches(source, text), wanted, `${source} on ${text}`);
});

t.test('what it does not know is refused, never misread', async (t) => {
  const sources = [
    '(?i)a',
    '(?=a)',
    '(?<!a)b',
    'a**{',
    '*',
    '(a',
    'a)',
    '[a',
    '[b-a]',
    '[\\d-z]',
    '\\1',
    '\\Z',
    '\\Qa\\E',
  ];
  sources.push(
    '[a&&b]',
    '[a--b]',
    '[a[b]]',
    '[[:nope:]]',
    '[\\b]',
    '\\p{Nope}',
    '\\p',
    'a{,3}',
    'a{3,1}',
    '\\x{110000}',
  );
  sources.push(
    '\\<a',
    'a{2000}',
    '(?:a{100}){100}',
    '((){1000}){1000}',
    '('.repeat(200),
    'a'.repeat(20_000),
    '\\',
    '[\\',
  );
  sources.push(`a${'+'.repeat(5000)}`, `${'('.repeat(50)}a${'){2}'.repeat(50)}`);
  for (const source of sources) t.equal(compileLinear(source), null, source.slice(0, 40));
});

t.test('gives every end of a slice', async (t) => {
  const work = { left: 10_000 };
  t.same(compileLinear('a*')?.ends('xaaay', 1, 3, work), [1, 2, 3]);
  t.same(compileLinear('a+b?')?.ends('xaab', 1, 4, work), [2, 3, 4]);
  t.same(compileLinear('b')?.ends('xaab', 1, 4, work), []);
  t.same(compileLinear('.*')?.ends('\u{1f600}\u{1f600}', 0, 3, work), [0, 2], 'not within a pair of surrogates');
  t.same(compileLinear('^.\\b.$')?.ends('a b', 0, 3, work), [2]);
});

t.test('takes linear time and keeps to its work', async (t) => {
  const text = 'a'.repeat(4096);
  for (const source of ['(a+)+b', '(a|a)*b', '(a*)*(a*)*(a*)*b', 'a*a*a*a*a*a*a*a*b', '(?:[a-z0-9-]+\\.?)+!']) {
    t.equal(matches(source, text), false, source);
  }
  const work = { left: 1000 };
  t.equal(compileLinear('(a|a)*b')?.ends(text, 0, text.length, work), null);
  t.ok(work.left > -100, 'stops soon after');
});

t.test('agrees with JavaScript on what both know', async () => {
  const leaf = fc.constantFrom(
    'a',
    'b',
    '.',
    '\\d',
    '\\w',
    '[ab]',
    '[^a]',
    '[a-b1]',
    '',
    '\\.',
    '^',
    '$',
    'é',
    '\u{1f600}',
  );
  const { regex } = fc.letrec<{ regex: string }>((tie) => ({
    regex: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => a + b),
      fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => `(?:${a}|${b})`),
      fc.tuple(tie('regex'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{2,}')).map(([a, q]) => `(?:${a})${q}`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '\n', '\u{1f600}'), maxLength: 5 });
  fc.assert(
    fc.property(regex, text, (source, value) => {
      return matches(source, value) === new RegExp(`^(?:${source})$`, 'u').test(value);
    }),
    { numRuns: 2000 },
  );
});
