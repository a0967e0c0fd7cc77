import { compareCodePoints } from './order.ts';
import type { Piece } from './window.ts';

/** Ids that are saved together, here and in columns; a power of two. */
export const BLOCK = 128;

/** The block of an id is its id without these bits. */
export const BLOCK_BITS = 7;

/**
 * The values that are counted, each under a small id, and the total of each over all slices.
 *
 * Ids are given so that the state alone decides: a new value gets the lowest id that is free, or that of the smallest
 * total, among equals the lowest. So a restored dictionary goes on as the saved one would have.
 */
export class TopDictionary {
  /** By id; undefined is free. */
  readonly values: (string | undefined)[] = [];
  /** By id, 0 for what is free; may be longer than `values`. */
  totals = new Float64Array(BLOCK);
  readonly #ids = new Map<string, number>();
  #capacity: number;
  /** No id below this one is free. */
  #firstFree = 0;
  /** Ids that had the smallest total when they were collected, lowest first, and the first that was not used yet. */
  #least: number[] = [];
  #nextLeast = 0;
  #leastTotal = 0;
  /** Blocks that changed, and those that are on disk. */
  readonly #changed = new Set<number>();
  readonly #saved = new Set<number>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of values. */
  get size(): number {
    return this.#ids.size;
  }

  /** How long a list by ids has to be to hold this one, without growing too often: whole blocks. */
  lengthFor(id: number): number {
    const length = 2 ** Math.ceil(Math.log2(Math.max(id + 1, BLOCK)));
    const longest = Math.ceil(this.#capacity / BLOCK) * BLOCK;
    // Restored ids may be above the capacity.
    return id < longest ? Math.min(length, longest) : length;
  }

  idOf(value: string): number | undefined {
    return this.#ids.get(value);
  }

  /** The id that a new value is to have: one that is free, or of a value that has to go. */
  nextId(): number {
    return this.#ids.size < this.#capacity ? this.#free() : this.#smallest();
  }

  /** Gives an id to a value, in place of the one that had it. */
  set(id: number, value: string): void {
    const before = this.values[id];
    if (before === undefined) this.#least = [];
    else this.#ids.delete(before);
    if (id >= this.totals.length) this.#grow(id);
    this.values[id] = value;
    this.#ids.set(value, id);
    this.#changed.add(id >>> BLOCK_BITS);
  }

  /** Takes what left the window from a total; a value that nothing is left of is forgotten. */
  subtract(id: number, count: number): void {
    this.#least = [];
    this.totals[id]! -= count;
    if (this.totals[id] === 0) this.#forget(id);
  }

  /** Adds to a total while columns are restored, maybe before the values are. */
  restoreTotal(id: number, count: number): void {
    if (id >= this.totals.length) this.#grow(id);
    this.totals[id]! += count;
  }

  /** The ids of the n highest totals in their order; among equal ones by value in code point order. */
  first(n: number): number[] {
    const { totals, values } = this;
    const compare = (one: number, other: number) =>
      totals[other]! - totals[one]! || compareCodePoints(values[one]!, values[other]!);
    const best: number[] = [];
    if (!(n > 0)) return best;
    // Once there are n, the last of them tells what need not be looked at. Sorted rarely: each id is moved a few times.
    let last = -1;
    for (let id = 0; id < values.length; id++) {
      if (totals[id] === 0) continue;
      if (last >= 0 && (totals[id]! < totals[last]! || compare(id, last) > 0)) continue;
      best.push(id);
      if (best.length < 2 * n + 32) continue;
      best.sort(compare).length = n;
      last = best[n - 1]!;
    }
    return best.sort(compare).slice(0, n);
  }

  /** Copies of the blocks that changed since the last call. */
  changes(): Piece[] {
    const pieces: Piece[] = [];
    for (const block of this.#changed) {
      const values = this.values.slice(block * BLOCK, (block + 1) * BLOCK);
      if (values.some((value) => value !== undefined)) {
        pieces.push([`v${block}`, values.map((value) => value ?? null)]);
        this.#saved.add(block);
      } else if (this.#saved.delete(block)) {
        pieces.push([`v${block}`, undefined]);
      }
    }
    this.#changed.clear();
    return pieces;
  }

  /** Takes a block back. Another capacity does not cut what was saved: ids above it are kept until they are free. */
  restore(key: string, saved: unknown): void {
    const block = Number(key.slice(1));
    // Written by `changes`; the format version of the state vouches for the shape.
    for (const [index, value] of (saved as readonly (string | null)[]).entries()) {
      const id = block * BLOCK + index;
      while (this.values.length <= id) this.values.push(undefined);
      if (value !== null) this.set(id, value);
    }
    this.#changed.delete(block);
    this.#saved.add(block);
    this.#capacity = Math.max(this.#capacity, this.values.length);
  }

  /** Forgets the restored values that no restored column counts: those of columns that could not be used. */
  restored(): void {
    for (const [id, value] of this.values.entries()) if (value !== undefined && !this.totals[id]) this.#forget(id);
  }

  #forget(id: number): void {
    const value = this.values[id];
    if (value === undefined) return;
    this.#ids.delete(value);
    this.values[id] = undefined;
    this.#firstFree = Math.min(this.#firstFree, id);
    this.#changed.add(id >>> BLOCK_BITS);
    while (this.values.length > 0 && this.values.at(-1) === undefined) this.values.pop();
  }

  #free(): number {
    while (this.#firstFree < this.values.length && this.values[this.#firstFree] !== undefined) this.#firstFree++;
    return this.#firstFree;
  }

  /**
   * All that have the smallest total are collected at once: whoever replaces one has a higher total, and counting only
   * makes them fewer, so the list is good until it is used up, or something leaves the window or gets a free id.
   */
  #smallest(): number {
    const { totals } = this;
    for (; this.#nextLeast < this.#least.length; this.#nextLeast++) {
      const id = this.#least[this.#nextLeast]!;
      if (totals[id] === this.#leastTotal) return id;
    }
    let least = Number.POSITIVE_INFINITY;
    for (let id = 0; id < this.values.length; id++) {
      if (totals[id]! > least) continue;
      if (totals[id]! < least) this.#least = [];
      least = totals[id]!;
      this.#least.push(id);
    }
    this.#leastTotal = least;
    this.#nextLeast = 0;
    return this.#least[0]!;
  }

  #grow(id: number): void {
    const totals = new Float64Array(this.lengthFor(id));
    totals.set(this.totals);
    this.totals = totals;
  }
}
