import { ProtobufWriter } from '../../lib/protobuf-writer.ts';
import { boundValue, LABEL_VALUE_LIMIT, type Label } from './labels.ts';
import { type NativeBuckets, sortedBuckets } from './native.ts';

/** What an exposition in protobuf is made of. Names are as the scraper shall see them: see `names.ts`. */
export interface Exemplar {
  readonly labels: readonly Label[];
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timeMs?: number;
}

/** A counter or a gauge; the latter shows neither birth nor exemplar. */
export interface NumberMetric {
  readonly labels: readonly Label[];
  readonly value: number;
  /** When it began to count, in milliseconds since 1970. */
  readonly createdMs?: number;
  readonly exemplar?: Exemplar | undefined;
}

export interface ClassicHistogram {
  readonly labels: readonly Label[];
  /** Upper bounds in rising order, without infinity. */
  readonly bounds: readonly number[];
  /** What each bucket alone counted; one more than there are bounds. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
  readonly createdMs?: number;
  /** By bucket. */
  readonly exemplars?: readonly (Exemplar | undefined)[] | undefined;
}

export interface NativeMetric {
  readonly labels: readonly Label[];
  readonly native: NativeBuckets;
  readonly createdMs?: number;
}

/** The shape of the metrics of a family, by its type. */
export interface MetricShapes {
  readonly counter: NumberMetric;
  readonly gauge: NumberMetric;
  readonly histogram: ClassicHistogram | NativeMetric;
}

export interface FamilyHead<T extends keyof MetricShapes> {
  /** With `_total` for counters. */
  readonly name: string;
  readonly help: string;
  readonly type: T;
  /** Left out where the name does not end in it, as Prometheus refuses the whole scrape for that. */
  readonly unit?: string;
}

/** Bytes after which a family goes on in a further message. */
const PIECE_BYTES = 64 * 1024;

/**
 * A family as messages `io.prometheus.client.MetricFamily`, each with its length before it
 * (github.com/prometheus/client_model, `metrics.proto`), put one after the other into the answer.
 *
 * A big family is split into several messages with the same head: Prometheus, like the decoder of prometheus/common,
 * takes each for itself. So no piece is much longer than `pieceBytes`, and a pause between two pieces gives the event
 * loop its turn. A metric is read before the next is asked for, so that they may all be one object, filled anew. A family
 * without metrics gives nothing. Labels with an empty value are left out. Throws if a count is no integer from 0 to 2^52.
 */
export function* encodeFamily<T extends keyof MetricShapes>(
  family: FamilyHead<T>,
  metrics: Iterable<MetricShapes[T]>,
  pieceBytes: number = PIECE_BYTES,
): Generator<Buffer, void, undefined> {
  const out = new ProtobufWriter();
  const write: (out: ProtobufWriter, metric: MetricShapes[T]) => void = WRITERS[family.type];
  writeHead(out, family);
  const head = out.length;
  for (const metric of metrics) {
    const start = out.open(4);
    for (const label of metric.labels) writeLabel(out, label);
    write(out, metric);
    out.close(start);
    if (out.length < pieceBytes) continue;
    yield out.delimited();
    out.truncate(head);
  }
  if (out.length > head) yield out.delimited();
}

const TYPES: { readonly [T in keyof MetricShapes]: number } = { counter: 0, gauge: 1, histogram: 4 };
const WRITERS: { readonly [T in keyof MetricShapes]: (out: ProtobufWriter, metric: MetricShapes[T]) => void } = {
  counter: writeCounter,
  gauge: writeGauge,
  histogram: (out, metric) => ('native' in metric ? writeNative(out, metric) : writeClassic(out, metric)),
};

function writeHead(out: ProtobufWriter, { name, help, type, unit }: FamilyHead<keyof MetricShapes>): void {
  out.string(1, name);
  out.string(2, help);
  out.uint(3, TYPES[type]);
  const base = type === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
  if (unit && base.endsWith(`_${unit}`)) out.string(5, unit);
}

function writeLabel(out: ProtobufWriter, label: Label): void {
  // Most of the time goes here: taken apart as a pattern, a label costs nearly twice as much.
  const value = label[1];
  if (value === '') return;
  const start = out.open(1);
  out.string(1, label[0]);
  out.string(2, value.length > LABEL_VALUE_LIMIT ? boundValue(value) : value);
  out.close(start);
}

function writeGauge(out: ProtobufWriter, { value }: NumberMetric): void {
  const start = out.open(2);
  out.double(1, value);
  out.close(start);
}

function writeCounter(out: ProtobufWriter, { value, createdMs, exemplar }: NumberMetric): void {
  const start = out.open(3);
  out.double(1, value);
  if (exemplar) writeExemplar(out, 2, exemplar);
  writeTime(out, 3, createdMs);
  out.close(start);
}

function writeExemplar(out: ProtobufWriter, field: number, { labels, value, timeMs }: Exemplar): void {
  const start = out.open(field);
  for (const label of labels) writeLabel(out, label);
  out.double(2, value);
  writeTime(out, 3, timeMs);
  out.close(start);
}

function writeClassic(out: ProtobufWriter, { bounds, counts, sum, createdMs, exemplars }: ClassicHistogram): void {
  const start = out.open(7);
  let count = 0;
  for (let i = 0; i <= bounds.length; i++) {
    count += counts[i] ?? 0;
    const exemplar = exemplars?.[i];
    // The bucket of infinity is the count of all, and need not be written unless there is more to tell of it.
    if (i === bounds.length && !exemplar) break;
    const bucket = out.open(3);
    out.uint(1, count);
    out.double(2, bounds[i] ?? Number.POSITIVE_INFINITY);
    if (exemplar) writeExemplar(out, 3, exemplar);
    out.close(bucket);
  }
  out.uint(1, count);
  out.double(2, sum);
  writeTime(out, 15, createdMs);
  out.close(start);
}

function writeNative(out: ProtobufWriter, { native, createdMs }: NativeMetric): void {
  const { schema, zeroThreshold, zeroCount, sum, positive, negative } = native;
  const start = out.open(7);
  let count = zeroCount;
  for (const buckets of [positive, negative]) for (const each of buckets.values()) count += each;
  out.uint(1, count);
  out.double(2, sum);
  out.sint(5, schema);
  out.double(6, zeroThreshold);
  out.uint(7, zeroCount);
  writeBuckets(out, { buckets: negative, spanField: 9, deltaField: 10 });
  writeBuckets(out, { buckets: positive, spanField: 12, deltaField: 13 });
  // Without anything in it and with nothing for zero it would be taken for a classic one.
  if (zeroThreshold === 0 && count === 0) writeSpan(out, 12, { offset: 0, length: 0 });
  writeTime(out, 15, createdMs);
  out.close(start);
}

interface Span {
  /** Buckets since the end of the span before; of the first, its index. */
  readonly offset: number;
  length: number;
}

/** Longest gap that is bridged by empty buckets, which is shorter than a new span; as in client_golang. */
const BRIDGE = 2;

function writeBuckets(
  out: ProtobufWriter,
  fields: { buckets: ReadonlyMap<number, number>; spanField: number; deltaField: number },
): void {
  const { buckets, spanField, deltaField } = fields;
  if (buckets.size === 0) return;
  const spans: Span[] = [];
  const deltas: number[] = [];
  let span: Span | undefined;
  let before = 0;
  let next = 0;
  for (const [index, count] of sortedBuckets(buckets)) {
    const gap = index - next;
    if (!span || gap > BRIDGE) {
      span = { offset: gap, length: 0 };
      spans.push(span);
    } else {
      for (let i = 0; i < gap; i++, before = 0) deltas.push(-before);
      span.length += gap;
    }
    deltas.push(count - before);
    span.length += 1;
    before = count;
    next = index + 1;
  }
  for (const each of spans) writeSpan(out, spanField, each);
  out.packedSints(deltaField, deltas);
}

function writeSpan(out: ProtobufWriter, field: number, { offset, length }: Span): void {
  const start = out.open(field);
  out.sint(1, offset);
  out.uint(2, length);
  out.close(start);
}

/** A `google.protobuf.Timestamp`; what is no time after 1970 is left out. */
function writeTime(out: ProtobufWriter, field: number, ms: number | undefined): void {
  if (ms === undefined || !(ms >= 0 && ms <= 8.64e15)) return;
  const start = out.open(field);
  const seconds = Math.floor(ms / 1_000);
  out.uint(1, seconds);
  out.uint(2, Math.min(Math.round((ms - seconds * 1_000) * 1e6), 999_999_999));
  out.close(start);
}
