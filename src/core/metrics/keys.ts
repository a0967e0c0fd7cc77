import { grown } from './grown.ts';

/**
 * Finds rows by their keys, which are tuples of small numbers: two keys are the same if, and only if, all of their
 * numbers are. A hash table over typed arrays: looking up allocates nothing, and a key costs some 50 bytes.
 */
export class SeriesKeys {
  readonly #width: number;
  /** Keys by row. */
  #keys: Int32Array;
  /**
   * The hash of a key, and its row + 1, with open addressing; 0 is empty, and -1 was taken once. As hashes are kept, keys
   * that are not the one looked for are hardly ever looked at, nor any key when the table grows.
   */
  #slots = new Int32Array(2 * 16);
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
    const hash = this.#hash(key, 0);
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const found = slots[slot + 1]!;
      if (found === 0) return -1;
      if (slots[slot] === hash && found > 0 && this.#isKey(found - 1, key)) return found - 1;
    }
  }

  /** Adds a key that is not there. */
  add(row: number, key: Int32Array): void {
    const at = row * this.#width;
    if (at + this.#width > this.#keys.length) this.#keys = grown(this.#keys, at + this.#width);
    // Faster than a copy by the engine, for so few.
    for (let i = 0; i < this.#width; i++) this.#keys[at + i] = key[i]!;
    if ((this.#used + 1) * 4 > this.#slots.length) this.#resize();
    this.#insert(this.#hash(key, 0), row);
    this.#count += 1;
  }

  /** Removes the key of a row. */
  remove(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hash(this.#keys, row * this.#width) << 1) & mask;
    while (this.#slots[slot + 1] !== row + 1) slot = (slot + 2) & mask;
    this.#slots[slot + 1] = -1;
    this.#count -= 1;
  }

  #insert(hash: number, row: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (hash << 1) & mask;
    while (slots[slot + 1] !== 0) slot = (slot + 2) & mask;
    slots[slot] = hash;
    slots[slot + 1] = row + 1;
    this.#used += 1;
  }

  #resize(): void {
    const before = this.#slots;
    let size = 16;
    // At most a third is taken then, and half when it is done again.
    while (size < (this.#count + 1) * 3) size *= 2;
    this.#slots = new Int32Array(2 * size);
    this.#used = 0;
    for (let slot = 0; slot < before.length; slot += 2) {
      const found = before[slot + 1]!;
      if (found > 0) this.#insert(before[slot]!, found - 1);
    }
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
