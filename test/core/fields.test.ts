import t from 'tap';
import type { z } from 'zod';
import {
  choice,
  described,
  duration,
  fieldMeta,
  flag,
  integer,
  masked,
  option,
  period,
  secret,
  section,
  size,
  text,
} from '../../src/core/fields.ts';

function refusals(schema: z.ZodType, values: readonly unknown[]): readonly unknown[] {
  return values.filter((value) => schema.safeParse(value).success);
}

t.test('each kind takes what it says, as it was written, and nothing else', async (t) => {
  t.equal(integer(1, 9).parse('7'), 7);
  t.equal(integer(-5, 9).parse('-5'), -5);
  t.same(refusals(integer(1, 9), [0, 10, 1.5, '10', '1.0', '', ' 1', '0x1', true, null, [], {}, Number.NaN, 1n]), []);
  t.equal(flag().parse('true'), true);
  t.equal(flag().parse(false), false);
  t.same(refusals(flag(), ['yes', 'True', 1, 0, null, '']), []);
  t.equal(text().parse('x'), 'x');
  t.same(refusals(text(), ['', 5, true, null, [], {}]), []);
  t.equal(duration().parse('5m'), '5m');
  t.equal(duration().parse(5), 5);
  t.same(refusals(duration(), ['', '-1s', '5 minutes', -1, Number.NaN, true, null]), []);
  t.equal(period().parse('1ms'), '1ms');
  t.same(refusals(period(), ['0s', 0, '', -1]), []);
  t.equal(size().parse('64MiB'), '64MiB');
  t.same(refusals(size(), ['', '64 mib', '-1', true, null]), []);
  t.equal(choice('a', 'b').parse('b'), 'b');
  t.same(refusals(choice('a', 'b'), ['c', 'A', '', null]), []);
  for (const value of ['x', { file: '/x' }, { env: 'X' }, { credential: 'x' }]) t.same(secret().parse(value), value);
  t.same(refusals(secret(), ['', {}, { file: '' }, { file: 'a', env: 'b' }, { path: 'x' }, ['x'], 5, null]), []);
  for (const value of ['', {}]) t.match(secret().safeParse(value).error?.issues, [{ message: /^wanted a secret: / }]);
});

t.test('null and nothing stand for the default, in options and in sections', async (t) => {
  const schema = section('Doc.', {
    port: option(integer(1, 9), 3, 'Port.'),
    name: option<string | null>(described(text().nullable(), {}), null, 'Name.'),
    inner: section('Inner.', { flag: option(flag(), true, '') }),
  });
  const all = { port: 3, name: null, inner: { flag: true } };
  for (const value of [undefined, null, {}, { port: null, name: null, inner: null }, { inner: {} }]) {
    t.same(schema.parse(value), all);
  }
  t.same(schema.parse({ port: 4, inner: { flag: 'false' } }), { port: 4, name: null, inner: { flag: false } });
  t.same(refusals(schema, [[], 'x', 5, { prot: 1 }, { inner: 5 }, { inner: { x: 1 } }]), []);
  t.same(Object.keys(fieldMeta(schema)?.fields ?? {}), ['port', 'name', 'inner']);
  t.match(fieldMeta(fieldMeta(schema)?.fields?.port as z.ZodType), { kind: 'integer', doc: 'Port.', default: 3 });
});

t.test('a secret that is written out is masked; where one is kept is shown', async (t) => {
  const schema = section('', {
    url: option(text(), 'x', ''),
    password: option(secret(), 'none', ''),
    token: option(described(secret().nullable(), { ...fieldMeta(secret()) }), null, ''),
    tls: section('', { key: option(secret(), 'none', '') }),
  });
  const show = (value: unknown) => masked(schema, schema.parse(value));
  t.same(show({ password: 'hunter2', tls: { key: 'hunter2' } }), {
    url: 'x',
    password: '<secret>',
    token: null,
    tls: { key: '<secret>' },
  });
  const places = { url: 'y', password: { file: '/f' }, token: { env: 'E' }, tls: { key: { credential: 'c' } } };
  t.same(show(places), places);
  t.same(show({}), { url: 'x', password: '<secret>', token: null, tls: { key: '<secret>' } });
});

t.test('a secret in the query of an address is masked', async (t) => {
  const url = described(text(), { kind: 'URL' });
  const schema = section('Test.', { url: option(url, 'http://a', 'A sink.') });
  const show = (value: string) => masked(schema, { url: value });
  t.same(show('http://a/b?token=hunter2&x=1#c'), { url: 'http://a/b?token=<secret>&x=1#c' });
  t.same(show('http://a/b?x=1&api_key=hunter2'), { url: 'http://a/b?x=1&api_key=<secret>' });
  t.same(show('http://a/token=1?x=1'), { url: 'http://a/token=1?x=1' });
});

t.test('what is not valid is masked as well, where a secret may be in it', async (t) => {
  const schema = section('', { name: option(text(), 'x', ''), db: section('', { key: option(secret(), 'k', '') }) });
  t.same(masked(schema, { db: 'hunter2' }), { db: '<secret>' });
  t.same(masked(schema, { db: ['hunter2'] }), { db: '<secret>' });
  t.same(masked(schema, { db: { kye: 'hunter2', key: 5 } }), { db: { kye: '<secret>', key: '<secret>' } });
  t.same(masked(schema, { db: { key: { file: '/x', env: 'hunter2' } } }), { db: { key: '<secret>' } });
  t.same(masked(schema, { name: 5, db: null }), { name: 5, db: null });
  t.equal(masked(schema, 'hunter2'), '<secret>');
  t.equal(masked(undefined, 5), 5);
  t.equal(masked(text(), 'shown'), 'shown');
  t.same(masked(section('', { name: text() }), { other: 1 }), { other: 1 });
});
