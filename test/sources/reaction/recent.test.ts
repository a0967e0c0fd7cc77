import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { MATCHES_KEPT, RecentMatches } from '../../../src/sources/reaction/recent.ts';

t.test('tuples that are added by a number are those that were added themselves', (t) => {
  const step = fc.record({
    times: fc.integer({ min: 1, max: MATCHES_KEPT + 100 }),
    do: fc.constantFrom('add', 'later', 'settle', 'read', 'save'),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 12 }), (steps) => {
      const recent = new RecentMatches();
      const plain = new RecentMatches();
      let number = 0;
      for (const { do: what, times } of steps) {
        if (what === 'settle') recent.settle();
        if (what === 'read') deepStrictEqual([...recent], [...plain]);
        if (what === 'save') deepStrictEqual([...recent.changes()], [...plain.changes()]);
        if (what !== 'add' && what !== 'later') continue;
        for (let i = 0; i < times; i++, number++) {
          plain.add([String(number)]);
          if (what === 'add') recent.add([String(number)]);
          else recent.addLater(number, { tuple: (of) => [String(of)] });
        }
      }
      deepStrictEqual([...recent], [...plain]);
      deepStrictEqual([...recent.changes()], [...plain.changes()]);
    }),
  );
  t.end();
});
