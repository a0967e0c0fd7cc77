import fc from 'fast-check';
import t from 'tap';
import { LABEL_VALUE_LIMIT } from '../../../src/core/metrics/labels.ts';
import { type NativeBuckets, NativeHistogram } from '../../../src/core/metrics/native.ts';
import { type ClassicHistogram, encodeFamily, type NumberMetric } from '../../../src/core/metrics/protobuf.ts';
import { type Fields, readFamilies, readFields, readPackedSints, readTime, unzigzag } from '../../support/protobuf.ts';

t.test('counters, with birth and exemplar', async (t) => {
  const metrics: readonly NumberMetric[] = [
    {
      labels: [
        ['stream', 'q"\\\n'],
        ['empty', ''],
        ['é', '花'],
      ],
      value: 2 ** 60,
      createdMs: 1_700_000_000_123.25,
      exemplar: { labels: [['trace', 'x']], value: 2, timeMs: 1_700_000_001_000 },
    },
    { labels: [], value: 0 },
    { labels: [], value: Number.NaN, createdMs: Number.NaN, exemplar: { labels: [], value: 1 } },
    { labels: [], value: 1, createdMs: -1 },
  ];
  const bytes = Buffer.concat([...encodeFamily({ name: 'a_total', help: 'Hé\n', type: 'counter' }, metrics)]);
  t.same(readFamilies(bytes), [
    {
      name: 'a_total',
      help: 'Hé\n',
      type: 0,
      metrics: [
        {
          labels: [
            ['stream', 'q"\\\n'],
            ['é', '花'],
          ],
          value: 2 ** 60,
          created: 1_700_000_000_123.25,
          exemplar: { labels: [['trace', 'x']], value: 2, time: 1_700_000_001_000 },
        },
        { labels: [], value: 0 },
        { labels: [], value: Number.NaN, exemplar: { labels: [], value: 1 } },
        { labels: [], value: 1 },
      ],
    },
  ]);
});

t.test('gauges show neither birth nor exemplar', async (t) => {
  const metric = { labels: [], value: Number.NEGATIVE_INFINITY, createdMs: 1, exemplar: { labels: [], value: 1 } };
  const bytes = Buffer.concat([...encodeFamily({ name: 'g', help: '', type: 'gauge' }, [metric])]);
  t.same(readFamilies(bytes), [
    { name: 'g', help: '', type: 1, metrics: [{ labels: [], value: Number.NEGATIVE_INFINITY }] },
  ]);
});

t.test('a unit is given where the name ends in it', async (t) => {
  const unitOf = (name: string, type: 'counter' | 'gauge', unit: string) => {
    const [bytes] = encodeFamily({ name, help: '', type, unit }, [{ labels: [], value: 1 }]);
    return readFamilies(bytes!)[0]?.unit;
  };
  t.equal(unitOf('wait_seconds', 'gauge', 'seconds'), 'seconds');
  t.equal(unitOf('wait_seconds_total', 'counter', 'seconds'), 'seconds');
  t.equal(unitOf('wait_seconds_total', 'gauge', 'seconds'), undefined);
  t.equal(unitOf('waitseconds', 'gauge', 'seconds'), undefined);
  t.equal(unitOf('wait', 'gauge', ''), undefined);
});

/** The one histogram of an exposition. */
function histogramOf(bytes: Buffer): Fields {
  return readFamilies(bytes)[0]?.metrics[0]?.histogram ?? new Map();
}

t.test('classic histograms', async (t) => {
  const metric: ClassicHistogram = {
    labels: [],
    bounds: [0.1, 1],
    counts: Float64Array.of(1, 0, 300),
    sum: 12.5,
    createdMs: 1e12,
  };
  const [bytes] = encodeFamily({ name: 'h', help: '', type: 'histogram' }, [metric]);
  const fields = histogramOf(bytes!);
  const buckets = (fields.get(3) ?? []).map((bucket) => readFields(bucket as Buffer));
  t.same(
    buckets.map((bucket) => [bucket.get(1)?.[0], bucket.get(2)?.[0]]),
    [
      [1n, 0.1],
      [1n, 1],
    ],
    'cumulative, and without infinity',
  );
  t.equal(fields.get(1)?.[0], 301n);
  t.equal(fields.get(2)?.[0], 12.5);
  t.equal(readTime(fields.get(15)?.[0] ?? 0), 1e12);
  t.equal(fields.get(5), undefined, 'no schema');
  const broken = { ...metric, counts: [0.5] };
  t.throws(() => [...encodeFamily({ name: 'h', help: '', type: 'histogram' }, [broken])], {
    message: 'field 1: found 0.5, wanted an integer from 0 to 2^53 - 1',
  });
});

/** Buckets of spans and deltas, as a decoder makes them of them. */
function readBuckets(fields: Fields, spanField: number, deltaField: number): Map<number, number> {
  const deltas = readPackedSints(fields.get(deltaField)?.[0]);
  const buckets = new Map<number, number>();
  let [index, count, at] = [0, 0, 0];
  for (const span of fields.get(spanField) ?? []) {
    const read = readFields(span as Buffer);
    index += unzigzag(read.get(1)?.[0]);
    for (let i = 0; i < Number(read.get(2)?.[0]); i++, index++) {
      count += deltas[at++] ?? Number.NaN;
      if (count !== 0) buckets.set(index, count);
    }
  }
  if (at !== deltas.length) throw new Error(`${deltas.length} deltas for ${at} buckets`);
  return buckets;
}

function encodeNative(native: NativeBuckets): Fields {
  const [bytes] = encodeFamily({ name: 'n', help: '', type: 'histogram' }, [{ labels: [], native, createdMs: 5_000 }]);
  return histogramOf(bytes!);
}

t.test('native histograms', async (t) => {
  const native = {
    schema: -3,
    zeroThreshold: 0.25,
    zeroCount: 7,
    sum: Number.NaN,
    positive: new Map([
      [12, 4],
      [-7, 2 ** 51],
      [8, 3],
      [5, 1],
    ]),
    negative: new Map([[0, 1]]),
  };
  const fields = encodeNative(native);
  t.equal(fields.get(1)?.[0], BigInt(2 ** 51 + 16), 'count of all');
  t.ok(Number.isNaN(fields.get(2)?.[0]));
  t.equal(unzigzag(fields.get(5)?.[0]), -3);
  t.equal(fields.get(6)?.[0], 0.25);
  t.equal(fields.get(7)?.[0], 7n);
  t.equal(fields.get(12)?.length, 3, 'a gap of two is bridged, one of three is not');
  t.same(readBuckets(fields, 12, 13), native.positive);
  t.same(readBuckets(fields, 9, 10), native.negative);
  t.equal(readTime(fields.get(15)?.[0] ?? 0), 5_000);

  const empty = encodeNative({ ...native, zeroThreshold: 0, zeroCount: 0, positive: new Map(), negative: new Map() });
  t.same(
    (empty.get(12) ?? []).map((span) => readFields(span as Buffer)),
    [
      new Map([
        [1, [0n]],
        [2, [0n]],
      ]),
    ],
    'one without anything is marked as native',
  );
  t.equal(encodeNative(new NativeHistogram()).get(12), undefined, 'a zero bucket is mark enough');
});

t.test('any native histogram is read back', async () => {
  const index = fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -275_200, max: 262_145 }));
  const count = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 44 }));
  const buckets = fc.array(fc.tuple(index, count), { maxLength: 160 }).map((pairs) => new Map(pairs));
  fc.assert(
    fc.property(buckets, buckets, (positive, negative) => {
      const fields = encodeNative({ schema: 8, zeroThreshold: 0, zeroCount: 1, sum: 1, positive, negative });
      const same = (found: Map<number, number>, wanted: Map<number, number>) =>
        found.size === wanted.size && [...wanted].every(([at, count]) => found.get(at) === count);
      if (!same(readBuckets(fields, 12, 13), positive) || !same(readBuckets(fields, 9, 10), negative)) {
        throw new Error('not the same');
      }
    }),
  );
});

t.test('a big family comes in pieces, each a family for itself', async (t) => {
  let made = 0;
  function* metrics(): Generator<NumberMetric> {
    for (; made < 2_000; made++) yield { labels: [['i', String(made)]], value: made };
  }
  const pieces: Buffer[] = [];
  for (const piece of encodeFamily({ name: 'a_total', help: 'h', type: 'counter' }, metrics(), 4_096)) {
    if (pieces.length === 0) t.ok(made < 300, 'nothing is asked for ahead of time');
    t.ok(piece.length < 4_096 + 100);
    pieces.push(piece);
  }
  const families = pieces.map((piece) => readFamilies(piece));
  t.ok(families.length > 5);
  t.ok(families.every((list) => list.length === 1 && list[0]?.name === 'a_total' && list[0].help === 'h'));
  const shown = families.flatMap(([family]) => family?.metrics.map(({ value }) => value));
  t.same(
    shown,
    Array.from({ length: 2_000 }, (_, i) => i),
    'all of them, in their order',
  );
  t.same([...encodeFamily({ name: 'a', help: '', type: 'gauge' }, [])], [], 'nothing of nothing');
});

t.test('hostile values are bounded and well-formed', async (t) => {
  const labels = [
    ['a', 'x'.repeat(100_000)],
    ['b', '\ud800'],
    ['c', '\0'],
  ] as const;
  const bytes = Buffer.concat([...encodeFamily({ name: 'g', help: '', type: 'gauge' }, [{ labels, value: 1 }])]);
  const shown = readFamilies(bytes)[0]?.metrics[0]?.labels ?? [];
  t.equal(shown[0]?.[1].length, LABEL_VALUE_LIMIT);
  t.same(shown.slice(1), [
    ['b', '\ufffd'],
    ['c', '\0'],
  ]);
});
