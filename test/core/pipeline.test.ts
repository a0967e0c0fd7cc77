import { pino } from 'pino';
import t from 'tap';
import { z } from 'zod';
import { NO_ADDRESSES } from '../../src/core/addresses.ts';
import { counter } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { type PipelineOptions, startPipeline } from '../../src/core/pipeline.ts';
import { savedSource } from '../../src/core/saved-source.ts';
import {
  type Batch,
  defineSource,
  type OpenedSource,
  type SavedEntries,
  type SourceContext,
} from '../../src/core/source.ts';
import { sourceLabel } from '../../src/core/source-label.ts';
import { MemoryCells } from '../support/cells.ts';
import { show } from '../support/exposition.ts';

const METRICS = { words: counter('test_words_total', 'Words.', ['word']) };

interface Word {
  readonly word: string;
}

type Read = (position: unknown, context: SourceContext<typeof METRICS>) => AsyncGenerator<Batch<string>>;

/** A source of words: `bad` is refused, a blank is no event. */
function words(read: Read, memory: Partial<OpenedSource<string, Word>> = {}) {
  return defineSource<unknown, typeof METRICS, string, Word>({
    type: 'test',
    summary: 'Words.',
    replay: 'Read again.',
    config: z.unknown(),
    metrics: METRICS,
    open: (_config, context) => ({
      read: (position) => read(position, context),
      parse: (raw) => (raw === '' ? null : raw === 'bad' ? { rejected: 'bad_word' } : { word: raw }),
      observe: ({ word }) => context.metrics.words.inc({ word }),
      timeOf: () => 5_000,
      event: ({ word }) => ({ id: word, time: 0, source: 'test', action: word, outcome: 'ok', data: {} }),
      excerpt: (raw) => raw,
      ...memory,
    }),
    split: () => [],
    check: async function* () {},
  });
}

function options(read: Read, more: Partial<PipelineOptions> = {}) {
  const registry = new Registry({ seriesLimit: 100 });
  const logged: { msg: string; reason?: string; detail?: string; problem?: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const whole: PipelineOptions = {
    name: 'test',
    spec: words(read),
    config: {},
    registry,
    log,
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
  return { registry, logged, options: whole };
}

t.test('items are counted as what they are', async (t) => {
  const {
    registry,
    logged,
    options: given,
  } = options(async function* () {
    yield { items: ['a', '', 'bad', 'b', 'bad', 'a'], position: 1, bytes: 60, rejected: { too_long: 2 } };
  });
  const pipeline = startPipeline(given);
  await pipeline.done;
  const shown = await show(registry);
  t.match(shown, {
    'test_words_total{word="a"}': 2,
    'test_words_total{word="b"}': 1,
    'trailgauge_source_items_total{source="test"}': 8,
    'trailgauge_source_events_total{source="test"}': 3,
    'trailgauge_source_bytes_total{source="test"}': 60,
    'trailgauge_source_rejected_total{source="test",reason="bad_word"}': 2,
    'trailgauge_source_rejected_total{source="test",reason="too_long"}': 2,
    'trailgauge_source_duplicates_total{source="test"}': 0,
    'trailgauge_source_errors_total{source="test"}': 0,
    'trailgauge_source_last_event_timestamp_seconds{source="test"}': 5,
    'trailgauge_source_lag_seconds{source="test"}': 2,
  });
  t.same(
    logged.map(({ reason }) => reason),
    ['bad_word', 'too_long'],
    'each reason is logged once a minute',
  );
  t.same(pipeline.takeCells(), [[['position', 'test'], 1]]);
  t.same(pipeline.takeCells(), []);
  t.match(pipeline.status(), { state: 'ended', events: 3, rejected: 4, lag: 2, lastEvent: 5_000 });
});

t.test('what a source counts by itself counts as what was handed over, where nobody looks meanwhile', async (t) => {
  const nothing = () => {};
  const sink = { counter: nothing, histogram: nothing, maximum: nothing };
  const history = { sink, stepMs: 60_000, onUntimed: nothing, settled: async () => {} };
  for (const [how, wanted] of [
    [{ follow: false }, true],
    [{ follow: true }, false],
    [{ follow: false, history }, false],
  ] as const) {
    const stop = new AbortController();
    const { registry, options: given } = options(
      async function* (_position, { mayPass }) {
        t.equal(mayPass, wanted);
        let passed = 0;
        const items = (function* () {
          yield 'a';
          passed = 3;
        })();
        yield { items, position: 1, bytes: 8, passed: () => passed };
        stop.abort();
      },
      { ...how, signal: stop.signal },
    );
    await startPipeline(given).done;
    t.match(await show(registry), {
      'trailgauge_source_items_total{source="test"}': 4,
      'trailgauge_source_events_total{source="test"}': 4,
    });
  }
});

t.test('reading goes on from the last position after a failure', async (t) => {
  const stop = new AbortController();
  const positions: unknown[] = [];
  const {
    registry,
    logged,
    options: given,
  } = options(
    async function* (position) {
      positions.push(position);
      if (positions.length === 2) throw new Error('second time');
      yield { items: ['a'], position: `after ${positions.length}`, bytes: 1 };
      if (positions.length === 1) throw new Error('first time');
      stop.abort();
    },
    { follow: true, signal: stop.signal },
  );
  const pipeline = startPipeline(given);
  await pipeline.ready;
  await pipeline.done;
  t.same(positions, [null, 'after 1', 'after 1']);
  const shown = await show(registry);
  t.equal(shown['test_words_total{word="a"}'], 2);
  t.equal(shown['trailgauge_source_errors_total{source="test"}'], 2);
  t.match(
    logged.flatMap(({ detail }) => detail ?? []),
    ['cannot read: first time', 'cannot read: second time'],
  );
  t.match(pipeline.status().lastError, { text: 'cannot read: second time', time: 7_000 });
});

t.test('one pass that fails is a failure', async (t) => {
  const { options: given } = options(async function* () {
    yield { items: [], position: null, bytes: 0 };
    throw new Error('gone');
  });
  await t.rejects(startPipeline(given).done, { message: 'gone' });
});

t.test('a problem is told once and makes the source wait', async (t) => {
  const stop = new AbortController();
  let goOn = () => {};
  const paused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const {
    registry,
    logged,
    options: given,
  } = options(
    async function* (_position, { report }) {
      report.problem('no file');
      report.problem('no file');
      await paused;
      report.problem(null);
      yield { items: ['a'], position: 1, bytes: 1 };
      stop.abort();
    },
    { follow: true, signal: stop.signal },
  );
  const pipeline = startPipeline(given);
  await pipeline.ready;
  t.match(pipeline.status(), { state: 'waiting', problem: 'no file' });
  t.equal((await show(registry))['trailgauge_source_up{source="test"}'], 0);
  t.same(
    logged.map(({ problem }) => problem),
    ['no file'],
  );
  goOn();
  await pipeline.done;
  t.equal((await show(registry))['test_words_total{word="a"}'], 1);
});

t.test('a source that tells when it can be read is not taken to be by its items', async (t) => {
  const ups: unknown[] = [];
  const read: Read = async function* (_position, { report }) {
    const up = async () => ups.push((await show(given.registry))['trailgauge_source_up{source="test"}']);
    yield { items: [], position: 1, bytes: 0 };
    await up();
    yield { items: ['a'], position: 2, bytes: 1 };
    await up();
    report.problem(null);
    await up();
    report.problem('it is away');
    yield { items: ['b'], position: 3, bytes: 1 };
    await up();
    report.problem(null);
    await up();
  };
  const given = options(read, { spec: { ...words(read), tellsUp: true } });
  await startPipeline(given.options).done;
  t.same(ups, [0, 0, 1, 0, 1]);
});

t.test('position and memory are saved together, and given back', async (t) => {
  const disk = new MemoryCells();
  const restored: SavedEntries[] = [];
  const positions: unknown[] = [];
  const changes: SavedEntries[] = [
    [
      ['a', 1],
      ['', { deep: [2] }],
      ['gone', 3],
    ],
    [['gone', undefined]],
    [],
  ];
  for (const name of ['test', 'test', 'test/other']) {
    const read: Read = async function* (position) {
      positions.push(position);
      yield { items: ['a'], position: { at: positions.length }, bytes: 1 };
    };
    const memory = {
      changes: () => changes.shift() ?? [],
      restore: (saved: SavedEntries) => void restored.push(saved),
    };
    const { options: given } = options(read, {
      name,
      spec: words(read, memory),
      saved: savedSource(disk.load(), name),
    });
    const pipeline = startPipeline(given);
    await pipeline.done;
    disk.save(pipeline.takeCells());
    disk.save(pipeline.takeCells());
  }
  t.same(positions, [null, { at: 1 }, null], 'a source by another name is another one');
  t.same(
    restored.map((entries) => Object.fromEntries(entries)),
    [{}, { a: 1, '': { deep: [2] } }, {}],
  );
  t.same(savedSource(disk.load(), 'test').position, { at: 2 });
  t.same(savedSource(disk.load(), 'test/other').position, { at: 3 });
});

t.test('a named source has its name as a label', async (t) => {
  t.same(sourceLabel('reaction'), { label: 'reaction', constant: [] });
  t.same(sourceLabel('reaction/edge'), { label: 'edge', constant: [['source', 'edge']] });
});
