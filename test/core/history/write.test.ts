import t, { type Test } from 'tap';
import { Past } from '../../../src/core/history/history.ts';
import { type Steps, sizeOfPast, writePast } from '../../../src/core/history/write.ts';
import { counter, histogram, maximum } from '../../../src/core/metrics/define.ts';
import { folder } from '../../support/cli.ts';
import { type History, parseHistory } from '../../support/strict-history.ts';

const WORDS = counter('test_words_total', 'Words, "quoted".', ['word']);
const ALL = counter('test_all_total', 'All.', []);
const SECONDS = histogram('test_seconds', 'Time.', ['kind'], [0.5, 2]);
const LONGEST = maximum('test_longest', 'The longest.', ['kind']);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function open(t: Test): Past {
  const past = new Past({ limitOf: () => 100, folder: folder(t) });
  t.teardown(() => past.close());
  return past;
}

const staged = (step: number, value: number, events = 1) => ({ step, value, events, isOver: false });

function written(t: Test, past: Past, steps: Steps): { text: string; history: History } {
  const pieces = [...writePast(past, steps)];
  const text = pieces.map((piece) => piece.text).join('');
  const history = parseHistory(text);
  const samples = [...history.series.values()].reduce((sum, points) => sum + points.length, 0);
  t.equal(pieces.at(-1)?.samples, samples);
  const size = sizeOfPast(past, steps);
  t.ok(size.samples >= samples, `${size.samples} at most`);
  t.ok(size.bytes <= text.length, `${size.bytes} bytes at least`);
  return { text, history };
}

t.test('a counter: 0 before its first value, then its total at each step, up to the end', async (t) => {
  const past = open(t);
  const sink = past.sink([]);
  sink.counter(ALL, {}, staged(10, 2));
  sink.counter(WORDS, { word: 'a"b\\c\nd' }, staged(12, 0.5));
  sink.counter(WORDS, { word: 'known' }, staged(0, 0, 0));
  sink.counter(ALL, {}, staged(13, 1));
  const { text } = written(t, past, { stepMs: MINUTE, until: 15 * MINUTE });
  t.equal(
    text,
    [
      '# HELP test_all All.',
      '# TYPE test_all counter',
      ...[0, 2, 2, 2, 3, 3, 3].map((value, index) => `test_all_total ${value} ${(9 + index) * 60}`),
      '# HELP test_words Words, \\"quoted\\".',
      '# TYPE test_words counter',
      ...[0, 0.5, 0.5, 0.5, 0.5].map(
        (value, index) => `test_words_total{word="a\\"b\\\\c\\nd"} ${value} ${(11 + index) * 60}`,
      ),
      ...[0, 0, 0, 0, 0, 0, 0].map((value, index) => `test_words_total{word="known"} ${value} ${(9 + index) * 60}`),
      '# EOF',
      '',
    ].join('\n'),
  );
});

t.test('the last sample is of the end itself, where that is within a step', async (t) => {
  const past = open(t);
  past.sink([]).counter(ALL, {}, staged(3, 1));
  const { history } = written(t, past, { stepMs: 1_500, until: 4_250 });
  t.same(
    [...history.series.values()],
    [
      [
        [3, 0],
        [4.25, 1],
      ],
    ],
  );
});

t.test('what lies behind the end is counted at the end', async (t) => {
  const past = open(t);
  const sink = past.sink([]);
  sink.counter(ALL, {}, staged(3, 1));
  sink.counter(ALL, {}, staged(9, 1));
  sink.counter(WORDS, { word: 'late' }, staged(9, 1));
  const { history } = written(t, past, { stepMs: 1_000, until: 4_000 });
  t.same(Object.fromEntries(history.series), {
    test_all_total: [
      [2, 0],
      [3, 1],
      [4, 2],
    ],
    'test_words_total [["word","late"]]': [
      [3, 0],
      [4, 1],
    ],
  });
});

t.test('a histogram', async (t) => {
  const past = open(t);
  const sink = past.sink([['source', 'edge']]);
  const observed = (step: number, ...counts: number[]) =>
    sink.histogram(
      SECONDS,
      { kind: '' },
      { step, counts: Float64Array.from(counts), native: null, events: 1, isOver: false },
    );
  observed(2, 1, 1, 0, 1.75);
  observed(3, 0, 0, 1, 5);
  const { text } = written(t, past, { stepMs: 1_000, until: 3_000 });
  const at = (time: number, [half, two, all, sum]: readonly [number, number, number, number]) => [
    `test_seconds_bucket{source="edge",le="0.5"} ${half} ${time}`,
    `test_seconds_bucket{source="edge",le="2.0"} ${two} ${time}`,
    `test_seconds_bucket{source="edge",le="+Inf"} ${all} ${time}`,
    `test_seconds_count{source="edge"} ${all} ${time}`,
    `test_seconds_sum{source="edge"} ${sum} ${time}`,
  ];
  t.equal(
    text,
    [
      '# HELP test_seconds Time.',
      '# TYPE test_seconds histogram',
      '# UNIT test_seconds seconds',
      ...at(1, [0, 0, 0, 0]),
      ...at(2, [1, 2, 2, 1.75]),
      ...at(3, [1, 2, 3, 6.75]),
      '# EOF',
      '',
    ].join('\n'),
  );
});

/** Times in minutes and values of the only series. */
function maxima(t: Test, minutes: Readonly<Record<number, number>>, steps: Steps) {
  const past = open(t);
  for (const [slot, value] of Object.entries(minutes)) {
    past.sink([]).maximum(LONGEST, { kind: 'x' }, { slot: Number(slot), value, events: 1, isOver: false });
  }
  const [points = []] = written(t, past, steps).history.series.values();
  return points.map(([time, value]) => [time / 60, value]);
}

t.test('a maximum: the greatest of the last hour, and nothing where there is none', async (t) => {
  const found = maxima(t, { 100: 5, 103: 9, 110: 7, 300: 1 }, { stepMs: MINUTE, until: 302 * MINUTE });
  const wanted = Array.from({ length: 302 }, (_, index) => index + 1).flatMap((time) => {
    const values = [
      [100, 5],
      [103, 9],
      [110, 7],
      [300, 1],
    ].flatMap(([slot = 0, value = 0]) => (slot < time && slot >= time - 60 ? [value] : []));
    return values.length > 0 ? [[time, Math.max(...values)]] : [];
  });
  t.same(found, wanted);
  t.same(found.at(0), [101, 5]);
  t.equal(found.length, 70 + 2);
});

t.test('a maximum at the end, within a minute', async (t) => {
  const found = maxima(t, { 100: 5, 101: 3 }, { stepMs: 30_000, until: 101.25 * MINUTE });
  t.same(found, [
    [101, 5],
    [101.25, 5],
  ]);
});

t.test('a maximum where steps are long: of all since the sample before', async (t) => {
  const day = 24 * 60;
  const minutes = { [10 * day]: 5, [10 * day + 300]: 9, [11 * day + 1]: 2, [13 * day + 700]: 4 };
  t.same(maxima(t, minutes, { stepMs: 24 * HOUR, until: 14 * 24 * HOUR }), [
    [11 * day, 9],
    [12 * day, 2],
    [14 * day, 4],
  ]);
});

t.test('nothing at all', async (t) => {
  const past = open(t);
  past.sink([]).counter(WORDS, { word: 'known' }, staged(0, 0, 0));
  const { text } = written(t, past, { stepMs: MINUTE, until: 15 * MINUTE });
  t.equal(text, '# EOF\n');
});

t.test('much comes in pieces', async (t) => {
  const past = open(t);
  const sink = past.sink([]);
  for (let word = 0; word < 20; word++) sink.counter(WORDS, { word: `${word}` }, staged(1 + word, 1));
  const steps = { stepMs: 1_000, until: 5_000_000 };
  let longest = 0;
  let before = 0;
  for (const { text, samples } of writePast(past, steps)) {
    longest = Math.max(longest, text.length);
    t.ok(samples >= before);
    before = samples;
  }
  t.ok(longest < 300_000, `${longest} characters`);
  t.equal(before, 20 * 5_001 - 190);
});
