import fc from 'fast-check';
import t from 'tap';
import { basicAuth } from '../../../src/server/web-config/basic-auth.ts';

/** Compares without bcrypt: the hash of a password is `hash of` it. */
function counted() {
  const asked: (readonly [string, string])[] = [];
  return {
    asked,
    compare: async (password: string, hash: string) => {
      asked.push([password, hash]);
      return hash === `hash of ${password}`;
    },
  };
}

function header(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

const users = new Map([
  ['alice', 'hash of wonder'],
  ['bob', 'hash of b:u:ild'],
]);

t.test('without users everybody may read', async (t) => {
  const { compare, asked } = counted();
  const authorize = basicAuth(new Map(), compare);
  t.equal(await authorize(undefined), true);
  t.equal(await authorize('Bearer x'), true);
  t.same(asked, []);
});

t.test('knows right from wrong', async (t) => {
  const authorize = basicAuth(users, counted().compare);
  const cases: readonly (readonly [string | undefined, boolean])[] = [
    [header('alice', 'wonder'), true],
    [header('bob', 'b:u:ild'), true],
    [header('alice', 'wonder').replace('Basic', 'bASIC '), true],
    [header('alice', 'Wonder'), false],
    [header('bob', 'wonder'), false],
    [header('carol', 'wonder'), false],
    [header('', ''), false],
    [undefined, false],
    ['', false],
    ['Basic', false],
    ['Basic ', false],
    ['Basic !!!!', false],
    [`Bearer ${Buffer.from('alice:wonder').toString('base64')}`, false],
    [`Basic ${Buffer.from('alice').toString('base64')}`, false],
    [`Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`, false],
  ];
  for (const [value, right] of cases) t.equal(await authorize(value), right, String(value));
});

t.test('a header that was right is not compared again, a wrong one is', async (t) => {
  const { compare, asked } = counted();
  const authorize = basicAuth(users, compare);
  for (let i = 0; i < 3; i++) t.equal(await authorize(header('alice', 'wonder')), true);
  t.equal(asked.length, 1);
  for (let i = 0; i < 3; i++) t.equal(await authorize(header('alice', 'wrong')), false);
  t.equal(asked.length, 4);
});

t.test('equal headers that arrive together are compared once', async (t) => {
  const { compare, asked } = counted();
  const authorize = basicAuth(users, compare);
  const answers = await Promise.all(Array.from({ length: 50 }, () => authorize(header('alice', 'wonder'))));
  t.ok(answers.every(Boolean));
  t.equal(asked.length, 1);
});

t.test('what is remembered is bounded, and the oldest is forgotten first', async (t) => {
  const { compare, asked } = counted();
  const authorize = basicAuth(users, compare);
  const spaced = (count: number) => header('alice', 'wonder').replace(' ', ' '.repeat(count));
  await authorize(spaced(1));
  for (let i = 2; i <= 256; i++) await authorize(spaced(i));
  await authorize(spaced(1));
  t.equal(asked.length, 256);
  await authorize(spaced(257));
  await authorize(spaced(1));
  t.equal(asked.length, 257, 'seen lately');
  await authorize(spaced(2));
  t.equal(asked.length, 258, 'not seen for longest');
});

t.test('an unknown user costs one comparison, always with the same hash, and never gets in', async (t) => {
  const { compare, asked } = counted();
  const authorize = basicAuth(users, compare);
  const hashes = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const [name, password] = [`user${i}`, i % 2 === 0 ? 'wonder' : 'b:u:ild'];
    t.equal(await authorize(header(name, password)), false);
    t.equal(await authorize(header(name, password)), false);
    const [first, second] = asked.splice(0);
    t.same(first, second);
    hashes.add(first?.[1] ?? '');
  }
  t.same([...hashes].toSorted(), [...users.values()].toSorted(), 'the costs of all users occur');
});

t.test('names of the language are ordinary users', async (t) => {
  const authorize = basicAuth(new Map([['__proto__', 'hash of x']]), counted().compare);
  t.equal(await authorize(header('__proto__', 'x')), true);
  t.equal(await authorize(header('constructor', 'x')), false);
});

t.test('a comparison that fails, fails once', async (t) => {
  let fails = true;
  const authorize = basicAuth(users, async () => {
    if (fails) throw new Error('no thread');
    return true;
  });
  await t.rejects(authorize(header('alice', 'wonder')), { message: 'no thread' });
  fails = false;
  t.equal(await authorize(header('alice', 'wonder')), true);
});

t.test('no header lets anybody in who has no password', async () => {
  const authorize = basicAuth(users, counted().compare);
  const part = fc.oneof(fc.constantFrom('alice', 'bob', '', 'wonder', ':'), fc.string());
  await fc.assert(
    fc.asyncProperty(part, part, async (name, password) => {
      const right = users.get(name) === `hash of ${password}` && !name.includes(':');
      return (await authorize(header(name, password))) === right;
    }),
  );
  await fc.assert(fc.asyncProperty(fc.string(), async (text) => !(await authorize(text))));
});
