import t from 'tap';
import { isLongerThan } from '../../../src/lib/printable.ts';
import { BAD, readField } from '../../../src/sources/cts/text.ts';
import { readTime } from '../../../src/sources/cts/times.ts';
import { readUser } from '../../../src/sources/cts/user.ts';

const FIELDS: readonly (readonly [value: unknown, wanted: string | null])[] = [
  ['x', 'x'],
  [' \t\r\nx y\n', 'x y'],
  ['\u00a0x', '\u00a0x'],
  ['', null],
  [' \n ', null],
  [null, null],
  [undefined, null],
  [0, '0'],
  [-0, '0'],
  [200.0, '200'],
  [1.5, '1.5'],
  [-1e-7, '-0.0000001'],
  [1.25e-9, '0.00000000125'],
  [1e21, '1000000000000000000000'],
  [-1.234e22, '-12340000000000000000000'],
  [Number.POSITIVE_INFINITY, null],
  [true, 'true'],
  [false, 'false'],
  ['a\ud800b', 'a\ufffdb'],
  ['🍷', '🍷'],
];

for (const [value, wanted] of FIELDS) {
  t.test(`field ${JSON.stringify(value)} ${String(value)}`, async (t) => {
    t.equal(readField(value), wanted);
  });
}

t.test('what is no text is bad', async (t) => {
  for (const value of [{}, [], ['x'], { a: 1 }]) t.equal(readField(value), BAD);
});

t.test('characters are counted, not halves of them', async (t) => {
  t.notOk(isLongerThan('🍷🍷', 2));
  t.ok(isLongerThan('🍷🍷x', 2));
  t.ok(isLongerThan('x'.repeat(9), 2));
});

const MS = Date.UTC(2026, 0, 1, 12, 20);
const TIMES: readonly (readonly [value: unknown, wanted: number | null])[] = [
  [MS, MS],
  [MS + 0.7, MS],
  [MS / 1e3, MS],
  [MS / 1e3 + 0.123, MS + 123],
  [MS * 1e3 + 777_123, MS + 777],
  [MS * 1e6, MS],
  [String(MS), MS],
  [` ${MS}\n`, MS],
  [`${MS}.9`, MS],
  ['1767270000', MS],
  ['2026-01-01T12:20:00Z', MS],
  ['2026-01-01T13:20:00.5+01:00', MS + 500],
  ['2026/01/01 20:20:00 GMT+08:00', MS],
  ['2026-01-01 20:20:00 GMT+0800', MS],
  ['2026-01-01 20:20:00.250 GMT+8', MS + 250],
  ['2026/01/01 12:20:00 GMT', MS],
  ['2026/01-01 12:20:00 GMT', null],
  ['2026/13/01 12:20:00 GMT', null],
  ['0001-01-01T00:00:00Z', null],
  [1e8, 1e11],
  [99_999_999, null],
  [1e20, null],
  [0, null],
  [-1, null],
  [Number.POSITIVE_INFINITY, null],
  ['noon', null],
  ['', null],
  ['1'.repeat(30), null],
  [' '.repeat(200), null],
  [null, null],
  [true, null],
  [[MS], null],
];

for (const [value, wanted] of TIMES) {
  t.test(`time ${JSON.stringify(value)}`, async (t) => {
    t.equal(readTime(value), wanted);
  });
}

const NOBODY = { user: null, label: null };

t.test('users', async (t) => {
  const user = (more: object) => ({ name: null, id: null, domain: null, via: null, ...more });
  t.same(readUser({ name: 'n', id: 5, domain: { id: 'd' } }), {
    user: user({ name: 'n', id: '5', domain: 'd' }),
    label: 'n',
  });
  t.same(readUser('{"user_name":"n"}'), { user: user({ name: 'n' }), label: 'n' });
  t.same(readUser(' \n{"id":"i"}'), { user: user({ id: 'i' }), label: 'i' });
  t.same(readUser(' n '), { user: user({ name: 'n' }), label: 'n' });
  t.same(readUser({ name: ' ', id: 'i' }), { user: user({ id: 'i' }), label: 'i' });
  t.same(readUser({ name: {}, id: 'i' }), { user: user({ id: 'i' }), label: BAD });
  t.same(readUser({ domain: 'text', account_id: 'a' }), { user: user({ domain: 'a' }), label: null });
  t.same(readUser({ id: 'i', assumedBy: '{"user":{"id":"b"}}' }), { user: user({ id: 'i', via: 'b' }), label: 'i' });
  t.same(readUser({ id: 'i', assumedBy: { user: 'b' } }), { user: user({ id: 'i', via: 'b' }), label: 'i' });
  for (const value of [null, undefined, '', ' ', '{x', '{"a":', [], ['n'], {}, '{}']) t.same(readUser(value), NOBODY);
});
