import fc from 'fast-check';
import t from 'tap';
import { boundValue, escapeValue, LABEL_VALUE_LIMIT } from '../../../src/core/metrics/labels.ts';
import { AS_IT_IS, Symbols } from '../../../src/core/metrics/symbols.ts';

const LONG = 'x'.repeat(LABEL_VALUE_LIMIT + 1);
const texts = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'q"', 'b\\', 'n\nn', '\ud800', '\udfff', '\ufffd', LONG, `${LONG}y`, boundValue(LONG)),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const step = fc.record({ do: fc.constantFrom('keep', 'keep', 'drop', 'find'), text: texts });

t.test('a text is known as long as somebody keeps it', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const symbols = new Symbols();
      const uses = new Map<string, number>();
      for (const { do: what, text } of steps) {
        const kept = boundValue(text);
        const count = uses.get(kept) ?? 0;
        if (what === 'keep') {
          symbols.retain(symbols.intern(text));
          uses.set(kept, count + 1);
        } else if (what === 'drop' && count > 0) {
          symbols.release(symbols.find(text));
          if (count === 1) uses.delete(kept);
          else uses.set(kept, count - 1);
        }
        const isKnown = kept === '' || uses.has(kept);
        if (symbols.find(text) >= 0 !== isKnown) throw new Error(`${JSON.stringify(text)} after ${what}`);
      }
      const ids = new Set([0]);
      for (const text of uses.keys()) {
        const id = symbols.find(text);
        ids.add(id);
        if (symbols.text(id) !== text) throw new Error(`${symbols.text(id)} for ${text}`);
        if (symbols.escaped(id) !== escapeValue(text)) throw new Error(`${symbols.escaped(id)} for ${text}`);
      }
      const size = new Set([...uses.keys(), '']).size;
      if (ids.size !== size || symbols.size !== size) throw new Error(`${ids.size} and ${symbols.size} of ${size}`);
    }),
    { numRuns: 500 },
  );
});

t.test('values that would be shown alike have one number', async (t) => {
  const symbols = new Symbols();
  const same = [
    ['\ud800', '\udbff', '\ufffd'],
    [LONG, boundValue(LONG)],
    ['x'.repeat(LABEL_VALUE_LIMIT)],
    [`${LONG}y`],
    [''],
  ];
  const ids = same.map((texts) => {
    const [id, ...others] = texts.map((text) => {
      const id = symbols.intern(text);
      symbols.retain(id);
      return id;
    });
    for (const other of others) t.equal(other, id);
    return id;
  });
  t.equal(new Set(ids).size, same.length);
  t.equal(ids.at(-1), 0, 'the empty text is number 0');
});

t.test('texts that are kept as they are', async (t) => {
  const symbols = new Symbols(AS_IT_IS);
  const text = `a="${LONG}",b="x"`;
  const id = symbols.intern(text);
  symbols.retain(id);
  t.equal(symbols.text(id), text);
  t.equal(symbols.escaped(id), text);
  t.equal(symbols.find(`a="${LONG}",b="x"`), id);
});

t.test('texts that come and go do not pile up', async (t) => {
  const symbols = new Symbols();
  const kept: number[] = [];
  let highest = 0;
  for (let i = 0; i < 100_000; i++) {
    const id = symbols.intern(`value ${i}`);
    symbols.retain(id);
    highest = Math.max(highest, id);
    kept.push(id);
    if (kept.length > 100) symbols.release(kept.shift()!);
  }
  t.ok(highest <= 101, `number ${highest}`);
  t.equal(symbols.size, 101);
  for (const id of kept) symbols.release(id);
  symbols.release(0);
  t.equal(symbols.size, 1);
  t.equal(symbols.find(''), 0, 'the empty text stays');
});
