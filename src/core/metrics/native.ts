/** Resolutions that a native histogram may have. Each power of two has `2^schema` buckets. */
export const MIN_SCHEMA = -4;
export const MAX_SCHEMA = 8;
/** Most buckets that a histogram holds, besides the zero bucket. */
export const BUCKET_LIMIT = 160;
/** Values no further from 0 than this, 2^-128, fall in the zero bucket, as in client_golang. */
export const ZERO_THRESHOLD: number = 2 ** -128;

/** A native histogram: what a `Map` of bucket index to count holds is not cumulative. */
export interface NativeBuckets {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: ReadonlyMap<number, number>;
  readonly negative: ReadonlyMap<number, number>;
}

/** A histogram as plain data, for the state. Buckets are pairs of index and count. */
export interface SavedNative {
  readonly schema: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: readonly (readonly [index: number, count: number])[];
  readonly negative: readonly (readonly [index: number, count: number])[];
}

/**
 * The bucket of a value by its magnitude: bucket `i` takes what is above `2^((i-1)·2^-schema)` and at most
 * `2^(i·2^-schema)` (https://prometheus.io/docs/specs/native_histograms). Infinity falls in the bucket after that of
 * the largest number, as in client_golang. Throws for 0 and NaN, which have none, and for a schema out of -4 to 8.
 */
export function nativeBucket(value: number, schema: number): number {
  checkSchema(schema);
  const magnitude = Math.abs(value);
  if (!(magnitude > 0)) throw new Error(`found ${value}, wanted a number that has a bucket: neither 0 nor NaN`);
  if (magnitude === Number.POSITIVE_INFINITY) return nativeBucket(Number.MAX_VALUE, schema) + 1;
  const { fraction, exponent } = split(magnitude);
  if (schema > 0) return (exponent - 1) * 2 ** schema + firstNotBelow(fraction, schema);
  // A power of two is the upper bound of its bucket.
  return Math.ceil((fraction === 0.5 ? exponent - 1 : exponent) / 2 ** -schema);
}

/**
 * Counts values in buckets whose number is bounded: when a new one makes more than 160, the resolution is halved, as
 * Prometheus understands without taking it for a reset. The zero threshold is so wide that 160 always do in the end.
 */
export class NativeHistogram implements NativeBuckets {
  readonly zeroThreshold = ZERO_THRESHOLD;
  #schema: number;
  #zeroCount = 0;
  #sum = 0;
  #positive = new Map<number, number>();
  #negative = new Map<number, number>();

  /** `schema` is the resolution to begin with; 3 makes each bucket 9 % wider than the one before. */
  constructor(schema = 3) {
    checkSchema(schema);
    this.#schema = schema;
  }

  /** The histogram that was saved; throws if the data cannot be one. */
  static restore(saved: SavedNative): NativeHistogram {
    const histogram = new NativeHistogram(saved.schema);
    histogram.#zeroCount = checkCount(saved.zeroCount);
    histogram.#sum = saved.sum;
    if (saved.positive.length + saved.negative.length > BUCKET_LIMIT) {
      throw new Error(`found ${saved.positive.length + saved.negative.length} buckets, wanted at most ${BUCKET_LIMIT}`);
    }
    for (const [index, count] of saved.positive) histogram.#positive.set(checkIndex(index), checkCount(count));
    for (const [index, count] of saved.negative) histogram.#negative.set(checkIndex(index), checkCount(count));
    return histogram;
  }

  get schema(): number {
    return this.#schema;
  }

  get zeroCount(): number {
    return this.#zeroCount;
  }

  get sum(): number {
    return this.#sum;
  }

  get positive(): ReadonlyMap<number, number> {
    return this.#positive;
  }

  get negative(): ReadonlyMap<number, number> {
    return this.#negative;
  }

  /** Counts a value `times` times. NaN is not counted: it would make the sum NaN for ever. */
  observe(value: number, times = 1): void {
    if (Number.isNaN(value) || !(times > 0)) return;
    this.#sum += value * times;
    if (Math.abs(value) <= ZERO_THRESHOLD) {
      this.#zeroCount += times;
      return;
    }
    const buckets = value > 0 ? this.#positive : this.#negative;
    const index = nativeBucket(value, this.#schema);
    const count = buckets.get(index);
    buckets.set(index, (count ?? 0) + times);
    if (count === undefined) this.#limit();
  }

  /** Adds what another one counted. */
  add(other: NativeHistogram): void {
    let [positive, negative] = [other.#positive, other.#negative];
    for (let schema = other.#schema; schema > this.#schema; schema--) {
      positive = halved(positive);
      negative = halved(negative);
    }
    while (this.#schema > other.#schema) this.#halve();
    for (const [index, count] of positive) this.#positive.set(index, (this.#positive.get(index) ?? 0) + count);
    for (const [index, count] of negative) this.#negative.set(index, (this.#negative.get(index) ?? 0) + count);
    this.#zeroCount += other.#zeroCount;
    this.#sum += other.#sum;
    this.#limit();
  }

  /** The histogram as plain data, in the order of its buckets. */
  save(): SavedNative {
    const [positive, negative] = [sortedBuckets(this.#positive), sortedBuckets(this.#negative)];
    return { schema: this.#schema, zeroCount: this.#zeroCount, sum: this.#sum, positive, negative };
  }

  #limit(): void {
    while (this.#positive.size + this.#negative.size > BUCKET_LIMIT && this.#schema > MIN_SCHEMA) this.#halve();
  }

  #halve(): void {
    this.#schema -= 1;
    this.#positive = halved(this.#positive);
    this.#negative = halved(this.#negative);
  }
}

/** Buckets in the order of their indexes. */
export function sortedBuckets(buckets: ReadonlyMap<number, number>): (readonly [index: number, count: number])[] {
  return [...buckets].sort(([a], [b]) => a - b);
}

/** Each bucket of the next lower schema is made of two, and ends where the second of them ends. */
function halved(buckets: ReadonlyMap<number, number>): Map<number, number> {
  const merged = new Map<number, number>();
  for (const [index, count] of buckets) {
    const into = Math.ceil(index / 2);
    merged.set(into, (merged.get(into) ?? 0) + count);
  }
  return merged;
}

/**
 * Upper bounds in one power of two, from 0.5, at the highest resolution; lower ones use every 2nd, 4th … of them. Each
 * is the largest double not above the true bound, so that comparing with it is exact. (`2 ** x` is not: it is rounded,
 * and may be off by more than that.)
 */
const BOUNDS: Float64Array = upperBounds();

function upperBounds(): Float64Array {
  // In fixed point with 256 bits behind the point; what is cut off there is far too little to reach the 53rd.
  const point = 256n;
  let root = 2n << point;
  for (let i = 0; i < MAX_SCHEMA; i++) root = squareRoot(root << point);
  const bounds = new Float64Array(2 ** MAX_SCHEMA);
  for (let i = 0, power = 1n << point; i < bounds.length; i++, power = (power * root) >> point) {
    bounds[i] = Number(power >> (point - 52n)) / 2 ** 53;
  }
  return bounds;
}

/** The largest whole number whose square is not above `value`, by Newton's method. */
function squareRoot(value: bigint): bigint {
  let root = 1n << BigInt(value.toString(16).length * 2);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The place of the first bound that is not below a fraction. */
function firstNotBelow(fraction: number, schema: number): number {
  const step = 2 ** (MAX_SCHEMA - schema);
  let low = 0;
  let high = 2 ** schema;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (BOUNDS[middle * step]! < fraction) low = middle + 1;
    else high = middle;
  }
  return low;
}

const view = new DataView(new ArrayBuffer(8));

/** A positive finite number as `fraction · 2^exponent`, with a fraction from 0.5 to below 1. */
function split(value: number): { fraction: number; exponent: number } {
  const subnormal = value < 2 ** -1022;
  view.setFloat64(0, subnormal ? value * 2 ** 54 : value);
  const head = view.getUint32(0);
  const exponent = (head >>> 20) - 1022 - (subnormal ? 54 : 0);
  view.setUint32(0, ((head & 0x000fffff) | (1022 << 20)) >>> 0);
  return { fraction: view.getFloat64(0), exponent };
}

function checkSchema(schema: number): void {
  if (Number.isInteger(schema) && schema >= MIN_SCHEMA && schema <= MAX_SCHEMA) return;
  throw new Error(`found the schema ${schema}, wanted an integer from ${MIN_SCHEMA} to ${MAX_SCHEMA}`);
}

function checkIndex(index: number): number {
  // The largest is that of infinity at the highest resolution; the smallest is that of the smallest number.
  if (Number.isInteger(index) && index >= -1075 * 256 && index <= 1024 * 256 + 1) return index;
  throw new Error(`found the bucket index ${index}, wanted an integer from -275200 to 262145`);
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= 2 ** 52) return count;
  throw new Error(`found the count ${count}, wanted an integer from 0 to 2^52`);
}
