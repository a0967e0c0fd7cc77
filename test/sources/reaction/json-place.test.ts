import fc from 'fast-check';
import t from 'tap';
import { jsonMistake } from '../../../src/sources/reaction/json-place.ts';

t.test('the first wrong token', async (t) => {
  // The mark is where the mistake is.
  const cases = [
    '|',
    '{|',
    '{"a"|}',
    '{"a":|}',
    '{"a": 1 |"b": 2}',
    '{"a": 1,|}',
    '{"a": [1, 2|}',
    '[1,|]',
    '[1 |2]',
    '{} |{}',
  ];
  cases.push(
    '|x',
    '[|01]',
    '[|1.]',
    '[|nulls]',
    '["a", |"b]',
    '[|"\\x"]',
    '[|"\n"]',
    "[|'a']",
    '[|// c\n]',
    '{|a: 1}',
    '[1]|]',
    '{"a"|,1}',
  );
  for (const text of cases) {
    const plain = text.replace('|', '');
    t.throws(() => JSON.parse(plain), plain);
    const place = jsonMistake(plain);
    t.equal(plain.slice(place).trimStart(), text.slice(text.indexOf('|') + 1), JSON.stringify(plain));
  }
});

t.test('within the text for whatever JSON.parse refuses, its end for what it takes', async () => {
  const json = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 }));
  fc.assert(
    fc.property(json, ([text, at, put]) => {
      const changed = text.slice(0, at % (text.length + 1)) + put + text.slice(at % (text.length + 1));
      const place = jsonMistake(changed);
      try {
        JSON.parse(changed);
        return place === changed.length;
      } catch {
        return place >= 0 && place <= changed.length;
      }
    }),
    { numRuns: 1000 },
  );
});
