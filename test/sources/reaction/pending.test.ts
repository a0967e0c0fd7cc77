import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseYaml } from '../../../src/sources/reaction/documents.ts';
import { readPending } from '../../../src/sources/reaction/pending.ts';
import { NO_SETTINGS, readSettings } from '../../../src/sources/reaction/settings.ts';
import { fixture } from '../../support/paths.ts';

const settings = readSettings(parseYaml(readFileSync(fixture('reaction/answers/test-config.yaml'), 'utf8')));
const nothingSeen = () => null;

function valuesOf(filter: string, key: string, seen: () => readonly string[] | null = nothingSeen) {
  const stream = filter === 'sasl' ? 'mail' : filter === 'browsers' ? 'nginx' : 'ssh';
  const text = JSON.stringify({ [stream]: { [filter]: { [key]: { actions: { a: ['t'] } } } } });
  return readPending(text, settings, seen)[0]?.values;
}

t.test('JSON and YAML of the same answer', async (t) => {
  const wanted = [
    { stream: 'ssh', filter: 'failedlogin', action: 'unban', count: 1, values: ['192.0.2.17'] },
    { stream: 'ssh', filter: 'failedlogin', action: 'unban', count: 2, values: ['198.51.100.23'] },
    { stream: 'ssh', filter: 'failedlogin', action: 'mail', count: 1, values: ['198.51.100.23'] },
    {
      stream: 'nginx',
      filter: 'browsers',
      action: 'notify',
      count: 1,
      values: ['web.example', 'Mozilla/5.0 (X11; Linux)', '203.0.113.9'],
    },
  ];
  for (const name of ['show.json', 'show.yaml']) {
    t.same(readPending(readFileSync(fixture(`reaction/answers/${name}`), 'utf8'), settings, nothingSeen), wanted, name);
  }
});

t.test('nothing pending', async (t) => {
  for (const text of ['', '\n', '{}', 'null', 'ssh: {}', 'ssh:\n  f: ~', '{"ssh": {"f": {"k": {"matches": 1}}}}']) {
    t.same(readPending(text, settings, nothingSeen), [], JSON.stringify(text));
  }
  t.same(readPending('{"s": {"f": {"k": {"actions": {"a": [], "b": null}}}}}', settings, nothingSeen), []);
});

t.test('what a key tells of the values', async (t) => {
  t.same(valuesOf('failedlogin', 'with some spaces'), ['with some spaces'], 'one pattern: the whole key');
  t.same(valuesOf('sasl', 'a@b 2001:db8::1'), ['a@b', '2001:db8::1'], 'as many words as patterns');
  t.same(valuesOf('sasl', 'a@b not-an-address'), ['a@b', 'not-an-address']);
  t.same(valuesOf('sasl', 'one'), [undefined, undefined]);
  t.same(valuesOf('browsers', 'a.b 1.2.3.4 5 6.7.8.9'), ['a.b', '1.2.3.4 5', '6.7.8.9'], 'the only split that fits');
  t.same(valuesOf('browsers', 'a.b c.d e'), ['a.b', 'c.d', 'e']);
  t.same(valuesOf('browsers', 'A x y 1.2.3.4'), [undefined, undefined, undefined], 'none fits');
  t.same(valuesOf('browsers', 'a x y 1.2.3'), [undefined, undefined, undefined]);
  const seen = ['a', 'x y', 'z'];
  t.same(
    valuesOf('browsers', 'a x y z', () => seen),
    seen,
    'a match that was seen',
  );
  t.same(
    valuesOf('browsers', 'a x y z', () => ['a']),
    [undefined, undefined, undefined],
  );
  t.same(valuesOf('unknown', 'a b'), [], 'no names');
  t.same(readPending('{"s": {"f": {"k": {"actions": {"a": "t"}}}}}', NO_SETTINGS, nothingSeen)[0]?.values, []);
});

t.test('keys are asked for by what they belong to', async (t) => {
  const asked: (readonly string[])[] = [];
  readPending('{"nginx": {"browsers": {"a b c d": {"actions": {"x": ["t"]}}}}}', settings, (...question) => {
    asked.push(question);
    return null;
  });
  t.same(asked, [['nginx', 'browsers', 'a b c d']]);
});

t.test('names and keys such as __proto__ are ordinary', async (t) => {
  const text = '{"__proto__": {"constructor": {"toString": {"actions": {"__proto__": ["t"]}}}}}';
  t.same(readPending(text, settings, nothingSeen), [
    { stream: '__proto__', filter: 'constructor', action: '__proto__', count: 1, values: [] },
  ]);
});

t.test('garbage is told from nothing', async (t) => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ["thread 'main' panicked at: not : valid : [yaml", /^reaction show printed no JSON or YAML: line 1, column 28: /],
    ['hello', 'reaction show printed "hello", wanted a map'],
    ['[1]', 'reaction show printed a list, wanted a map'],
    ['{"a": 1}', 'reaction show printed "1" at "a", wanted a map'],
    ['{"a": {"f": {"k": []}}}', 'reaction show printed a list at "a" → "f" → "k", wanted a map'],
    [
      '{"a": {"f": {"k": {"actions": {"x": {}}}}}}',
      'reaction show printed a map at "a" → "f" → "k" → "actions" → "x", wanted a list of times',
    ],
    ['{"a": ', /^reaction show printed no JSON or YAML: line 1, column 7: /],
  ];
  for (const [text, message] of cases) t.throws(() => readPending(text, settings, nothingSeen), { message }, text);
});

t.test('many hostile keys cost no more than the work allowed', async (t) => {
  const keys = Array.from({ length: 3000 }, (_, index) => [
    `${'1.1.1.1 '.repeat(400)}${index}`,
    { actions: { a: ['t'] } },
  ]);
  const text = JSON.stringify({ nginx: { browsers: Object.fromEntries(keys) } });
  const start = process.cpuUsage().user;
  const pending = readPending(text, settings, nothingSeen);
  t.equal(pending.length, 3000);
  t.ok(process.cpuUsage().user - start < 5_000_000, `${process.cpuUsage().user - start} µs`);
});
