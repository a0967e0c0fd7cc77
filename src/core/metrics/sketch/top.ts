import { boundValue, LABEL_VALUE_LIMIT } from '../labels.ts';
import { TopColumn } from './top-column.ts';
import { TopDictionary } from './top-dictionary.ts';
import { type Piece, SlidingWindow, type WindowOptions } from './window.ts';

/** A window, and the number of values that can be counted at a time. */
export interface TopOptions extends WindowOptions {
  /** 10,000 unless given. */
  readonly capacity?: number;
}

/** A frequent value: it was added at least `count - error` times, and at most `count` times. */
export interface TopValue {
  /** Well-formed, and as long as a label may be: see `boundValue`. */
  readonly value: string;
  readonly count: number;
  readonly error: number;
}

/** A value for `addTracked`. Only the sketch that made the entry changes it. */
export interface TopEntry {
  value: string;
  /** Where to look for the value first. */
  id: number;
}

/**
 * The most frequent values of a sliding window, of any number of values, in bounded memory: space-saving (Metwally,
 * Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005) with counters
 * that are shared by all slices of the window.
 *
 * While the window has no more than `capacity` different values, each has a counter and all is exact. A new value that
 * finds no counter free takes the one with the smallest count. As it may have had a counter before, and lost it, it is
 * given as error what it can have missed. That is noted by slice: the floor of a slice is the most that a value which
 * lost its counter had in this slice and those after it, and errors are dealt to the slices so that they add up to the
 * floor from each slice on. So wherever the window begins, now or later:
 *
 * - the real number is at most `count`, and at least `count - error`;
 * - an error is at most the floor, and so is the real number of a value without a counter;
 * - the floor is at most one in `capacity` of the adds in the window as long as nothing has left it, and about that when
 *   as much comes as leaves. When a flood leaves and little comes, what it left in later slices can be a greater share
 *   of the rest, until those slices leave as well;
 * - when a window has passed since a counter was last lost, all is exact again.
 *
 * With the whole count as an error in the slice of the event, a flood that goes on would raise the errors for ever: each
 * new value would take along those of the one before it.
 *
 * Memory: 8 bytes for each slice, some 150 bytes, and the text for each of `capacity` values: up to 10 MB with the
 * defaults and short values, 20 MB more if all have 1,024 UTF-16 units. 100 values in all slices take 0.2 MB.
 */
export class TopValues {
  readonly #dictionary: TopDictionary;
  readonly #window: SlidingWindow<TopColumn>;
  /** The columns in the window, newest first, as of a generation of the window. */
  #columns: readonly TopColumn[] = [];
  #generation = -1;

  /** Throws if the window cannot be cut so, or there is no room for a value. */
  constructor({ capacity = 10_000, ...window }: TopOptions = {}) {
    if (!(Number.isSafeInteger(capacity) && capacity > 0)) {
      throw new Error(`found a capacity of ${capacity}, wanted a whole number of values from 1`);
    }
    const dictionary = new TopDictionary(capacity);
    this.#dictionary = dictionary;
    this.#window = new SlidingWindow(window, () => new TopColumn(dictionary));
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
    const column = this.#window.at(time, now);
    if (column !== null) column.add(this.#known(value) ?? this.#idOf(ownValue(value), now), 1);
  }

  /** A value that will be added again and again: `addTracked` need not look for it. */
  track(value: string): TopEntry {
    const id = this.#known(value);
    return id === undefined ? { value: ownValue(value), id: 0 } : { value: this.#dictionary.values[id]!, id };
  }

  /** As `add`, of a value that this sketch tracks, so many times. */
  addTracked(entry: TopEntry, time: number, now: number, times = 1): void {
    const column = this.#window.at(time, now);
    if (column === null) return;
    if (this.#dictionary.values[entry.id] !== entry.value) {
      entry.id = this.#idOf(entry.value, now);
      // One text for both, as it is the quickest to compare with itself.
      entry.value = this.#dictionary.values[entry.id]!;
    }
    column.add(entry.id, times);
  }

  /**
   * The n most frequent values of the slices in (now - windowMs, now], see `SlidingWindow`, most frequent first; among
   * equal counts in code point order of the values.
   */
  top(n: number, now: number): TopValue[] {
    const columns = this.#shown(now);
    return this.#dictionary.first(n).map((id) => {
      let error = 0;
      for (const column of columns) error += column.error(id);
      return { value: this.#dictionary.values[id]!, count: this.#dictionary.totals[id]!, error };
    });
  }

  /** Number of values that `top` knows. */
  size(now: number): number {
    this.#window.advance(now);
    return this.#dictionary.size;
  }

  /** The most that a value can have been added in the window that `top` does not know. */
  floor(now: number): number {
    return this.#shown(now).at(-1)?.floor ?? 0;
  }

  /** What changed since the last call, in pieces of at most 128 values or counts; see `SlidingWindow`. */
  changes(): Piece[] {
    return [...this.#dictionary.changes(), ...this.#window.changes()];
  }

  /**
   * Takes saved pieces back, in any order, before anything is added. A smaller capacity than the saved one holds for
   * new values only when the saved ones above it have left the window, and the program has started again.
   */
  restore(pieces: Iterable<Piece>): void {
    const columns: Piece[] = [];
    for (const [key, value] of pieces) {
      if (DICTIONARY_KEY.test(key)) this.#dictionary.restore(key, value);
      else columns.push([key, value]);
    }
    this.#window.restore(columns);
    this.#dictionary.restored();
  }

  /** The id of a value as it comes, if it has one. */
  #known(value: string): number | undefined {
    return value.length <= LABEL_VALUE_LIMIT ? this.#dictionary.idOf(value) : undefined;
  }

  /** The id of a value as it is kept, which it is given if it has none. */
  #idOf(value: string, now: number): number {
    const known = this.#dictionary.idOf(value);
    if (known !== undefined) return known;
    const id = this.#dictionary.nextId();
    const isExact = this.#dictionary.values[id] === undefined && this.floor(now) === 0;
    const total = isExact ? 0 : this.#deal(id, now);
    this.#dictionary.set(id, value);
    this.#dictionary.totals[id] = total;
    return id;
  }

  /** Notes in the floors what an id has, and leaves it with what they say; returns how much that is. */
  #deal(id: number, now: number): number {
    let sum = 0;
    let floor = 0;
    for (const column of this.#shown(now)) {
      sum = column.deal(id, sum, floor);
      floor = column.floor;
    }
    return floor;
  }

  #shown(now: number): readonly TopColumn[] {
    this.#window.advance(now);
    if (this.#generation === this.#window.generation) return this.#columns;
    this.#columns = this.#window.shown(now).reverse();
    this.#generation = this.#window.generation;
    let floor = 0;
    for (const column of this.#columns) {
      // A new one adds nothing to what those after it say.
      if (column.floor < 0) column.floor = floor;
      floor = column.floor;
    }
    return this.#columns;
  }
}

const DICTIONARY_KEY = /^v\d+$/;

/** The value as it is kept: an own copy, as a part of a longer text would keep all of that alive. */
function ownValue(value: string): string {
  // Lone surrogates become U+FFFD on the way, as they would in the saved state and in the metrics.
  return Buffer.from(boundValue(value)).toString();
}
