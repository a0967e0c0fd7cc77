import fc from 'fast-check';
import t from 'tap';
import { Growth } from '../../../src/core/objects/growth.ts';
import type { Counted } from '../../../src/core/objects/ledger.ts';
import { Checksum } from '../../../src/lib/objects/checksum.ts';

function follow(text: string, before: Counted | null, cuts: readonly number[] = []): { growth: Growth; rest: string } {
  const growth = new Growth(before);
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const rest = places.slice(1).map((place, index) => Buffer.from(growth.pass(bytes.subarray(places[index], place))));
  return { growth, rest: Buffer.concat(rest).toString() };
}

function counted(text: string): Counted {
  const sum = new Checksum();
  sum.add(Buffer.from(text));
  return { records: 1, length: sum.length, crc: sum.crc };
}

t.test('what is new', async (t) => {
  t.match(follow('a\nb\n', null), { rest: 'a\nb\n', growth: { isOther: false } });
  t.match(follow('a\nb\n', counted('')), { rest: 'a\nb\n', growth: { isOther: false } });
  t.match(follow('a\nb\n', counted('a\n')), { rest: 'b\n', growth: { isOther: false } });
  t.match(follow('a\n', counted('a\n')), { rest: '', growth: { isOther: false } });
  t.match(follow('a\nb', counted('a')), { rest: '\nb', growth: { isOther: false } }, 'the end of a line came later');
  t.match(follow('a\r\nb', counted('a')), { rest: '\r\nb', growth: { isOther: false } });
});

t.test('a record that was not whole is read again', async (t) => {
  const half = 'a\n{"b":"é';
  for (const cuts of [[], [3], [8, 9, 10, 11, 12]]) {
    const { growth, rest } = follow(`${half}1"}\n{}\n`, counted(half), cuts);
    t.match({ growth, rest }, { growth: { isOther: false }, rest: '{"b":"é1"}\n{}\n' });
  }
  t.ok(follow('a\n{"b":1}{', counted('a\n{"b":1}')).growth.isOther, 'it was a record');
  const long = `{"b":"${'x'.repeat(2 ** 20)}`;
  t.ok(follow(`${long}x"}\n`, counted(long), [1_000, 900_000]).growth.isOther, 'it was too long');
});

t.test('what is other content', async (t) => {
  for (const [before, now] of [
    ['a\nb\n', 'a\n'],
    ['a\nb\n', ''],
    ['a\nb\n', 'a\nc\n'],
    ['a\nb\n', 'a\nc\nd\n'],
    ['a', 'ab'],
    ['a', 'ab\nc'],
  ] as const) {
    t.ok(follow(now, counted(before)).growth.isOther, `${before}, ${now}`);
  }
});

t.test('however it is cut', async () => {
  const text = fc.array(fc.constantFrom('a', 'b', '\n', '\r\n', 'é'), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, fc.array(fc.nat(), { maxLength: 5 }), (before, more, cuts) => {
      const whole = `${before}\n${more}`;
      const { growth, rest } = follow(whole, counted(`${before}\n`), cuts);
      return !growth.isOther && rest === more;
    }),
  );
});
