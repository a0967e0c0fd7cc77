import { boundValue, LABEL_VALUE_LIMIT } from '../labels.ts';
import { type Counted, TopSlice } from './top-slice.ts';
import { type Piece, SlidingWindow, type WindowOptions } from './window.ts';

/** A window, and the number of values that each of its slices can count. */
export interface TopOptions extends WindowOptions {
  /** `capacityFor(20)` unless given. */
  readonly capacity?: number;
}

/** A frequent value: it was added at least `count - error` times, and at most `count` times. */
export interface TopValue {
  /** Well-formed, and as long as a label may be: see `boundValue`. */
  readonly value: string;
  readonly count: number;
  readonly error: number;
}

/** A value for `addTracked`: what is known of it is kept here. */
export interface TopEntry {
  readonly value: string;
  /** Its counter where it was added last, to which only the sketch that made the entry looks. */
  counted: Counted | null;
}

/** Counters for each slice that give the n most frequent values with errors that are small beside their counts. */
export function capacityFor(n: number): number {
  return Math.max(100, 8 * n);
}

/**
 * The most frequent values of a sliding window, of any number of values, in bounded memory: space-saving in each slice.
 *
 * While a slice has seen no more different values than its capacity, it counts exactly. After that no value that came
 * more often than one in `capacity` of the slice's adds is missing, and no error is more than that share of them.
 *
 * Memory: at most (slices + 1) × capacity × 2,300 bytes: a value of 1,024 UTF-16 units, and some 200 bytes for its
 * counter. That is 9.2 MB with the defaults (24 slices of 160) and the most hostile values; values of 20 characters
 * take 1 MB. In the pieces of `changes` a unit takes up to 3 bytes: at most capacity × 3,100 bytes for a slice.
 */
export class TopValues {
  readonly #window: SlidingWindow<TopSlice>;

  /** Throws if the window cannot be cut so, or there is no room for a value. */
  constructor({ capacity = capacityFor(20), ...window }: TopOptions = {}) {
    if (!(Number.isSafeInteger(capacity) && capacity > 0)) {
      throw new Error(`found a capacity of ${capacity}, wanted a whole number of values from 1`);
    }
    this.#window = new SlidingWindow(window, () => new TopSlice(capacity));
  }

  /** Number of adds that were ignored since the start of the program, as their time had left the window. */
  get tooOld(): number {
    return this.#window.tooOld;
  }

  /**
   * Counts a value of an event of `time`, both times in milliseconds since 1970. It goes to the slice of its time; one
   * that is ahead of `now` counts as of now, one that left the window is ignored.
   */
  add(value: string, time: number, now: number): void {
    const slice = this.#window.at(time, now);
    if (slice === null || (value.length <= LABEL_VALUE_LIMIT && slice.hit(value))) return;
    const own = ownValue(value);
    if (own === value) slice.admit(own);
    else slice.add(own);
  }

  /** A value that will be added again and again: `addTracked` need not look for it. */
  track(value: string): TopEntry {
    return { value: ownValue(value), counted: null };
  }

  /** As `add`, of a value that this sketch tracks. */
  addTracked(entry: TopEntry, time: number, now: number): void {
    const slice = this.#window.at(time, now);
    if (slice === null || (entry.counted !== null && slice.again(entry.counted))) return;
    entry.counted = slice.add(entry.value);
  }

  /**
   * The n most frequent values of the slices in (now - windowMs, now], see `SlidingWindow`, most frequent first; among
   * equal counts the one with the smaller error, then by UTF-16 units.
   *
   * A count is the sum over all slices. Where a slice has dropped values, a value that it does not count may have been
   * one of them: the most that it can have been added there is in its count, and in its error.
   */
  top(n: number, now: number): TopValue[] {
    const sums = new Map<string, { value: string; count: number; error: number }>();
    let floors = 0;
    for (const { counted, floor } of this.#window.shown(now)) {
      floors += floor;
      for (const { value, count, error } of counted) {
        const sum = sums.get(value);
        if (sum === undefined) {
          sums.set(value, { value, count: count - floor, error: error - floor });
        } else {
          sum.count += count - floor;
          sum.error += error - floor;
        }
      }
    }
    return first(n, sums.values()).map(({ value, count, error }) => ({
      value,
      count: count + floors,
      error: error + floors,
    }));
  }

  /** What changed since the last call: one piece for each slice; see `SlidingWindow`. */
  changes(): Piece[] {
    return this.#window.changes();
  }

  /** Takes saved pieces back, in any order, before anything is added. Their capacity may have been another. */
  restore(pieces: Iterable<Piece>): void {
    this.#window.restore(pieces);
  }
}

/** The value as it is kept: an own copy, as a part of a longer text would keep all of that alive. */
function ownValue(value: string): string {
  // Lone surrogates become U+FFFD on the way, as they would in the saved state and in the metrics.
  return Buffer.from(boundValue(value)).toString();
}

/** The first n in order. */
function first(n: number, values: Iterable<TopValue>): TopValue[] {
  const best: TopValue[] = [];
  for (const value of values) {
    if (best.length >= n && !(n > 0 && isBefore(value, best[n - 1]!))) continue;
    let place = best.length < n ? best.length : n - 1;
    for (; place > 0 && isBefore(value, best[place - 1]!); place--) best[place] = best[place - 1]!;
    best[place] = value;
  }
  return best;
}

function isBefore(one: TopValue, other: TopValue): boolean {
  if (one.count !== other.count) return one.count > other.count;
  if (one.error !== other.error) return one.error < other.error;
  return one.value < other.value;
}
