import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { shownTokens, tokenCheck } from '../../../src/sources/ingest/token.ts';
import { folder } from '../../support/cli.ts';

t.test('what a request shows', async (t) => {
  const shown = (authorization: string | undefined, query = '') =>
    shownTokens({ method: 'POST', headers: { authorization }, query: new URLSearchParams(query) });
  t.same(shown('Bearer abc'), ['abc']);
  t.same(shown('bearer   a b '), ['a b']);
  t.same(shown('Basic abc'), []);
  t.same(shown('Bearer'), []);
  t.same(shown(undefined), []);
  t.same(shown(undefined, 'token=a%2Bb&token=c'), ['a+b']);
  t.same(shown(undefined, 'token=a+b='), ['a b=', 'a+b='], 'as it is written, or as a form would mean it');
  t.same(shown('Bearer x', 'token=y'), ['x', 'y']);
});

t.test('the right one', async (t) => {
  const is = tokenCheck({ token: 'right', env: {}, now: () => 0 });
  t.ok(await is(['right']));
  t.ok(await is(['wrong', 'right']));
  for (const shown of [[], [''], ['wrong'], ['righ'], ['right '], ['RIGHT']]) t.notOk(await is(shown), shown.join());
  const any = tokenCheck({ token: null, env: {}, now: () => 0 });
  t.ok(await any([]));
});

t.test('one that changes where it is kept', async (t) => {
  const file = join(folder(t), 'token');
  const clock = { now: 0 };
  const is = tokenCheck({ token: { file }, env: {}, now: () => clock.now });
  await t.rejects(is(['a']), /secret: cannot read .*ENOENT/);
  writeFileSync(file, 'old\n');
  t.ok(await is(['old']));
  writeFileSync(file, 'new\n');
  t.notOk(await is(['new']), 'it is not read at each attempt');
  clock.now += 1_000;
  t.ok(await is(['old']), 'the old one is good until the new one is shown');
  t.ok(await is(['new']));
  t.notOk(await is(['old']));
  rmSync(file);
  clock.now += 1_000;
  t.ok(await is(['new']));
  await t.rejects(is(['old']), /cannot read/);
});
