import fc from 'fast-check';
import t from 'tap';
import { labelNames } from '../../../src/sources/reaction/names.ts';

t.test('label names', async (t) => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], []],
    [
      ['ip', 'Zone', 'a_1'],
      ['ip', 'Zone', 'a_1'],
    ],
    [
      ['user-agent', 'größe', '\u{1f600}', ''],
      ['user_agent', 'gr__e', '_', 'pattern___2'],
    ],
    [['1st'], ['_1st']],
    [
      ['stream', 'filter', 'action', 'source'],
      ['pattern_stream', 'pattern_filter', 'pattern_action', 'pattern_source'],
    ],
    [
      ['__proto__', '__x', '_x', '--x'],
      ['pattern___proto__', 'pattern___x', '_x', 'pattern___x_2'],
    ],
    [
      ['a-b', 'a.b', 'a b'],
      ['a_b', 'a_b_2', 'a_b_3'],
    ],
    [
      ['a-b', 'a.b', 'a_b_2'],
      ['a_b', 'a_b_2', 'a_b_2_2'],
    ],
    [
      ['pattern_stream', 'stream'],
      ['pattern_stream', 'pattern_stream_2'],
    ],
    [
      ['constructor', 'toString'],
      ['constructor', 'toString'],
    ],
  ];
  for (const [patterns, wanted] of cases) t.same(labelNames(patterns), wanted, JSON.stringify(patterns));
});

t.test('always legal, always distinct', async () => {
  const piece = fc.constantFrom('_', '-', 'a', '1', 'stream', 'source', '_2', 'pattern_', 'é', '\u{1f600}');
  const name = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), (patterns) => {
      const names = labelNames(patterns);
      const areLegal = names.every((label) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(label) && !label.startsWith('__'));
      const areFree = !names.some((label) => ['stream', 'filter', 'action', 'source'].includes(label));
      return names.length === patterns.length && areLegal && areFree && new Set(names).size === names.length;
    }),
    { numRuns: 1000 },
  );
});
