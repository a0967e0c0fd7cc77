import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { cutBytes, encodeLine, type FieldValue, STRING_FIELD_LIMIT } from '../../../src/writers/influx/line.ts';
import { parseLineProtocol, type Reading } from '../../support/line-protocol.ts';
import { fixture } from '../../support/paths.ts';

interface Case {
  readonly point: {
    readonly measurement: string;
    readonly tags: Readonly<Record<string, string>>;
    readonly fields: Readonly<Record<string, string>>;
    readonly time: string;
  };
  readonly line: string;
}

const READINGS: readonly Reading[] = ['influx', 'victoria'];

/** A field as the fixture writes it: `1i`, `true`, `1.5`, `"text"`. */
function fieldOf(text: string): FieldValue {
  if (text.startsWith('"')) return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
  if (text === 'true' || text === 'false') return text === 'true';
  return text.endsWith('i') ? BigInt(text.slice(0, -1)) : Number(text);
}

function line(fields: Record<string, FieldValue>, tags: Record<string, string> = {}, measurement = 'm'): string | null {
  return encodeLine({
    measurement,
    tags: new Map(Object.entries(tags)),
    fields: new Map(Object.entries(fields)),
    time: 1n,
  });
}

t.test('the points of the table', async (t) => {
  const cases = JSON.parse(readFileSync(fixture('object-logs/writers/line-protocol.json'), 'utf8')) as Case[];
  for (const { point, line } of cases) {
    const { measurement, tags, fields, time } = point;
    const encoded = encodeLine({
      measurement,
      tags: new Map(Object.entries(tags)),
      fields: new Map(Object.entries(fields).map(([name, text]) => [name, fieldOf(text)])),
      time: BigInt(time),
    });
    t.equal(encoded, line);
    for (const reading of READINGS) t.doesNotThrow(() => parseLineProtocol(line, reading));
  }
});

t.test('what no server takes is left out', async (t) => {
  t.equal(line({ a: Number.NaN, b: Number.POSITIVE_INFINITY, c: 2n ** 63n, d: -(2n ** 63n) - 1n }), null);
  t.equal(line({}), null);
  t.equal(line({ a: 1n }, {}, ''), null);
  t.equal(line({ a: 2n ** 63n - 1n, b: -(2n ** 63n) }), 'm a=9223372036854775807i,b=-9223372036854775808i 1');
  t.equal(line({ a: 1 }, { '': 'x', y: '' }), 'm a=1 1');
  t.equal(line({ a: '' }), 'm a="" 1', 'an empty string is a value');
});

t.test('names that mean something else', async (t) => {
  t.equal(line({ a: 1n }, {}, '#x'), 'm#x a=1i 1');
  t.equal(line({ a: 1n }, {}, '_x'), 'm_x a=1i 1');
  t.equal(line({ a: 1n }, {}, 'x\\'), 'x_ a=1i 1');
  t.equal(line({ a: 1n }, {}, 'a=b'), 'a=b a=1i 1');
  t.equal(line({ 'a\n': 1n, 'a\r': 2n }), 'm a\\ =1i 1', 'names that become one: the first');
});

t.test('a backslash escapes nothing that follows', async (t) => {
  t.equal(line({ a: 1n }, { x: 'a\\' }), 'm,x=a_ a=1i 1');
  t.equal(line({ a: 1n }, { x: 'a\\\\' }), 'm,x=a\\_ a=1i 1');
  t.equal(line({ a: 1n }, { x: 'a\\,b' }), 'm,x=a_\\,b a=1i 1');
  t.equal(line({ a: 1n }, { x: 'a\\\nb' }), 'm,x=a_\\ b a=1i 1');
});

t.test('text from outside stays on its line', async (t) => {
  const text = 'x"\ninjected,a=b count=1i 1\r\n';
  const lines = line({ count: 1n, s: text }, { [text]: text }, text) ?? '';
  t.notMatch(lines, /[\r\n]/);
  for (const reading of READINGS) {
    const parsed = parseLineProtocol(lines, reading);
    t.equal(parsed.tags.length, 1);
    t.same(
      parsed.fields.map(([name]) => name),
      ['count', 's'],
    );
  }
});

t.test('long strings are cut at a character', async (t) => {
  for (const text of ['x'.repeat(70_000), 'ü'.repeat(40_000), '🗂'.repeat(20_000), `x${'🗂'.repeat(20_000)}`]) {
    const [field] = parseLineProtocol(line({ s: text }) ?? '', 'influx').fields;
    const bytes = Buffer.byteLength(field?.[1] ?? '');
    t.ok(bytes <= STRING_FIELD_LIMIT && bytes > STRING_FIELD_LIMIT - 4, `${bytes} bytes`);
    t.ok(text.startsWith(field?.[1] ?? 'none'));
  }
  t.equal(cutBytes('üü', 3), 'ü');
  t.equal(cutBytes('üü', 4), 'üü');
  t.equal(cutBytes('🗂', 3), '');
});

t.test('every point is read as it was written', async () => {
  const special = fc.constantFrom(...'abü🗂,= \\"\n\r\t#_');
  const text = fc.array(special, { maxLength: 12 }).map((characters) => characters.join(''));
  const value = fc.oneof(text, fc.double(), fc.boolean(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  const pairs = <T>(values: fc.Arbitrary<T>) =>
    fc.array(fc.tuple(text, values), { maxLength: 5 }).map((found) => new Map(found));
  fc.assert(
    fc.property(text, pairs(text), pairs(value), fc.bigInt(), (name, tags, fields, time) => {
      const measurement = `m${name}`;
      const line = encodeLine({ measurement, tags, fields: new Map([...fields, ['count', 1n]]), time });
      if (line === null) throw new Error('nothing written');
      const counts = READINGS.map((reading) => parseLineProtocol(line, reading)).map((read) => [
        read.tags.length,
        read.fields.length,
      ]);
      if (String(counts[0]) !== String(counts[1])) throw new Error(`read in two ways: ${line}`);
      for (const reading of READINGS) {
        const parsed = parseLineProtocol(line, reading);
        if (parsed.time !== String(time)) throw new Error(`time ${parsed.time}`);
        if (parsed.measurement.length !== measurement.length && reading === 'influx')
          throw new Error(parsed.measurement);
        if (reading === 'victoria') continue;
        for (const [tag, found] of parsed.tags) {
          const known = [...tags].some(([name, value]) => plain(name) === plain(tag) && plain(value) === plain(found));
          if (!known) throw new Error(`tag ${tag}=${found}`);
        }
        for (const [field, found, kind] of parsed.fields) {
          const known = [...fields, ['count', 1n] as const].some(
            ([name, value]) => plain(name) === plain(field) && shown(value, kind) === found,
          );
          if (!known) throw new Error(`field ${field}=${found}`);
        }
      }
    }),
  );
  // What the encoder replaces.
  function plain(text: string): string {
    return text.replace(/[\r\n\t]/g, ' ').replaceAll('\\', '_');
  }
  function shown(value: FieldValue, kind: 'string' | 'other'): string | null {
    if (typeof value === 'string') return kind === 'string' ? value.replace(/[\r\n]/g, ' ') : null;
    return kind === 'other' ? `${value}${typeof value === 'bigint' ? 'i' : ''}` : null;
  }
});
