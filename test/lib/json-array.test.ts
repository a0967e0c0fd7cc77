import fc from 'fast-check';
import t from 'tap';
import { splitArray } from '../../src/lib/json-array.ts';

const LIMIT = 1024 * 1024;

interface Options {
  readonly limit?: number;
  /** Sizes of the first chunks; the rest is one more. */
  readonly sizes?: readonly number[];
}

function split(text: string | Buffer, { limit = LIMIT, sizes = [] }: Options = {}) {
  const splitter = splitArray('Records', limit);
  const elements: string[] = [];
  let bytes = Buffer.from(text);
  for (const size of [...sizes, bytes.length]) {
    for (const element of splitter.elements(bytes.subarray(0, size))) elements.push(element.toString());
    bytes = bytes.subarray(size);
  }
  return { elements, problem: splitter.end() };
}

t.test('finds the elements wherever the array stands', async (t) => {
  const cases: readonly (readonly [text: string, elements: readonly string[]])[] = [
    ['{"Records":[]}', []],
    ['{"Records":[{"a":1}]}', ['{"a":1}']],
    ['\ufeff{"Records":[1]}', ['1']],
    [' \r\n\t{ "Records" : [ 1 , "x" ,null,true , [ [ ] ] , {} ] } \n', ['1', '"x"', 'null', 'true', '[ [ ] ]', '{}']],
    ['{"a":{"Records":[1]},"b":["Records",[2]],"c":"Records","Records":[3],"d":-1e5}', ['3']],
    ['{"a":"}]\\"\\\\","Records":["]}\\"{[\\\\",{"]":"["}]}', ['"]}\\"{[\\\\"', '{"]":"["}']],
    ['{"\\u0052ecor\\u0064s":[1]}', ['1']],
    ['{"records":[1],"Records ":[2],"Records":[3]}', ['3']],
    ['{"__proto__":[1],"Records":[{"__proto__":1}]}', ['{"__proto__":1}']],
    [`{"${'x'.repeat(100_000)}":0,"Records":["é😀"]}`, ['"é😀"']],
  ];
  for (const [text, elements] of cases) {
    const whole = split(text);
    t.same(whole, { elements, problem: null }, text.slice(0, 60));
    if (text.length < 1000) {
      t.same(split(text, { sizes: Array.from({ length: Buffer.byteLength(text) }, () => 1) }), whole, 'byte by byte');
    }
  }
});

t.test('tells what is wrong with a document', async (t) => {
  const cases: readonly (readonly [text: string, problem: string])[] = [
    ['', 'ends at byte 0, wanted "{"'],
    ['[]', 'found "[" at byte 0, wanted "{"'],
    ['null', 'found "n" at byte 0, wanted "{"'],
    ['{}', 'found no member "Records"'],
    ['{"a":[1]}', 'found no member "Records"'],
    ['{"Records":null}', 'found "n" at byte 11, wanted "["'],
    ['{"Records":{}}', 'found "{" at byte 11, wanted "["'],
    ['{"Records":[1],"Records":[2]}', 'found a second member "Records", wanted one'],
    ['{"Records":[{"a":1}', 'ends at byte 19, wanted "," or "]"'],
    ['{"Records":[{"a":1', 'ends at byte 18, wanted the rest of an element'],
    ['{"Records":[1]', 'ends at byte 14, wanted "," or "}"'],
    ['{"Records":[1]}{', 'found "{" at byte 15, wanted nothing'],
    ['{"Records":[1,]}', 'found "]" at byte 14, wanted an element'],
    ['{"Records":[,1]}', 'found "," at byte 12, wanted an element or "]"'],
    ['{"Records":[1 2]}', 'found "2" at byte 14, wanted "," or "]"'],
    ['{"Records":[1],}', 'found "}" at byte 15, wanted a name'],
    ['{"Records" [1]}', 'found "[" at byte 11, wanted ":"'],
    ['{Records:[1]}', 'found "R" at byte 1, wanted a name or "}"'],
    ["{'Records':[1]}", 'found "\'" at byte 1, wanted a name or "}"'],
    ['{"a":,"Records":[1]}', 'found "," at byte 5, wanted a value'],
    ['{"a', 'ends at byte 3, wanted the rest of a name'],
  ];
  for (const [text, problem] of cases) {
    t.equal(split(text).problem, problem, text);
    t.equal(split(text, { sizes: [...text].map(() => 1) }).problem, problem, `${text}, byte by byte`);
  }
  t.match(split(Buffer.from([0xef, 0xbb, 0x7b, 0x7d])).problem, 'at byte 2, wanted "{"');
});

t.test('passes over what is too long, and keeps no more than that', async (t) => {
  const long = (length: number) => `"${'x'.repeat(length - 2)}"`;
  const text = `{"Records":[${long(LIMIT)},${long(LIMIT + 1)},${'['.repeat(LIMIT)}${']'.repeat(LIMIT)},7]}`;
  for (const sizes of [[], [100_000, 100_000, 900_000, 500_000, 1], Array.from({ length: 64 }, () => 65_536)]) {
    const { elements, problem } = split(text, { sizes });
    t.equal(problem, null);
    t.same(
      elements.map((element) => element.length),
      [LIMIT, 8, 8, 1],
    );
    t.same(elements.slice(1), ['too_long', 'too_long', '7']);
  }
  t.same(split('{"Records":[12345,"12",123]}', { limit: 4, sizes: [13, 2, 3] }).elements, ['too_long', '"12"', '123']);
});

t.test('gives what JSON.parse gives, in whatever chunks', async () => {
  const document = fc.record({
    before: fc.dictionary(fc.string(), fc.jsonValue()),
    records: fc.array(fc.jsonValue({ maxDepth: 4 })),
    after: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
    indent: fc.constantFrom(0, 1, '\t'),
    sizes: fc.array(fc.nat(12), { maxLength: 60 }),
  });
  fc.assert(
    fc.property(document, ({ before, records, after, indent, sizes }) => {
      const text = JSON.stringify(
        Object.fromEntries([
          ...Object.entries(before).filter(isOther),
          ['Records', records],
          ...Object.entries(after).filter(isOther),
        ]),
        null,
        indent,
      );
      const { elements, problem } = split(text, { sizes });
      if (problem !== null) throw new Error(problem);
      const found = JSON.stringify(elements.map((element) => JSON.parse(element)));
      if (found !== JSON.stringify(JSON.parse(text).Records)) throw new Error(`found ${found} in ${text}`);
    }),
  );
});

t.test('any bytes give an answer, the same in whatever chunks', async () => {
  const noise = fc.stringMatching(/^[{}[\]",:\\ 1nu\n]{0,40}$/);
  const text = fc.oneof(
    noise,
    noise.map((inner) => `{"Records":[${inner}]}`),
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat(5), { maxLength: 20 }), (text, sizes) => {
      const whole = split(text);
      const pieces = split(text, { sizes });
      if (JSON.stringify(whole) !== JSON.stringify(pieces)) throw new Error(JSON.stringify([whole, pieces]));
      if (whole.problem !== null && isWhole(text)) throw new Error(whole.problem);
    }),
    { numRuns: 1000 },
  );
});

function isOther([name]: readonly [string, unknown]): boolean {
  return name !== 'Records';
}

function isWhole(text: string): boolean {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value.Records) && text.indexOf('Records') === text.lastIndexOf('Records');
  } catch {
    return false;
  }
}
