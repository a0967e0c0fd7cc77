import t, { type Test } from 'tap';
import { Past, type PastOptions } from '../../../src/core/history/history.ts';
import { counter, histogram, type MetricDef, maximum } from '../../../src/core/metrics/define.ts';
import { folder } from '../../support/cli.ts';

const WORDS = counter('test_words_total', 'Words.', ['word', 'kind']);
const ALL = counter('test_all_total', 'All.', []);
const SECONDS = histogram('test_seconds', 'Time.', ['kind'], [1, 2]);
const LONGEST = maximum('test_seconds_max', 'The longest.', ['kind']);

function open(t: Test, options: Partial<PastOptions> = {}): Past {
  const past = new Past({ limitOf: () => 100, folder: folder(t), ...options });
  t.teardown(() => past.close());
  return past;
}

const staged = (step: number, value: number, events = 1) => ({ step, value, events, isOver: false });
const observed = (step: number, ...counts: number[]) => ({
  step,
  counts: Float64Array.from(counts),
  native: null,
  events: 1,
  isOver: false,
});

/** All that is kept, by metric and labels. */
function contentOf(past: Past): Record<string, (readonly [step: number, ...values: number[]])[]> {
  const found: Record<string, (readonly [number, ...number[]])[]> = {};
  for (const [def, all] of past.families()) {
    for (const series of all) {
      found[`${def.name}{${series.labels}}`] = [...past.steps(series)].map(({ step, values }) => [step, ...values]);
    }
  }
  return found;
}

t.test('numbers are added up by series and step, and maxima are not', async (t) => {
  for (const memory of [1, 1_000_000]) {
    const past = open(t, { memory });
    const sink = past.sink([]);
    sink.counter(WORDS, { word: 'b', kind: 'x' }, staged(7, 1));
    past.relieve();
    sink.counter(WORDS, { kind: 'x', word: 'b' }, staged(5, 2));
    sink.counter(WORDS, { word: 'b', kind: 'x' }, staged(7, 3));
    past.relieve();
    sink.counter(WORDS, { word: 'known', kind: 'x' }, staged(0, 0, 0));
    sink.counter(ALL, {}, staged(9, 4));
    sink.histogram(SECONDS, { kind: 'x' }, observed(6, 1, 0, 2, 9.5));
    past.relieve();
    sink.histogram(SECONDS, { kind: 'x' }, observed(6, 0, 1, 0, 1.5));
    for (const value of [3, 8, 4]) {
      sink.maximum(LONGEST, { kind: 'x' }, { slot: 3, value, events: 1, isOver: false });
      past.relieve();
    }
    sink.maximum(LONGEST, { kind: 'x' }, { slot: 4, value: null, events: 0, isOver: false });
    t.same(contentOf(past), {
      'test_words_total{word="b",kind="x"}': [
        [5, 2],
        [7, 4],
      ],
      'test_words_total{word="known",kind="x"}': [],
      'test_all_total{}': [[9, 4]],
      'test_seconds{kind="x"}': [[6, 1, 1, 2, 11]],
      'test_seconds_max{kind="x"}': [[3, 8]],
    });
    t.equal(past.size, 5);
    t.equal(past.first, 5, 'minutes are none of the steps');
  }
});

t.test('sources with names have series of their own, and their metrics stand together', async (t) => {
  const past = open(t);
  past.sink([]).counter(ALL, {}, staged(1, 1));
  past.sink([['source', 'one']]).counter(WORDS, { word: 'a', kind: '' }, staged(1, 1));
  past.sink([['source', 'two']]).counter(ALL, {}, staged(1, 2));
  t.same(contentOf(past), {
    'test_all_total{}': [[1, 1]],
    'test_all_total{source="two"}': [[1, 2]],
    'test_words_total{word="a",source="one"}': [[1, 1]],
  });
  t.same(
    [...past.families()].map(([{ name }]) => name),
    ['test_all_total', 'test_words_total'],
  );
});

t.test('over the limit all labels are `other`, and what fell over it is told', async (t) => {
  const past = open(t, { limitOf: ({ name }: MetricDef) => (name === 'test_words_total' ? 2 : 100) });
  const sink = past.sink([]);
  const other = past.sink([['source', 'edge']]);
  for (const word of ['a', 'b', 'c', 'd', 'a', 'c']) sink.counter(WORDS, { word, kind: 'x' }, staged(1, 10, 2));
  other.counter(WORDS, { word: 'a', kind: 'x' }, staged(1, 1));
  other.counter(ALL, {}, staged(1, 1));
  // What the source itself had no room for.
  sink.histogram(SECONDS, { kind: 'other' }, { ...observed(1, 3, 0, 0, 1), events: 3, isOver: true });
  t.same(contentOf(past), {
    'test_words_total{word="a",kind="x"}': [[1, 20]],
    'test_words_total{word="b",kind="x"}': [[1, 10]],
    'test_words_total{word="other",kind="other"}': [[1, 30]],
    'test_words_total{word="other",kind="other",source="edge"}': [[1, 1]],
    'test_all_total{source="edge"}': [[1, 1]],
    'test_seconds{kind="other"}': [[1, 3, 0, 0, 1]],
  });
  t.same(
    [...past.limited],
    [
      ['test_words_total', 7],
      ['test_seconds', 3],
    ],
  );
});

t.test('a limit for all metrics together', async (t) => {
  const past = open(t, { most: 2 });
  const sink = past.sink([]);
  sink.counter(WORDS, { word: 'a', kind: 'x' }, staged(1, 1));
  sink.histogram(SECONDS, { kind: 'x' }, observed(1, 1, 0, 0, 1));
  sink.histogram(SECONDS, { kind: 'y' }, observed(1, 1, 0, 0, 1));
  sink.counter(WORDS, { word: 'a', kind: 'x' }, staged(1, 1));
  t.same(Object.keys(contentOf(past)), [
    'test_words_total{word="a",kind="x"}',
    'test_seconds{kind="x"}',
    'test_seconds{kind="other"}',
  ]);
  t.same([...past.limited], [['test_seconds', 1]]);
});

t.test('a metric that is not of events has no history', async (t) => {
  const past = open(t);
  const sink = past.sink([]);
  sink.counter(WORDS, { word: 'done', kind: '' }, staged(0, 0, 0));
  sink.counter(ALL, {}, staged(3, 1));
  t.equal(past.size, 2);
  sink.counter(WORDS, { word: 'done', kind: '' }, staged(0, 1));
  sink.histogram(SECONDS, { kind: 'x' }, observed(0, 1, 0, 0, 1));
  t.same(Object.keys(contentOf(past)), ['test_all_total{}']);
  t.equal(past.size, 1);
  t.equal(past.first, 3);
});

t.test('a metric may give up one label after the other, within its limit', async (t) => {
  const calls = counter('test_calls_total', 'Calls.', ['kind', 'user'], { gives: ['user'] });
  const past = open(t, { limitOf: () => 4 });
  const sink = past.sink([]);
  for (const user of ['a', 'b', 'c', 'd', 'a']) sink.counter(calls, { kind: 'x', user }, staged(1, 1));
  sink.counter(calls, { kind: 'y', user: 'a' }, staged(1, 1));
  t.same(contentOf(past), {
    'test_calls_total{kind="x",user="a"}': [[1, 2]],
    'test_calls_total{kind="x",user="b"}': [[1, 1]],
    'test_calls_total{kind="x",user="other"}': [[1, 2]],
    'test_calls_total{kind="other",user="other"}': [[1, 1]],
  });
  t.same([...past.limited], [['test_calls_total', 3]]);
});
