import t from 'tap';
import { distinct, gauge, top, topError } from '../../../src/core/metrics/define.ts';
import { expose } from '../../../src/core/metrics/exposition.ts';
import { seriesCount } from '../../../src/core/metrics/family.ts';
import { boundValue, LABEL_VALUE_LIMIT } from '../../../src/core/metrics/labels.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { Scrapers } from '../../../src/core/metrics/scrape.ts';
import { SKETCH_LIMIT } from '../../../src/core/metrics/sketches.ts';
import { exposed, show } from '../../support/exposition.ts';
import { readFamilies } from '../../support/protobuf.ts';
import { parseExposition, seriesKey } from '../../support/strict-exposition.ts';

const TOP = top('test_top', 'Most frequent.', ['who']);
const CATALOGUE = {
  top: TOP,
  error: topError(TOP, 'Too high by.'),
  distinct: distinct('test_distinct', 'Different.', ['who']),
};

/** As many values as a sketch can count exactly. */
const CAPACITY = 10_000;

function create() {
  const registry = new Registry({ seriesLimit: 1_000 });
  return { registry, handles: registry.register('one', CATALOGUE) };
}

type Handles = ReturnType<typeof create>['handles'];

/** Counts values, by themselves or with how often they come. */
function count({ top, distinct }: Handles, who: string, values: Readonly<Record<string, number>>, n = 20): void {
  const [tops, distincts] = [top.series({ who }, n), distinct.series({ who })];
  for (const [value, times] of Object.entries(values)) {
    tops.add(tops.track(value), null, times);
    distincts.add(distincts.hash(value), null);
  }
}

/** What `trailgauge_series` tells, by metric. */
function sizes(registry: Registry, time = 0): Readonly<Record<string, number>> {
  registry.time = time;
  registry.recount();
  return Object.fromEntries([...registry.families].map(([name, family]) => [name, seriesCount(family)]));
}

t.test('by labels, constant ones of an instance too', async (t) => {
  const { registry, handles } = create();
  const two = registry.register('two', CATALOGUE, [['source', 'b']]);
  count(handles, 'x', { a: 2, b: 3 });
  count(handles, 'y', { a: 1 });
  count(two, 'x', { a: 7 });
  t.equal(handles.error, null, 'nothing is to be done for the errors');
  t.same(Object.entries(await show(registry)), [
    ['test_top{who="x",value="b"}', 3],
    ['test_top{who="x",value="a"}', 2],
    ['test_top{who="y",value="a"}', 1],
    ['test_top{who="x",source="b",value="a"}', 7],
    ['test_distinct{who="x"}', 2],
    ['test_distinct{who="y"}', 1],
    ['test_distinct{who="x",source="b"}', 1],
  ]);
});

t.test('one set of labels has one sketch, whoever asks; the last one tells how many are shown', async (t) => {
  const { registry, handles } = create();
  count(handles, 'x', { a: 2, b: 2, c: 2, d: 1 }, 1);
  t.same(await show(registry), { 'test_top{who="x",value="a"}': 2, 'test_distinct{who="x"}': 4 });
  count(handles, 'x', { b: 5 }, 2);
  t.same(await show(registry), {
    'test_top{who="x",value="b"}': 7,
    'test_top{who="x",value="a"}': 2,
    'test_distinct{who="x"}': 4,
  });
  handles.top.series({ who: 'x' }, 0);
  t.same(await show(registry), { 'test_distinct{who="x"}': 4 });
});

t.test('without labels of its own', async (t) => {
  const registry = new Registry({ seriesLimit: 10 });
  const bare = top('bare_top', 'Bare.', []);
  const handles = registry.register('one', { bare, error: topError(bare, 'E.'), all: distinct('bare', 'Bare.', []) });
  const [tops, all] = [handles.bare.series({}, 3), handles.all.series({})];
  for (const value of ['a', 'b', 'a']) {
    tops.add(tops.track(value), null, 1);
    all.add(all.hash(value), null);
  }
  t.same(await show(registry), { 'bare_top{value="a"}': 2, 'bare_top{value="b"}': 1, bare: 2 });
  const empty = handles.bare.series({}, 3);
  empty.add(empty.track(''), null, 5);
  t.equal((await show(registry)).bare_top, 5, 'an empty value is an absent label');
});

t.test('where there are too many, the rest share one', async (t) => {
  const { registry, handles } = create();
  const two = registry.register('two', CATALOGUE, [['source', 'b']]);
  for (let i = 0; i < SKETCH_LIMIT + 30; i++) count(handles, `w${i}`, { a: 1, [`v${i}`]: 1 }, 2);
  count(two, 'x', { a: 4 });
  count(handles, 'w3', { a: 1 });
  const shown = await show(registry);
  t.equal(shown['test_top{who="w3",value="a"}'], 2, 'one that is known stays itself');
  t.equal(shown['test_top{who="other",value="a"}'], 30);
  t.equal(shown['test_distinct{who="other"}'], 31);
  t.equal(shown['test_top{who="other",source="b",value="a"}'], 4, 'each owner has its own');
  t.equal(Object.keys(shown).length, SKETCH_LIMIT * 2 + 2 + 1 + SKETCH_LIMIT + 2);
  t.notOk(Object.keys(shown).some((series) => series.includes('"w200"')));
});

t.test('nothing is shown for nothing, nor for what has left the window', async (t) => {
  const { registry, handles } = create();
  const series = handles.top.series({ who: 'x' }, 20);
  handles.distinct.series({ who: 'x' });
  t.same(await show(registry), {});
  series.track('a');
  t.same(await show(registry), {});
  count(handles, 'x', { a: 1 });
  const day = 86_400_000;
  t.equal(Object.keys(await show(registry, { now: day - 1 })).length, 2);
  t.same(sizes(registry, day - 1), { test_top: 1, test_top_error: 0, test_distinct: 1 });
  t.same(await show(registry, { now: day }), {});
  t.same(sizes(registry, day), { test_top: 0, test_top_error: 0, test_distinct: 0 });
});

t.test('how much too high: as long as values had to make room', async (t) => {
  const { registry, handles } = create();
  const tops = handles.top.series({ who: 'x' }, 3);
  const add = (value: string, times = 1) => tops.add(tops.track(value), null, times);
  add('often', 500);
  for (let i = 1; i < CAPACITY; i++) add(`v${i}`, 2);
  count(handles, 'y', { a: 1 });
  t.notOk(Object.keys(await show(registry)).some((series) => series.startsWith('test_top_error')));
  add('late', 300);
  const shown = await show(registry);
  t.equal(shown['test_top{who="x",value="often"}'], 500);
  t.equal(shown['test_top{who="x",value="late"}'], 302);
  t.equal(shown['test_top_error{who="x"}'], 2);
  t.notOk('test_top_error{who="y"}' in shown, 'that one is exact');
  t.equal(sizes(registry).test_top_error, 1);
  handles.top.series({ who: 'x' }, 0);
  t.notOk('test_top_error{who="x"}' in (await show(registry)), 'without values there is nothing to be wrong');
});

t.test('what is shown is known before it is shown', async (t) => {
  const { registry, handles } = create();
  count(handles, 'x', { a: 1, b: 1, c: 1 }, 2);
  count(handles, 'y', { a: 1 }, 0);
  t.same(sizes(registry), { test_top: 2, test_top_error: 0, test_distinct: 2 });
  const { level } = registry.register('one', { level: gauge('level', 'L.', []) });
  level.set({}, 1);
  t.equal(sizes(registry).level, 1);
});

/** What may stand in a value, and how it is shown. */
const HOSTILE: readonly (readonly [value: string, shown: string])[] = [
  ['"', '"'],
  ['\\', '\\'],
  ['\\n', '\\n'],
  ['a\nb', 'a\nb'],
  ['"} 1\ntest_top{who="z', '"} 1\ntest_top{who="z'],
  ['",value="x', '",value="x'],
  ['\0', '\0'],
  ['\r\t\u2028', '\r\t\u2028'],
  ['\ud800', '\ufffd'],
  ['x\udc00y', 'x\ufffdy'],
  ['🦊é', '🦊é'],
  ['other', 'other'],
  ['x'.repeat(LABEL_VALUE_LIMIT), 'x'.repeat(LABEL_VALUE_LIMIT)],
  ['y'.repeat(5_000), boundValue('y'.repeat(5_000))],
  [`${'y'.repeat(5_000)}z`, boundValue(`${'y'.repeat(5_000)}z`)],
];

t.test('hostile values, in all formats', async (t) => {
  const { registry, handles } = create();
  const wanted = new Map<string, number>();
  HOSTILE.forEach(([value, shown], index) => {
    count(handles, 'q"\n\\', { [value]: index + 1 });
    wanted.set(seriesKey('test_top', Object.entries({ who: 'q"\n\\', value: shown })), index + 1);
  });
  wanted.set(seriesKey('test_distinct', [['who', 'q"\n\\']]), HOSTILE.length);
  for (const format of ['text', 'openmetrics'] as const) {
    const text = await exposed(registry, { view: { format, escaping: 'underscores' } });
    const { samples, families } = parseExposition(text, format);
    t.same(new Map([...samples].map(([key, { value }]) => [key, value])), wanted, format);
    for (const { name, type } of families.values()) t.equal(type, 'gauge', `${name} in ${format}`);
  }
  const collection = new Scrapers(registry, 0).begin('p', 0);
  const view = { format: 'protobuf', escaping: 'underscores' } as const;
  const { pieces, giveBack } = await expose(registry, { view, idleMs: 0, now: 0, collection });
  const families = readFamilies(Buffer.concat(pieces));
  giveBack();
  t.same(
    families.map(({ name, type }) => [name, type]),
    [
      ['test_top', 1],
      ['test_distinct', 1],
    ],
    'gauges; those without series are left out',
  );
  const found = families.flatMap(({ name, metrics }) =>
    metrics.map(({ labels, value }) => [seriesKey(name, labels), value] as const),
  );
  t.same(new Map(found), wanted);
});

t.test('what is left at the same count is in the order of its bytes', async (t) => {
  const { registry, handles } = create();
  const values = ['b', 'a', 'B', '\ufffd', '😀', 'ab', 'é', '~'];
  count(handles, 'x', Object.fromEntries(values.map((value) => [value, 1])), 7);
  const { families } = parseExposition(await exposed(registry));
  const found = families.get('test_top')?.samples.map(({ labels }) => labels.get('value'));
  const inOrder = values.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  t.same(found, inOrder.slice(0, 7));
});

t.test('while it is shown, others may come', async (t) => {
  const { registry, handles } = create();
  for (let i = 0; i < 50; i++) {
    count(handles, `w${i}`, Object.fromEntries(Array.from({ length: 500 }, (_, v) => [`${i} ${v}`, 1])), 500);
  }
  const timer = setInterval(() => count(handles, `later${Math.random()}`, { a: 1 }, 1), 0);
  const { samples } = parseExposition(await exposed(registry));
  clearInterval(timer);
  t.ok(samples.size >= 50 * 501);
});

t.test('the label that holds the value may have another name', async (t) => {
  const registry = new Registry({ seriesLimit: 1_000 });
  const { users } = registry.register('one', { users: top('test_users', 'Users.', [], 'user') }, [['source', 'b']]);
  const series = users.series({}, 2);
  series.add(series.track('x'), null, 3);
  t.same(await show(registry), { 'test_users{source="b",user="x"}': 3 });
});
