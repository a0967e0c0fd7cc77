import fc from 'fast-check';
import t from 'tap';
import { nearest } from '../../src/lib/nearest.ts';

const keys = ['cert_file', 'key_file', 'client_ca_file', 'min_version', 'max_version', 'log', 'port'];

t.test('finds the name that was meant', async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['cert_fil', 'cert_file'],
    ['certfile', 'cert_file'],
    ['certFile', 'cert_file'],
    ['CERT-FILE', 'cert_file'],
    ['cret_file', 'cert_file'],
    ['min_verison', 'min_version'],
    ['clientca', undefined],
    ['prot', 'port'],
    ['lgo', 'log'],
    ['logs', 'log'],
    ['lag', 'log'],
    ['x', undefined],
    ['', undefined],
    ['password', undefined],
    ['x'.repeat(10_000), undefined],
  ];
  for (const [name, wanted] of cases) t.equal(nearest(name, keys), wanted, JSON.stringify(name.slice(0, 20)));
});

t.test('prefers the nearer name, then the one that is known first', async (t) => {
  t.equal(nearest('max_versio', keys), 'max_version');
  t.equal(nearest('mix_version', keys), 'min_version');
  t.equal(nearest('abcx', ['abcy', 'abcz']), 'abcy');
  t.equal(nearest('abc', []), undefined);
  t.equal(nearest('abcx', new Set(['abcd'])), 'abcd');
});

t.test('does not offer a different word of the same length', async (t) => {
  t.equal(nearest('user', ['port', 'path']), undefined);
  t.equal(nearest('ca', ['ak', 'sk', 'cb']), undefined);
});

t.test('a known name is its own nearest, and one slip in a name of three letters or more is found', async () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcdefghij'), minLength: 4, maxLength: 30 });
  fc.assert(fc.property(word, (name) => nearest(name, [name]) === name));
  fc.assert(
    fc.property(word, fc.nat(), (name, at) => {
      const place = at % name.length;
      return nearest(name.slice(0, place) + name.slice(place + 1), [name]) === name;
    }),
  );
});

t.test('an answer is always one of the known names', async () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (name, known) => {
      const found = nearest(name, known);
      return found === undefined || known.includes(found);
    }),
  );
});
