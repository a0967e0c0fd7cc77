import { setImmediate } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import t from 'tap';
import { comparer } from '../../../src/server/web-config/compare.ts';

t.test('compares with each version of hash', async (t) => {
  const compare = comparer();
  const hash = hashSync('pässword', 4);
  for (const version of ['$2a$', '$2b$', '$2y$']) {
    t.equal(await compare('pässword', version + hash.slice(4)), true, version);
    t.equal(await compare('passwort', version + hash.slice(4)), false, version);
  }
});

t.test('a hash that another program made', async (t) => {
  // crypt_blowfish's own test vector.
  const hash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  t.equal(await comparer()('U*U', hash), true);
  t.equal(await comparer()('U*u', hash), false);
});

t.test('the event loop goes on meanwhile, and a flood is refused beyond a bound', async (t) => {
  const compare = comparer();
  const hash = hashSync('right', 4).replace('$04$', '$12$');
  let ended = false;
  const answers = Promise.all(
    Array.from({ length: 1000 }, (_, i) => compare(`wrong ${i}`, i < 1 ? hash : hash.replace('$12$', '$04$'))),
  );
  answers.then(() => {
    ended = true;
  });
  let turns = 0;
  while (!ended) {
    await setImmediate();
    turns++;
  }
  t.ok((await answers).every((equal) => !equal));
  t.ok(turns > 100, `${turns} turns`);
  t.equal(await compare('right', hashSync('right', 4)), true, 'and then it works again');
});

t.test('a thread that dies fails its question, and the next one gets another', async (t) => {
  const compare = comparer();
  await t.rejects(compare('x', 'no hash of any kind, but as long as a hash is: exactly sixty'), {
    message: 'cannot compare a password',
  });
  t.equal(await compare('right', hashSync('right', 4)), true);
});
