import { boundValue, LABEL_VALUE_LIMIT } from '../../core/metrics/labels.ts';
import { detached } from './list.ts';

/** Matches of a filter that are remembered. */
export const MATCHES_KEPT = 1_000;

/** Matches that are saved together. */
const SEGMENT = 50;

/** Values of one match, in the order of the filter's pattern names. */
export type Tuple = readonly string[];

/** A piece of the memory as it is saved: `first` counts matches from the beginning of time. */
export interface SavedSegment {
  readonly first: number;
  readonly tuples: readonly Tuple[];
}

/** Knows tuples by the numbers of their lines. */
export interface Tuples {
  tuple(number: number): Tuple;
}

/** A tuple as it is kept: of an over-long value, what is shown of it. */
export function keptTuple(tuple: Tuple): Tuple {
  const isLong = tuple.some((value) => value.length > LABEL_VALUE_LIMIT);
  return isLong ? tuple.map((value) => detached(boundValue(value))) : tuple;
}

/** The last thousand matches of one filter, so that actions that do not tell their values can be given them. */
export class RecentMatches {
  readonly #ring: Tuple[] = [];
  /** Matches that ever came: the newest is number `#count - 1`. */
  #count = 0;
  #saved = 0;
  /** In the places of the ring: 1 + the number of a line whose tuple has not been looked up yet, else 0. */
  #later: Int32Array | null = null;
  #tuples: Tuples | null = null;
  /** The first that may have to be looked up. */
  #settled = 0;

  /** Adds a tuple that `keptTuple` gave. */
  add(tuple: Tuple): void {
    const place = this.#count % MATCHES_KEPT;
    this.#ring[place] = tuple;
    if (this.#later) this.#later[place] = 0;
    this.#count += 1;
  }

  /** Adds the tuple of a line by its number, which holds good until `settle`: most are forgotten before anybody asks. */
  addLater(number: number, tuples: Tuples): void {
    this.#later ??= new Int32Array(MATCHES_KEPT);
    this.#tuples = tuples;
    this.#later[this.#count % MATCHES_KEPT] = number + 1;
    this.#count += 1;
  }

  /** Looks up what was put off. */
  settle(): void {
    if (!this.#later || !this.#tuples) return;
    for (let n = Math.max(this.#settled, this.#count - MATCHES_KEPT); n < this.#count; n++) {
      const place = n % MATCHES_KEPT;
      const number = this.#later[place]!;
      if (number > 0) this.#ring[place] = this.#tuples.tuple(number - 1);
      this.#later[place] = 0;
    }
    this.#settled = this.#count;
  }

  /** From the newest on. */
  *[Symbol.iterator](): Generator<Tuple> {
    this.settle();
    for (let n = this.#count - 1; n >= 0 && n >= this.#count - MATCHES_KEPT; n--) {
      const tuple = this.#ring[n % MATCHES_KEPT];
      if (tuple) yield tuple;
    }
  }

  /** The segments that changed since the last call, by number. */
  *changes(): Generator<readonly [segment: number, saved: SavedSegment]> {
    if (this.#saved === this.#count) return;
    this.settle();
    const from = Math.max(this.#saved, this.#count - MATCHES_KEPT);
    for (let n = from - (from % SEGMENT); n < this.#count; n += SEGMENT) {
      const at = n % MATCHES_KEPT;
      const length = Math.min(SEGMENT, this.#count - n);
      yield [at / SEGMENT, { first: n, tuples: this.#ring.slice(at, at + length) }];
    }
    this.#saved = this.#count;
  }

  /** Takes the saved segments back, in any order. */
  restore(segments: Iterable<SavedSegment>): void {
    for (const { first, tuples } of segments) {
      tuples.forEach((tuple, index) => {
        this.#ring[(first + index) % MATCHES_KEPT] = tuple;
      });
      this.#count = Math.max(this.#count, first + tuples.length);
    }
    this.#saved = this.#count;
  }
}
