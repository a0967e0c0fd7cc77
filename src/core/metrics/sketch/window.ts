/** Slices of a window, and the length of each in milliseconds, unless something else is said: 24 hours in all. */
export const SLICES = 96;
export const SLICE_MS = 900_000;

/** How a window is cut. */
export interface WindowOptions {
  /** Length of the window in milliseconds; 24 hours unless given. */
  readonly windowMs?: number;
  /** Number of slices, 96 unless given; each is `windowMs / slices` long, rounded up to whole milliseconds. */
  readonly slices?: number;
}

/** A piece of saved state: something that msgpack can say, or `undefined` if what was saved is to be removed. */
export type Piece = readonly [key: string, value: unknown];

/** What is kept for one slice of time. Its keys are its own: the window puts the slice's name before them. */
export interface Slice {
  /** Copies of what changed since the last call; `undefined` takes back a piece that may have been given before. */
  changes(): Iterable<Piece>;
  /** Takes a piece back. Pieces come in the order of their keys. */
  restore(key: string, value: unknown): void;
  /** Told when it has left the window. */
  leave?(): void;
}

/**
 * The slices of the last while, made when first needed and dropped when they leave the window.
 *
 * Slices begin at whole multiples of their length since 1970. At a time `now` the window is the slice that holds `now`
 * and those before it, as many as `slices` says: all of them lie in (now - windowMs, now] but for the part of the last
 * that is still to come, so that what is shown is never older than `windowMs` and covers all but less than one slice of
 * it. `now` is always the caller's clock, never the time of an event: a log of years ago leaves nothing in the window.
 *
 * A clock that is set back into the slice before finds the window as it was, and it stays so until the time of its last
 * slice comes again: what was added there was never ahead of the clock. Set back further, it drops the slices ahead.
 */
export class SlidingWindow<S extends Slice> {
  /** Number of events that came too late for the window, since the start of the program. */
  tooOld = 0;
  /** Changes whenever other slices than before are shown: the window moved, or a slice was made. */
  generation = 0;
  readonly #sliceMs: number;
  readonly #count: number;
  readonly #make: () => S;
  readonly #slices = new Map<number, S>();
  /** What is on disk, by slice. */
  readonly #saved = new Map<number, Set<string>>();
  /** Names of what is on disk, and should not be. */
  readonly #gone = new Set<string>();
  /** Number of the last slice, and the bounds of `now` within which it stays the last. */
  #current = Number.NaN;
  #currentBegin = Number.NaN;
  #currentEnd = Number.NaN;
  /** The slice that was asked for last, and its bounds: mostly it is asked for again. */
  #last: S | null = null;
  #lastBegin = Number.NaN;
  #lastEnd = Number.NaN;

  /** Throws if the window cannot be cut so. */
  constructor({ windowMs = SLICES * SLICE_MS, slices = SLICES }: WindowOptions, make: () => S) {
    if (!(Number.isSafeInteger(slices) && slices > 0 && Number.isSafeInteger(windowMs) && windowMs >= slices)) {
      throw new Error(`found a window of ${windowMs} ms in ${slices} slices, wanted whole slices of 1 ms or more`);
    }
    this.#sliceMs = Math.ceil(windowMs / slices);
    this.#count = slices;
    this.#make = make;
  }

  /**
   * The slice of an event's time, in milliseconds since 1970, or null, which is counted, if it left the window. An
   * event that is ahead of `now` counts as of now: a wrong clock elsewhere neither hides it nor moves the window.
   */
  at(time: number, now: number): S | null {
    const isCurrent = now >= this.#currentBegin && now < this.#currentEnd;
    return isCurrent && time >= this.#lastBegin && time < this.#lastEnd ? this.#last : this.#find(time, now);
  }

  /** The slices in the window, oldest first. */
  shown(now: number): S[] {
    this.advance(now);
    const shown: S[] = [];
    for (let index = this.#current - this.#count + 1; index <= this.#current; index++) {
      const slice = this.#slices.get(index);
      if (slice) shown.push(slice);
    }
    return shown;
  }

  /** Drops what is not in the window at this time; adding and reading do so by themselves. */
  advance(now: number): void {
    const current = Math.floor(now / this.#sliceMs);
    if (current === this.#current || current === this.#current - 1) return;
    this.#current = current;
    this.#currentBegin = (current - 1) * this.#sliceMs;
    this.#currentEnd = (current + 1) * this.#sliceMs;
    this.#last = null;
    this.#lastBegin = Number.NaN;
    this.generation++;
    for (const index of this.#slices.keys()) {
      if (index <= current - this.#count || index > current) this.#drop(index);
    }
  }

  /** What changed since the last call, for `restore`: a value is a copy, or `undefined` if its piece is gone. */
  changes(): Piece[] {
    const pieces = new Map<string, unknown>();
    for (const name of this.#gone) pieces.set(name, undefined);
    this.#gone.clear();
    for (const [index, slice] of this.#slices) {
      for (const [key, value] of slice.changes()) {
        const saved = this.#savedOf(index);
        if (value !== undefined) saved.add(key);
        else if (!saved.delete(key)) continue;
        pieces.set(this.#name(index, key), value);
      }
    }
    return [...pieces];
  }

  /**
   * Takes saved pieces back, in any order, into a window that nothing was added to. What has left the window since is
   * dropped as usual; pieces of slices of another length cannot be used, and are gone.
   */
  restore(pieces: Iterable<Piece>): void {
    let last = Number.NaN;
    // Of numbers at the end of a name, those with more digits are higher.
    const inOrder = [...pieces].sort(([one], [other]) => one.length - other.length || (one < other ? -1 : 1));
    for (const [name, value] of inOrder) {
      const [sliceMs, number, key = ''] = name.split('.');
      const index = Number(number);
      if (Number(sliceMs) === this.#sliceMs && Number.isSafeInteger(index)) {
        this.#sliceOf(index).restore(key, value);
        this.#savedOf(index).add(key);
        last = Number.isNaN(last) ? index : Math.max(index, last);
      } else {
        this.#gone.add(name);
      }
    }
    // As it was when it was saved, for a clock that was set back since.
    if (!Number.isNaN(last)) this.advance(last * this.#sliceMs);
  }

  #find(time: number, now: number): S | null {
    this.advance(now);
    const index = Math.min(Math.floor(time / this.#sliceMs), this.#current);
    // So written, a time that is no number is too old as well.
    if (!(index > this.#current - this.#count)) {
      this.tooOld++;
      return null;
    }
    this.#lastBegin = index * this.#sliceMs;
    this.#lastEnd = this.#lastBegin + this.#sliceMs;
    return (this.#last = this.#sliceOf(index));
  }

  #sliceOf(index: number): S {
    let slice = this.#slices.get(index);
    if (slice) return slice;
    slice = this.#make();
    this.#slices.set(index, slice);
    this.generation++;
    return slice;
  }

  #savedOf(index: number): Set<string> {
    let saved = this.#saved.get(index);
    if (!saved) this.#saved.set(index, (saved = new Set()));
    return saved;
  }

  #drop(index: number): void {
    this.#slices.get(index)?.leave?.();
    this.#slices.delete(index);
    for (const key of this.#saved.get(index) ?? []) this.#gone.add(this.#name(index, key));
    this.#saved.delete(index);
  }

  #name(index: number, key: string): string {
    return `${this.#sliceMs}.${index}${key && '.'}${key}`;
  }
}
