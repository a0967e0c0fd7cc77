import { BLOCK, BLOCK_BITS, type TopDictionary } from './top-dictionary.ts';
import type { Piece, Slice } from './window.ts';

/**
 * What the values of a dictionary were counted in one slice of time, by their ids, and in the dictionary's totals.
 *
 * Memory: 4 bytes for each id up to the highest that was counted, rounded up to a power of two as far as the capacity
 * allows, and at least 512 bytes; the same again where values were given errors.
 */
export class TopColumn implements Slice {
  /**
   * The most that a value without a counter can have been added in this slice and those after it; -1 until it is known.
   * See `TopValues`.
   */
  floor = -1;
  readonly #dictionary: TopDictionary;
  #counts = new Uint32Array(BLOCK);
  /** What counters were given that others had before them; null while there is nothing. */
  #errors: Uint32Array | null = null;
  /** By block, whether its counts (1) and its errors (2) changed. */
  #changed = new Uint8Array(1);
  #isChanged = false;
  #savedFloor = 0;

  constructor(dictionary: TopDictionary) {
    this.#dictionary = dictionary;
  }

  /** Counts a value that has an id, so many times. */
  add(id: number, times: number): void {
    if (id >= this.#counts.length) this.#grow(id);
    this.#counts[id]! += times;
    this.#changed[id >>> BLOCK_BITS]! |= COUNTS;
    this.#isChanged = true;
    this.#dictionary.totals[id]! += times;
  }

  error(id: number): number {
    return this.#errors?.[id] ?? 0;
  }

  /**
   * Gives an id to another value: raises the floor to what the id has here and in the columns after this, `sum` there,
   * then leaves it with nothing but the error by which this floor is above that of the column after this. Returns the
   * id's sum with what it had here. Leaves its total alone.
   */
  deal(id: number, sum: number, floorAfter: number): number {
    const counts = this.#counts;
    const errors = this.#errors;
    const block = id >>> BLOCK_BITS;
    const count = id < counts.length ? counts[id]! : 0;
    const before = errors !== null && id < errors.length ? errors[id]! : 0;
    const total = sum + count + before;
    if (total > this.floor) this.floor = total;
    if (count !== 0) {
      counts[id] = 0;
      this.#changed[block]! |= COUNTS;
      this.#isChanged = true;
    }
    const error = this.floor - floorAfter;
    if (error !== before) this.#setError(id, error);
    return total;
  }

  changes(): Piece[] {
    const pieces: Piece[] = [];
    // Floors only rise; where there is none, what the columns after it say gives 0 again.
    if (this.floor > this.#savedFloor) pieces.push(['f', (this.#savedFloor = this.floor)]);
    if (!this.#isChanged) return pieces;
    for (const [block, changed] of this.#changed.entries()) {
      if (changed & COUNTS) pieces.push([keyOf('c', block), blockOf(this.#counts, block)]);
      if (changed & ERRORS) pieces.push([keyOf('e', block), blockOf(this.#errors!, block)]);
    }
    this.#changed.fill(0);
    this.#isChanged = false;
    return pieces;
  }

  restore(key: string, saved: unknown): void {
    // Written by `changes`; the format version of the state vouches for the shapes.
    if (key === 'f') {
      this.floor = this.#savedFloor = saved as number;
      return;
    }
    const begin = Number(key.slice(1)) * BLOCK;
    const numbers = saved as readonly number[];
    if (begin + numbers.length > this.#counts.length) this.#grow(begin + numbers.length - 1);
    if (key.startsWith('e')) this.#errors ??= new Uint32Array(this.#counts.length);
    (key.startsWith('e') ? this.#errors! : this.#counts).set(numbers, begin);
    for (const [index, count] of numbers.entries()) if (count > 0) this.#dictionary.restoreTotal(begin + index, count);
  }

  leave(): void {
    for (let id = 0; id < this.#counts.length; id++) {
      const sum = this.#counts[id]! + this.error(id);
      if (sum > 0) this.#dictionary.subtract(id, sum);
    }
  }

  #setError(id: number, error: number): void {
    if (id >= this.#counts.length) this.#grow(id);
    this.#errors ??= new Uint32Array(this.#counts.length);
    this.#errors[id] = error;
    this.#changed[id >>> BLOCK_BITS]! |= ERRORS;
    this.#isChanged = true;
  }

  #grow(id: number): void {
    const length = this.#dictionary.lengthFor(id);
    this.#counts = lengthened(this.#counts, new Uint32Array(length));
    if (this.#errors) this.#errors = lengthened(this.#errors, new Uint32Array(length));
    this.#changed = lengthened(this.#changed, new Uint8Array(length / BLOCK));
  }
}

const COUNTS = 1;
const ERRORS = 2;

/** Names of pieces, made once: each column keeps those that it saved. */
const keys = new Map<number, readonly [string, string]>();

function keyOf(kind: 'c' | 'e', block: number): string {
  let pair = keys.get(block);
  if (!pair) keys.set(block, (pair = [`c${block}`, `e${block}`]));
  return pair[kind === 'c' ? 0 : 1];
}

/** A block without the zeros at its end, or nothing if there is nothing else: as a list, msgpack makes it short. */
function blockOf(numbers: Uint32Array, block: number): number[] | undefined {
  let end = Math.min((block + 1) * BLOCK, numbers.length);
  while (end > block * BLOCK && numbers[end - 1] === 0) end--;
  return end > block * BLOCK ? [...numbers.subarray(block * BLOCK, end)] : undefined;
}

function lengthened<T extends Uint8Array | Uint32Array>(numbers: T, longer: T): T {
  longer.set(numbers);
  return longer;
}
