import t from 'tap';
import { type CloudEventsConfig, targetOf } from '../../../src/writers/cloudevents/config.ts';
import { cloudevents } from '../../../src/writers/cloudevents/index.ts';
import { parseOverrides } from '../../../src/writers/cloudevents/overrides.ts';
import { isSinkUnused } from '../../../src/writers/hints.ts';
import { configOf, openWriter } from '../../support/writers.ts';

const SINK = 'http://broker.test/ns/default';

function target(section: object, env: NodeJS.ProcessEnv = {}) {
  return targetOf(configOf(cloudevents, section) as CloudEventsConfig, env);
}

t.test('a section that says nothing is one for Knative', async (t) => {
  t.same(target({}, { K_SINK: SINK }), {
    url: SINK,
    timeoutMs: 30_000,
    ca: null,
    overrides: new Map(),
    ignored: [],
    hasToken: true,
  });
  t.match(configOf(cloudevents, {}), {
    url: null,
    mode: 'binary',
    overrides: null,
    source: null,
    concurrency: 4,
    ca: null,
  });
  t.throws(() => target({}), { message: /^found neither url nor \$K_SINK, wanted an address such as http/ });
  t.throws(() => target({}, { K_SINK: '' }), { message: /^found neither/ });
  t.throws(() => target({}, { K_SINK: 'broker' }), { message: /^\$K_SINK: wanted an address/ });
  t.throws(() => target({}, { K_SINK: 'http://a:b@broker/' }), { message: /^\$K_SINK: found user or password/ });
});

t.test('what is written wins over the environment', async (t) => {
  const env = { K_SINK: SINK, K_CE_OVERRIDES: '{"extensions":{"a":"1"}}', K_CA_CERTS: 'PEM', K_SINK_TIMEOUT: '7' };
  t.match(target({}, env), { url: SINK, timeoutMs: 7_000, ca: { pem: 'PEM' }, overrides: new Map([['a', '1']]) });
  const section = { url: 'https://other.test', overrides: { b: 2 }, ca: '/ca.pem', timeout: '3s' };
  t.same(target(section, env), {
    url: 'https://other.test',
    timeoutMs: 3_000,
    ca: { file: '/ca.pem' },
    overrides: new Map([['b', '2']]),
    ignored: [],
    hasToken: false,
  });
  t.same(target({ overrides: {} }, env).overrides, new Map(), 'none, in so many words');
});

t.test('$K_SINK_TIMEOUT', async (t) => {
  const timeout = (value: string) => target({ url: SINK }, { K_SINK_TIMEOUT: value }).timeoutMs;
  t.equal(timeout(''), 30_000);
  t.equal(timeout(' 90 '), 90_000);
  for (const wrong of ['0', '-1', 'x', '1.5', '1e9', '86401']) {
    t.throws(
      () => timeout(wrong),
      { message: /^\$K_SINK_TIMEOUT: found ".+", wanted seconds from 1 to 86400$/ },
      wrong,
    );
  }
});

t.test('$K_CE_OVERRIDES', async (t) => {
  const overrides = (value: string) => target({ url: SINK }, { K_CE_OVERRIDES: value });
  for (const none of ['', ' ', '{}', '{"extensions":null}', '{"extensions":{}}'])
    t.equal(overrides(none).overrides.size, 0, none);
  t.same(overrides('{"extensions":{"a":"Größe","id":"x","data":"y"}}'), {
    ...overrides(''),
    overrides: new Map([['a', 'Größe']]),
    ignored: ['id', 'data'],
  });
  for (const [wrong, message] of [
    ['x', /^\$K_CE_OVERRIDES: found no JSON object, wanted extensions/],
    ['[]', /found no JSON object/],
    ['null', /found no JSON object/],
    ['{"extensions":{"a-b":"x"}}', /found the name "a-b", wanted 1 to 20 lower-case letters and digits/],
    ['{"extensions":{"A":"x"}}', /found the name "A"/],
    ['{"extensions":{"":"x"}}', /found the name ""/],
    ['{"extensions":{"abcdefghijklmnopqrstu":"x"}}', /found the name/],
    ['{"extensions":{"__proto__":"x"}}', /found the name "__proto__"/],
    ['{"extensions":{"a":{}}}', /found a object as a|found an object as a/],
    ['{"extensions":{"a":"x"},"other":1}', /found "other" beside extensions/],
  ] as const) {
    t.throws(() => overrides(wrong), { message }, wrong);
  }
});

t.test('overrides as they are written', async (t) => {
  t.same(parseOverrides({ extensions: 'a name like any other' }), {
    extensions: new Map([['extensions', 'a name like any other']]),
  });
  t.same(parseOverrides(null), { extensions: new Map() });
  for (const overrides of [
    { cluster: 'north' },
    { extensions: { cluster: 'north' } },
    '{"extensions":{"cluster":"north"}}',
  ]) {
    t.same(target({ url: SINK, overrides }).overrides, new Map([['cluster', 'north']]));
  }
  for (const [section, message] of [
    [{ overrides: { 'a-b': 'x' } }, /^overrides: found the name "a-b", wanted 1 to 20 lower-case letters and digits$/],
    [{ overrides: [] }, /^overrides: wanted extensions by name/],
    [{ overrides: 'x' }, /^overrides: found no JSON object/],
    [{ overrides: { a: null } }, /^overrides: found null as a, wanted text/],
    [{ mode: 'batched' }, /^mode: wanted one of binary, structured/],
    [{ concurrency: 0 }, /^concurrency: wanted a whole number from 1 to 100/],
    [{ url: 'broker' }, /^url: wanted an address such as http/],
    [{ token: 'x' }, /nrecognized key/],
  ] as const) {
    t.throws(() => configOf(cloudevents, section), { message }, JSON.stringify(section));
  }
});

t.test('overrides without effect are told once', async (t) => {
  const log: string[] = [];
  openWriter(t, cloudevents, { url: SINK, overrides: { type: 'x', a: 'b' } }, { log });
  t.match(
    log.map((line) => JSON.parse(line)),
    [{ level: 40, names: ['type'] }],
  );
});

t.test('a sink that nobody uses', async (t) => {
  const env = { K_SINK: SINK };
  t.ok(isSinkUnused([], env));
  t.ok(isSinkUnused(['stdout', 'cloudevents2'], env));
  t.notOk(isSinkUnused(['cloudevents/north'], env));
  t.notOk(isSinkUnused(['stdout'], {}));
  t.notOk(isSinkUnused(['stdout'], { K_SINK: '' }));
});
