import { pino } from 'pino';
import t from 'tap';
import { z } from 'zod';
import { NO_ADDRESSES } from '../../src/core/addresses.ts';
import { counter, histogram } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import type { Sink } from '../../src/core/metrics/stage.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from '../../src/core/pipeline.ts';
import { type Batch, DUPLICATE, defineSource, isWithin } from '../../src/core/source.ts';
import { show } from '../support/exposition.ts';
import { Disk, event, queueRig, taken } from '../support/queue-rig.ts';

const METRICS = {
  words: counter('test_words_total', 'Words.', ['word']),
  lengths: histogram('test_length', 'Lengths.', [], [2, 4]),
};

interface Word {
  readonly word: string;
}

type Aside = Batch<string>;

/** Words that come aside; the time of each is a number behind it. */
function source(read: (position: unknown) => AsyncIterable<Aside>, onConclude: (counted: boolean) => void = () => {}) {
  return defineSource<unknown, typeof METRICS, string, Word>({
    type: 'test',
    summary: 'Words.',
    replay: 'Read again.',
    config: z.unknown(),
    metrics: METRICS,
    reasons: ['bad_word', 'too_long'],
    open: (_config, { aside }) => ({
      read,
      parse: (raw) =>
        raw === 'again' ? DUPLICATE : raw === 'bad' ? { rejected: 'bad_word' } : { word: raw.split(' ')[0] ?? '' },
      observe: ({ word }) => {
        aside.words.series({ word }).inc();
        aside.lengths.observe({}, word.length);
      },
      conclude: onConclude,
      timeOf: (raw) => Number(raw.split(' ')[1] ?? 5) * 1_000,
      event: ({ word }) => event(word),
      excerpt: (raw) => raw,
    }),
    split: () => [],
    check: async function* () {},
  });
}

function options(spec: PipelineOptions['spec'], more: Partial<PipelineOptions> = {}) {
  const registry = new Registry({ seriesLimit: 100 });
  const whole: PipelineOptions = {
    name: 'test',
    spec,
    config: {},
    registry,
    log: pino({ level: 'silent' }),
    now: () => 7_000,
    addresses: NO_ADDRESSES,
    follow: false,
    range: { since: null, until: null },
    saved: { position: null, entries: [] },
    queue: null,
    env: {},
    signal: new AbortController().signal,
    ...more,
  };
  return { registry, options: whole };
}

function batch(items: Iterable<string>, aside: NonNullable<Aside['aside']>, position: unknown = null): Aside {
  return { items, aside, position, bytes: 10, rejected: {} };
}

t.test('they count together, and the position moves with them', async (t) => {
  const disk = new Disk();
  const { queue, readers, commit } = await queueRig(disk, { readers: [{ name: 'one' }], sources: [] });
  const concluded: boolean[] = [];
  let pipeline: Pipeline | null = null;
  const before: unknown[] = [];
  const spec = source(
    async function* () {
      yield batch(['a 4', 'b 9', 'bad'], 'more');
      yield { ...batch(['a 3', 'again'], 'more'), rejected: { too_long: 2 } };
      before.push(await show(registry), pipeline?.takeCells(), pipeline?.status().events);
      commit();
      before.push(readers.get('one')?.events);
      yield batch(['ccc 5'], 'done', 'after');
    },
    (counted) => concluded.push(counted),
  );
  const { registry, options: given } = options(spec, { queue });
  pipeline = startPipeline(given);
  await pipeline.done;
  const [shown, ...rest] = before as [Record<string, number>];
  t.match(shown, {
    'trailgauge_source_items_total{source="test"}': 0,
    'trailgauge_source_rejected_total{source="test",reason="bad_word"}': 0,
    'trailgauge_source_rejected_total{source="test",reason="too_long"}': 0,
  });
  t.notMatch(Object.keys(shown).join(), 'test_words');
  t.same(rest, [[], 0, 0]);
  t.match(await show(registry), {
    'test_words_total{word="a"}': 2,
    'test_words_total{word="b"}': 1,
    'test_words_total{word="ccc"}': 1,
    test_length_count: 4,
    test_length_sum: 6,
    'trailgauge_source_items_total{source="test"}': 8,
    'trailgauge_source_bytes_total{source="test"}': 30,
    'trailgauge_source_events_total{source="test"}': 4,
    'trailgauge_source_duplicates_total{source="test"}': 1,
    'trailgauge_source_rejected_total{source="test",reason="bad_word"}': 1,
    'trailgauge_source_rejected_total{source="test",reason="too_long"}': 2,
    'trailgauge_source_last_event_timestamp_seconds{source="test"}': 9,
  });
  t.same(pipeline.takeCells(), [[['position', 'test'], 'after']]);
  t.match(pipeline.status(), { events: 4, rejected: 3, lastEvent: 9_000 });
  t.same(concluded, [true]);
  commit();
  t.same(taken(readers.get('one')), ['a', 'b', 'a', 'ccc'], 'not what is a duplicate');
});

t.test('or none of them does', async (t) => {
  const disk = new Disk();
  const { queue, readers, commit } = await queueRig(disk, { readers: [{ name: 'one' }], sources: [] });
  const concluded: boolean[] = [];
  const spec = source(
    async function* () {
      yield batch(['a', 'bad', 'again'], 'more');
      yield batch(['b'], 'dropped', 'broken');
      yield batch(['c'], 'done', 'sound');
      yield batch([], 'done', 'empty');
    },
    (counted) => concluded.push(counted),
  );
  const { registry, options: given } = options(spec, { queue });
  const pipeline = startPipeline(given);
  await pipeline.done;
  const shown = await show(registry);
  t.match(shown, {
    'test_words_total{word="c"}': 1,
    'trailgauge_source_items_total{source="test"}': 1,
    'trailgauge_source_bytes_total{source="test"}': 20,
    'trailgauge_source_events_total{source="test"}': 1,
    'trailgauge_source_duplicates_total{source="test"}': 0,
    'trailgauge_source_rejected_total{source="test",reason="bad_word"}': 0,
  });
  t.notOk('test_words_total{word="a"}' in shown);
  t.same(concluded, [false, true, true]);
  t.same(pipeline.takeCells(), [[['position', 'test'], 'empty']]);
  commit();
  t.same(taken(readers.get('one')), ['c']);
});

t.test('what fails on its way is as if it had never come', async (t) => {
  const disk = new Disk();
  const { queue, readers, commit } = await queueRig(disk, { readers: [{ name: 'one' }], sources: [] });
  const stop = new AbortController();
  let tries = 0;
  function* broken() {
    yield 'a';
    throw new Error('a bad byte');
  }
  const spec = source(async function* () {
    tries += 1;
    if (tries === 1) yield batch(broken(), 'more');
    yield batch(['a', 'b'], 'more');
    if (tries === 2) throw new Error('cut');
    yield batch(['c'], 'done', 'whole');
    yield batch(['never'], 'more');
    stop.abort();
  });
  const { registry, options: given } = options(spec, { queue, follow: true, signal: stop.signal });
  const pipeline = startPipeline(given);
  await pipeline.done;
  t.equal(tries, 3);
  const shown = await show(registry);
  t.match(shown, {
    'test_words_total{word="a"}': 1,
    'test_words_total{word="b"}': 1,
    'test_words_total{word="c"}': 1,
    'trailgauge_source_items_total{source="test"}': 3,
    'trailgauge_source_errors_total{source="test"}': 2,
  });
  t.notOk('test_words_total{word="never"}' in shown);
  commit();
  t.same(taken(readers.get('one')), ['a', 'b', 'c']);
  t.equal(disk.blocks.size, 1);
});

t.test('what came late does not make the newest event an older one', async (t) => {
  const spec = source(async function* () {
    yield batch(['a 6'], 'done', 1);
    yield batch(['b 2'], 'done', 2);
  });
  const { options: given } = options(spec);
  const pipeline = startPipeline(given);
  await pipeline.done;
  t.match(pipeline.status(), { events: 2, lastEvent: 6_000, lag: 1 });
});

t.test('the past is counted in steps, whatever its order, and what has no time is told', async (t) => {
  const counted: string[] = [];
  const untimed: number[] = [];
  let settled = 0;
  const sink: Sink = {
    counter: (_, { word }, { value, step }) => counted.push(`${word} ${value} in ${step}`),
    histogram: () => {},
    maximum: () => {},
  };
  const spec = source(async function* () {
    yield batch(['a 1', 'a 2', 'a 61', 'b 60', 'a 5', 'c NaN'], 'more');
    yield batch(['a 61'], 'done', 1);
  });
  const withTimes = {
    ...spec,
    open: (config: unknown, context: Parameters<typeof spec.open>[1]) => {
      const opened = spec.open(config, context);
      const timeOf = (raw: unknown) => {
        const time = opened.timeOf(raw);
        return Number.isNaN(time) ? null : time;
      };
      return { ...opened, timeOf };
    },
  };
  const { registry, options: given } = options(withTimes, {
    history: {
      sink,
      stepMs: 60_000,
      onUntimed: (events) => untimed.push(events),
      settled: async () => void (settled += 1),
    },
  });
  const pipeline = startPipeline(given);
  await pipeline.done;
  t.same(counted.filter((line) => !line.includes(' 0 in')).sort(), [
    'a 1 in 1',
    'a 1 in 2',
    'a 1 in 2',
    'a 2 in 1',
    'b 1 in 2',
  ]);
  t.same(untimed, [1]);
  t.equal(settled, 2);
  t.notMatch(Object.keys(await show(registry)).join(), 'test_words', 'nothing of it is of now');
});

t.test('a source waits while nothing can be saved, but not at the end', async (t) => {
  const disk = new Disk();
  disk.failing = true;
  const { queue, readers, commit } = await queueRig(disk, { readers: [{ name: 'one' }], sources: [] });
  const stop = new AbortController();
  let given = 0;
  const big = 'x'.repeat(200_000);
  const spec = source(async function* () {
    for (; !stop.signal.aborted && given < 10_000; given++) yield batch([big], 'done', given);
  });
  const { options: whole } = options(spec, { queue, follow: true, signal: stop.signal });
  const pipeline = startPipeline(whole);
  let before = -1;
  while (before !== given) {
    before = given;
    commit('fails');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.ok(given > 10 && given < 200, `${given} are in memory`);
  const stuck = given;
  stop.abort();
  await pipeline.done;
  t.ok(given <= stuck + 1);
  commit();
  t.equal(readers.get('one')?.events, pipeline.status().events, 'all that counted comes into the queue');
});

t.test('whether a time is wanted', async (t) => {
  const range = { since: 10, until: 20 };
  t.same(
    [9, 10, 19, 20, null].map((time) => isWithin(time, range)),
    [false, true, true, false, true],
  );
  t.ok(isWithin(0, { since: null, until: null }));
});
