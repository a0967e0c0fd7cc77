import t from 'tap';
import { patternNames, patternNamesWithoutSection } from '../../../src/sources/reaction/pattern-names.ts';

t.test('patterns stand in angle brackets, groups of the regex do not count', async (t) => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['from <ip>', ['ip']],
    ['<<ip>:\\d+>', ['ip']],
    ['<ip><ip2>', ['ip', 'ip2']],
    ['(?<ip>x) (?P<ip2>y)', []],
    ['(?<ip>x) <ip>', ['ip']],
    ['from \\(?<ip>\\)?', ['ip']],
    ['\\\\(?<ip>x)', []],
    ['(P<ip>)', ['ip']],
    ['ip <ip <IP> < ip>', []],
    ['', []],
  ];
  for (const [regex, wanted] of cases) {
    t.same([...patternNames([regex], ['ip', 'ip2'])], wanted, regex);
  }
  t.same([...patternNames(['<a>', '<c>'], ['c', 'b', 'a'])], ['c', 'a'], 'of all regexes');
});

t.test('without known names every word counts', async (t) => {
  t.same(
    [...patternNamesWithoutSection(['<<ip>:\\d+> (?<q>") (?P<r>x) <Größe_1> <a b> <>', '<ip>'])],
    ['ip', 'Größe_1'],
  );
});
