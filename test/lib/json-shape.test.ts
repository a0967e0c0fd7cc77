import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import { ShapeReader } from '../../src/lib/json-shape.ts';

const WANTED = [['name'], ['code'], ['inner', 'on'], ['inner', 'text'], ['headers', 'Content-Length']] as const;
const MAPS = [['headers'], ['tags']] as const;

type Json = Readonly<Record<string, unknown>>;

/** What `JSON.parse` gives of the wanted members, undefined for those that are objects or lists; null for no object. */
function parsed(line: string): readonly unknown[] | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  return WANTED.map((path) => {
    let found: unknown = value;
    for (const name of path) found = Object.hasOwn(Object(found), name) ? (found as Json)[name] : undefined;
    return typeof found === 'object' && found !== null ? undefined : found;
  });
}

/** What the reader gives of a line; null if it does not know its shape. */
function read(reader: ShapeReader, line: string): readonly unknown[] | null {
  const members = reader.read(line);
  // They are good until the next line only.
  return members && [...members];
}

function learned(...lines: readonly string[]): ShapeReader {
  const reader = new ShapeReader({ wanted: WANTED, maps: MAPS });
  for (const line of lines) if (reader.read(line) === null) reader.learn(line);
  return reader;
}

/** Lines of one shape after which it is learned what they have in common. */
const ENOUGH = 40;

/** A reader that has seen two lines so often that it expects what they have in common. */
function expecting(line: string, other: string): ShapeReader {
  const reader = learned(line);
  for (let index = 0; index < ENOUGH; index++) reader.read(other);
  return reader;
}

const LINE = '{"name":"a","code":200,"inner":{"on":true,"text":"x"},"headers":{"A":"1","Content-Length":"7"},"z":null}';

t.test('a line of a known shape, with other values', async (t) => {
  const escaped = LINE.replace('"a"', '"\\u0041\\"\\\\"');
  const others = [
    LINE,
    escaped,
    LINE.replace('200', '-1.5e+3'),
    LINE.replace('true', 'null'),
    LINE.replace('"x"', '""'),
    LINE.replace('null}', 'false}'),
    LINE.replace('{"A":"1",', '{"A":"\\"Content-Length\\":\\"9\\"","B":"content-length",'),
    LINE.replace('"7"', '"not a number"'),
    LINE.replace('"7"}', '"7","Z":"\\\\"}'),
  ];
  const readers = [learned(LINE, escaped), learned(escaped, LINE), expecting(escaped, escaped)];
  for (const reader of readers) for (const line of others) t.same(read(reader, line), parsed(line), line);
  t.equal(read(learned(LINE), escaped), null, 'a wanted text with escapes has a shape of its own');
});

t.test('what lines have in common is expected, and need not come', async (t) => {
  const line = (text: string, header: string) =>
    `{"name":"${text}","inner":{"on":true,"text":"x"},"headers":{"Agent":"${header}","Content-Length":"7"},"tags":{"a.b":"${header}"}}`;
  const reader = expecting(line('eu-central-1 (a)', 'agent/1.0 [x] ä'), line('eu-central-2', 'agent/1.0 [y] ä'));
  for (const text of ['', 'e', 'eu-central-', 'eu-central-3', 'us-east-1', 'eu-central-\\', 'eu-central-ä', 'ä']) {
    for (const header of [
      '',
      'agent/1.0 [',
      'agent/1.0 [x] ä',
      'agent/1.0 [z',
      'agent/1x0',
      'agent/1.0 [\\"',
      'other',
    ]) {
      const one = line(text, header);
      t.same(read(reader, one), text.includes('\\') ? null : parsed(one), one);
      for (const wrong of ['"', '\\', '\n', '\\x', '\\u12']) {
        for (const mistake of [line(text, `${header}${wrong}`), line(`${text}${wrong}`, header)]) {
          const found = read(reader, mistake);
          if (found !== null) t.same(found, parsed(mistake), mistake);
        }
      }
    }
  }
  const long = (text: string) =>
    `{${Array.from({ length: 60 }, (_, index) => `"m${index}":"${text.repeat(200)}"`).join(',')},"name":"a"}`;
  t.same(read(expecting(long('-'), long('-')), long('+')), parsed(long('+')), 'too much to be expected');
});

t.test('a line that is no JSON, or of another shape, is left alone', async (t) => {
  const others = [
    `${LINE} `,
    ` ${LINE}`,
    LINE.slice(0, -1),
    `${LINE}}`,
    LINE.replace('"a"', '"a\n"'),
    LINE.replace('"a"', '"\\x"'),
    LINE.replace('"a"', '"\\u12"'),
    LINE.replace('200', '0200'),
    LINE.replace('200', '+200'),
    LINE.replace('200', '"200"'),
    LINE.replace('true', 'True'),
    LINE.replace('"x"', '[]'),
    LINE.replace('"name"', '"Name"'),
    LINE.replace('"z":null', '"z":null,"y":1'),
    LINE.replace(',"z":null', ''),
    // What is wanted of a map is there twice, in another case, or written otherwise.
    LINE.replace('"A":"1"', '"Content-Length":"1"'),
    LINE.replace('"A":"1"', '"content-length":"1"'),
    LINE.replace('"A":"1"', '"Content\\u002dLength":"1"'),
    LINE.replace('"Content-Length"', '"content-length"'),
    LINE.replace('"A":"1"', '"A":1'),
    LINE.replace('"7"', '"\\u0037"'),
  ];
  for (const reader of [learned(LINE), expecting(LINE, LINE)])
    for (const line of others) t.equal(read(reader, line), null, line);
});

t.test('what is not learned', async (t) => {
  const others = [
    '[]',
    '{"name":"a","name":"b"}',
    '{"name":["a"]}',
    '{"name": "a"}',
    '{"n\\u0061me":"a"}',
    '{"headers":{"Content-Length":7}}',
    '{"headers":{"content-length":"7"}}',
    '{"headers":"{}"}',
    `{${Array.from({ length: 65 }, (_, index) => `"m${index}":1`).join(',')}}`,
    `${'{"inner":'.repeat(9)}1${'}'.repeat(9)}`,
    `{"name":"${'x'.repeat(40_000)}"}`,
  ];
  for (const line of others) t.equal(read(learned(line), line), null, line.slice(0, 80));
  for (const line of ['{}', '{"tags":{"a":"b"}}', '{"tags":{"a":{"b":1}}}', '{"headers":{}}', '{"name":1}']) {
    t.same(read(learned(line), line), parsed(line), line);
  }
});

t.test('whatever it is given, it says what JSON.parse says, or nothing', async (t) => {
  const text = fc.oneof(fc.string(), fc.constantFrom('"', '\\', '\u0000', 'Content-Length', '{}'));
  const scalar = fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
  const headers = fc.dictionary(fc.constantFrom('A', 'Content-Length', 'content-length', 'B'), text);
  const line = fc
    .record(
      {
        name: scalar,
        code: scalar,
        inner: fc.record({ on: scalar, text: scalar }),
        headers,
        tags: fc.dictionary(text, scalar),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));
  const mangled = fc
    .tuple(line, fc.nat(), fc.constantFrom('', '"', '\\', '{', '}', ',', ':', '1', '\n', ' '))
    .map(([whole, place, more]) => {
      const at = place % (whole.length + 1);
      return whole.slice(0, at) + more + whole.slice(at + 1);
    });
  const lines = fc.array(line, { minLength: 1, maxLength: 8 });
  let found = 0;
  fc.assert(
    fc.property(lines, fc.array(fc.oneof(line, mangled)), fc.boolean(), (first, then, often) => {
      const reader = learned(...first);
      if (often) for (const one of first) for (let index = 0; index < ENOUGH; index++) reader.read(one);
      for (const one of [...first, ...then]) {
        const members = read(reader, one);
        if (members === null) continue;
        found += 1;
        const wanted = parsed(one);
        if (JSON.stringify(members) !== JSON.stringify(wanted)) throw new Error(`${one}: ${members} for ${wanted}`);
      }
    }),
    { numRuns: 2_000, seed: 20261121 },
  );
  t.ok(found > 500, String(found));
});

t.test(
  'lines that are all different are soon left alone, and hostile ones cost no more than their length',
  async (t) => {
    const reader = learned(LINE);
    for (let index = 0; index < 2_500; index++) {
      const line = `{"m${index}":1}`;
      if (reader.read(line) === null) reader.learn(line);
    }
    t.equal(read(reader, LINE), null, 'it rests');
    const fresh = learned(LINE);
    for (const filler of ['\\', '\\\\', '\\"', '"', '":"', '","', 'a']) {
      const long = LINE.replace('"1"', `"${filler.repeat(5_000)}`);
      t.ok([null, 5].includes(read(fresh, long)?.length ?? null), filler);
    }
  },
);

t.test('whatever kinds lines are said to be of, they are read the same', async () => {
  const kinds: readonly ((line: string) => string)[] = [
    () => '',
    (line) => line,
    (line) => line.slice(0, 12),
    (line) => String(line.length % 3),
  ];
  const headers = fc.dictionary(fc.constantFrom('A', 'B', 'Content-Length', 'D'), fc.string({ maxLength: 5 }));
  const record = fc.record(
    { name: fc.string({ maxLength: 3 }), code: fc.nat(3), more: fc.boolean(), headers },
    { requiredKeys: ['name'] },
  );
  const wanted = [['name'], ['code'], ['more'], ['headers', 'Content-Length']] as const;
  fc.assert(
    fc.property(fc.array(record, { maxLength: 80 }), fc.constantFrom(...kinds), (records, kindOf) => {
      const reader = new ShapeReader({ wanted, maps: [['headers']], kindOf });
      for (const each of records) {
        const line = JSON.stringify(each);
        const read = reader.read(line);
        if (!read) {
          reader.learn(line);
          continue;
        }
        const { name, code, more, headers = {} } = each;
        if (!isDeepStrictEqual(read, [name, code, more, headers['Content-Length']])) throw new Error(line);
      }
    }),
    { numRuns: 300 },
  );
});
