import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { cleanLine } from '../../../src/sources/reaction/clean.ts';
import { headParser } from '../../../src/sources/reaction/heads.ts';
import { parseLine } from '../../../src/sources/reaction/parse.ts';
import { fixture } from '../../support/paths.ts';

t.test('the samples are read the same, at first and again', async (t) => {
  const parse = headParser();
  const lines = readFileSync(fixture('reaction/lines.jsonl'), 'utf8').trim().split('\n');
  for (const _ of [1, 2, 3]) {
    for (const text of lines) {
      const clean = cleanLine((JSON.parse(text) as { readonly line: string }).line, 0);
      t.same(parse(clean.text, clean.v1), parseLine(clean.text, clean.v1), clean.text);
    }
  }
});

t.test('whatever stands in a line, and came before it, it is read as it is alone', async () => {
  const piece = fc.constantFrom(
    ...[
      'INFO ',
      'ERROR ',
      'WARN ',
      'ssh',
      '.',
      'sshd',
      'ban',
      ': ',
      ':',
      'match ',
      'run ',
      'match',
      ' ',
      '[',
      ']',
      '"',
    ],
    ...['["a"]', '["b", "c"]', '[a]', '[]', '["a', '\\"', 'start command', 'start', ', code 1', 'received SIGTERM'],
  );
  const usual = fc
    .tuple(
      fc.constantFrom('INFO', 'ERROR'),
      fc.constantFrom('a.b', 'a.b.c', 'a', 'a.b.c.d', 'a[.b', 'a: match .b', 'start command'),
      fc.constantFrom('match', 'run', 'matched'),
      fc.constantFrom('["x"]', '["x" "y"]', '[]', '[x][y]', '["x"', '["x"]: exit status: 1', '[[["x"]', ' ["x"]'),
    )
    .map(([level, head, word, list]) => `${level} ${head}: ${word} ${list}`);
  const line = fc.oneof(
    usual,
    fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(line, fc.boolean()), { maxLength: 30 }), (lines) => {
      const parse = headParser();
      for (const [text, v1] of lines) t.same(parse(text, v1), parseLine(text, v1), text);
    }),
    { numRuns: 300 },
  );
});

t.test('more heads than are kept, and longer ones', async (t) => {
  const parse = headParser();
  for (let i = 0; i < 25_000; i++) parse(`INFO s.f${i}: match ["x"]`, false);
  const long = `INFO s.${'f'.repeat(2_000)}: match ["x"]`;
  for (const text of ['INFO s.f0: match ["y"]', 'INFO s.f24999: match ["y"]', long, long])
    t.same(parse(text, false), parseLine(text, false));
});
