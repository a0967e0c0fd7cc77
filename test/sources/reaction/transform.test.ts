import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NO_ADDRESSES, openAddresses } from '../../../src/core/addresses.ts';
import { addressesConfig } from '../../../src/core/addresses-config.ts';
import { labelText } from '../../../src/core/metrics/labels.ts';
import { patternLabels } from '../../../src/sources/reaction/filters.ts';
import { compileTransforms, type TransformConfig, transformProblems } from '../../../src/sources/reaction/transform.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { countryDatabase } from '../../support/mmdb.ts';

function compile(config: TransformConfig, errors: Error[] = []) {
  return compileTransforms(config, (error) => errors.push(error));
}

t.test('all patterns of a name, overridden by one of a filter', async (t) => {
  const transforms = compile({
    all: { email: '{{last (split email "@")}}', ip: false, as: true, is: null },
    for: {
      nginx: { browsers: { email: '{{upper email}}', ip: true } },
      ssh: { f: { email: false, ip: null } },
      none: null,
    },
  });
  const shown = (stream: string, filter: string, pattern: string, value = 'a@b') => {
    const transform = transforms(stream, filter, pattern);
    return typeof transform === 'function' ? transform(value) : transform;
  };
  t.equal(shown('mail', 'sasl', 'email'), 'b');
  t.equal(shown('nginx', 'browsers', 'email'), 'A@B');
  t.equal(shown('nginx', 'other', 'email'), 'b');
  t.equal(shown('ssh', 'f', 'email'), false);
  t.equal(shown('mail', 'sasl', 'ip'), false);
  t.equal(shown('nginx', 'browsers', 'ip'), null);
  t.equal(shown('ssh', 'f', 'ip'), null);
  t.equal(shown('mail', 'sasl', 'as'), null);
  t.equal(shown('mail', 'sasl', 'is'), null);
  t.equal(shown('mail', 'sasl', 'unknown'), null);
  t.equal(shown('toString', 'constructor', '__proto__'), null);
});

t.test('nothing configured', async (t) => {
  for (const config of [{}, { all: null, for: null }, { all: {}, for: {} }])
    t.equal(compile(config)('s', 'f', 'p'), null);
});

t.test('names such as __proto__ are ordinary', async (t) => {
  const config: TransformConfig = JSON.parse(
    '{"all": {"__proto__": "{{upper __proto__}}"}, "for": {"__proto__": {"constructor": {"toString": false}}}}',
  );
  const transform = compile(config)('s', 'f', '__proto__');
  t.equal(transform ? transform('a') : null, 'A');
  t.equal(compile(config)('__proto__', 'constructor', 'toString'), false);
});

t.test('mistakes, each with its path', async (t) => {
  const config = {
    all: { a: '{{b}}', c: 4, d: ['x'] },
    for: { ssh: { failedlogin: { ip: '{{x' } }, m: 3, n: { o: 'x' }, p: [] },
  };
  t.match(transformProblems(config), [
    { path: 'transform.all.a', text: 'line 1, column 3: found the variable "b", wanted "a" or "value"' },
    { path: 'transform.all.c', text: 'found 4, wanted a template, true or false' },
    { path: 'transform.all.d', text: 'found a list, wanted a template, true or false' },
    { path: 'transform.for.ssh.failedlogin.ip', text: /^Handlebars says: Parse error on line 1: Expecting / },
    { path: 'transform.for.m', text: 'found 3, wanted a map' },
    { path: 'transform.for.n.o', text: 'found "x", wanted a map' },
    { path: 'transform.for.p', text: 'found a list, wanted a map' },
  ]);
  t.throws(() => compile(config), { message: /^transform\.all\.a: line 1, .*\ntransform\.all\.c: found 4/ });
  t.same(transformProblems({ all: { a: '{{a}}' } }), []);
});

t.test('a template that fails on a value gives invalid, each time with an error', async (t) => {
  const errors: Error[] = [];
  const transform = compile({ for: { s: { f: { p: '{{lower (nth (split value "@") 1)}}' } } } }, errors)('s', 'f', 'p');
  if (!transform) throw new Error('no transform');
  t.same(['A@B', 'A', 'A'].map(transform), ['b', 'invalid', 'invalid']);
  t.same(
    errors.map(({ message }) => message),
    [
      'transform.for.s.f.p: fails on "A": line 1, column 1: lower found nothing, wanted a text',
      'transform.for.s.f.p: fails on "A": line 1, column 1: lower found nothing, wanted a text',
    ],
  );
});

t.test('results are remembered, up to a limit', async (t) => {
  const transform = compile({ all: { p: '{{upper value}}' } })('s', 'f', 'p');
  if (!transform) throw new Error('no transform');
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 5000; n++) if (transform(`v${n}`) !== `V${n}`) t.fail(`v${n}`);
  }
  t.equal(transform('x'.repeat(10_000)), 'X'.repeat(10_000));
  t.equal(transform('x'.repeat(100_000)), 'invalid');
});

t.test('labels of addresses: without a database they are absent, not empty', async (t) => {
  const config: TransformConfig = { all: { ip: '{{country ip}}', client: '{{class client}}', net: '{{network net}}' } };
  const country = join(temporaryFolder(t), 'country.mmdb');
  writeFileSync(country, countryDatabase());
  const patterns = ['ip', 'client', 'net'];
  const shown = (given: object, values: readonly string[]) => {
    const log = { info: () => {}, warn: () => {} };
    const addresses = openAddresses(addressesConfig.parse(given), { follow: false, log });
    t.teardown(() => addresses.close());
    const transforms = compileTransforms(config, (error) => t.fail(error.message), addresses);
    const shape = {
      patterns,
      labels: patterns,
      counters: [],
      transforms: patterns.map((pattern) => transforms('s', 'f', pattern)),
    };
    return labelText(patternLabels(values, shape));
  };
  const classes = { office: ['192.0.2.0/24'] };
  const values = ['203.0.113.9', '192.0.2.1', '2001:db8::1'];
  t.equal(shown({}, values), 'net="2001:db8::/64"');
  t.equal(shown({ classes }, values), 'client="office",net="2001:db8::/64"');
  t.equal(shown({ country, classes }, values), 'ip="SE",client="office",net="2001:db8::/64"');
  t.equal(shown({ country, classes }, ['10.0.0.1', 'x', 'y']), 'net="y"');
});

t.test('what a database told before it was read again is forgotten', async (t) => {
  let told = 'SE';
  let revision = 0;
  const addresses = {
    ...NO_ADDRESSES,
    countryOf: () => told,
    get revision() {
      return revision;
    },
  };
  const transform = compileTransforms({ all: { ip: '{{country ip}}' } }, () => {}, addresses)('s', 'f', 'ip');
  if (!transform) throw new Error('no transform');
  t.equal(transform('203.0.113.9'), 'SE');
  told = 'NO';
  t.equal(transform('203.0.113.9'), 'SE', 'it was remembered');
  revision += 1;
  t.equal(transform('203.0.113.9'), 'NO');
});
