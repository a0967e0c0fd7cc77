import { grown } from './column.ts';

/**
 * Finds rows by their keys, which are tuples of small numbers: two keys are the same if, and only if, all of their
 * numbers are. A hash table over typed arrays: looking up allocates nothing, and a key costs some 30 bytes.
 */
export class SeriesKeys {
  readonly #width: number;
  /** Keys by row. */
  #keys: Int32Array;
  /** Row + 1 by hash, with open addressing; 0 is empty, and -1 was taken once. */
  #slots = new Int32Array(16);
  /** Slots that are not empty. */
  #used = 0;
  #count = 0;

  /** Keys of so many numbers. */
  constructor(width: number) {
    this.#width = width;
    this.#keys = new Int32Array(16 * width);
  }

  /** The number at a place of a row's key. */
  id(row: number, place: number): number {
    return this.#keys[row * this.#width + place]!;
  }

  /** The row of a key, or -1. */
  find(key: Int32Array): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = this.#hash(key, 0) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot]!;
      if (found === 0) return -1;
      if (found > 0 && this.#isKey(found - 1, key)) return found - 1;
    }
  }

  /** Adds a key that is not there. */
  add(row: number, key: Int32Array): void {
    const at = row * this.#width;
    if (at + this.#width > this.#keys.length) this.#keys = grown(this.#keys, at + this.#width);
    this.#keys.set(key, at);
    if ((this.#used + 1) * 2 > this.#slots.length) this.#resize();
    this.#insert(row);
    this.#count += 1;
  }

  /** Removes the key of a row. */
  remove(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#keys, row * this.#width) & mask;
    while (this.#slots[slot] !== row + 1) slot = (slot + 1) & mask;
    this.#slots[slot] = -1;
    this.#count -= 1;
  }

  #insert(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#keys, row * this.#width) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
    this.#used += 1;
  }

  #resize(): void {
    const before = this.#slots;
    let size = 16;
    while (size < (this.#count + 1) * 3) size *= 2;
    this.#slots = new Int32Array(size);
    this.#used = 0;
    for (const found of before) if (found > 0) this.#insert(found - 1);
  }

  #isKey(row: number, key: Int32Array): boolean {
    const at = row * this.#width;
    for (let i = 0; i < this.#width; i++) if (this.#keys[at + i] !== key[i]) return false;
    return true;
  }

  #hash(from: Int32Array, at: number): number {
    let hash = 0;
    for (let i = 0; i < this.#width; i++) {
      hash = Math.imul(hash ^ from[at + i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}
