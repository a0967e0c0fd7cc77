import { DistinctSlice } from './distinct-slice.ts';
import { randomSeed, type Seed } from './hash.ts';
import { type Piece, SlidingWindow, type WindowOptions } from './window.ts';

/** A window, and the seed of the hashes that are added. */
export interface DistinctOptions extends WindowOptions {
  /** A random one unless given. Give the same to all sketches that the same hashes are added to. */
  readonly seed?: Seed;
}

/**
 * The number of different values in a sliding window, of any number of values: exact while there are no more than
 * `EXACT_LIMIT` (1,000) of them in the whole window, beyond with a standard error of 0.81 %. See `DistinctSlice`.
 *
 * Memory: at most 16 KB for each slice and the sum of them, 12 KB for one with up to 1,000 values, 1 KB for one with up
 * to 64: (slices + 1) × 16 KB, which is 1.6 MB for 96 slices, and 0.2 MB for the names of
 * what is saved.
 */
export class DistinctValues {
  readonly #window: SlidingWindow<DistinctSlice>;
  #seed: Seed;
  #isSeedSaved = false;
  /** All that is in the window, as long as it is of the same generation; null until somebody wants to know. */
  #sum: DistinctSlice | null = null;
  #generation = 0;

  /** Throws if the window cannot be cut so. */
  constructor({ seed = randomSeed(), ...window }: DistinctOptions = {}) {
    this.#window = new SlidingWindow(window, () => new DistinctSlice());
    this.#seed = seed;
  }

  /** The seed that hashes are to be made with: `restore` brings the saved one back. */
  get seed(): Seed {
    return this.#seed;
  }

  /** Number of adds that were ignored since the start of the program, as their time had left the window. */
  get tooOld(): number {
    return this.#window.tooOld;
  }

  /**
   * Adds a value of an event of `time`, both times in milliseconds since 1970, by its hash: `hashText(value, seed)`. It
   * goes to the slice of its time; one that is ahead of `now` counts as of now, one that left the window is ignored.
   */
  add(hash: number, time: number, now: number): void {
    const slice = this.#window.at(time, now);
    if (slice?.add(hash)) this.#sum?.add(hash);
  }

  /** Adds what was added elsewhere, of events of one slice of time: `time` is in it. */
  absorb(values: DistinctSlice, time: number, now: number): void {
    const slice = this.#window.at(time, now);
    if (slice === null) return;
    slice.absorb(values);
    this.#sum?.absorb(values);
  }

  /** The number of different values in (now - windowMs, now], see `SlidingWindow`. */
  count(now: number): number {
    this.#window.advance(now);
    if (this.#sum === null || this.#generation !== this.#window.generation) {
      this.#sum = new DistinctSlice();
      for (const slice of this.#window.shown(now)) this.#sum.absorb(slice);
      this.#generation = this.#window.generation;
    }
    return this.#sum.count();
  }

  /** What changed since the last call, in pieces of 512 bytes; see `SlidingWindow`. */
  changes(): Piece[] {
    const pieces = this.#window.changes();
    if (!this.#isSeedSaved) pieces.push([SEED, this.#seed]);
    this.#isSeedSaved = true;
    return pieces;
  }

  /** Takes saved pieces back, in any order, before anything is added. */
  restore(pieces: Iterable<Piece>): void {
    const rest: Piece[] = [];
    for (const [key, value] of pieces) {
      if (key !== SEED) {
        rest.push([key, value]);
        continue;
      }
      // Written by `changes`; the format version of the state vouches for the shape.
      this.#seed = value as Seed;
      this.#isSeedSaved = true;
    }
    this.#window.restore(rest);
  }
}

const SEED = 'seed';
