import { Checksum } from '../../lib/objects/checksum.ts';
import type { Counted } from './ledger.ts';

const NEWLINE = 0x0a;

/** Follows the unpacked content of an object whose beginning was counted before: whether it still begins with that. */
export class Growth {
  readonly #before: Counted | null;
  /** Of what was counted before, in so far as it came again. */
  readonly #known = new Checksum();
  #last = NEWLINE;
  #isBegun = false;
  #isOther = false;

  /** `before`: what was counted of it; null for nothing. */
  constructor(before: Counted | null) {
    this.#before = before && before.length > 0 ? before : null;
  }

  /** The part of a chunk that was not counted before. */
  pass(chunk: Buffer): Buffer {
    if (!this.#before) return chunk;
    const count = Math.min(chunk.length, this.#before.length - this.#known.length);
    if (count > 0) {
      this.#known.add(chunk.subarray(0, count));
      this.#last = chunk[count - 1]!;
    }
    const rest = chunk.subarray(count);
    if (rest.length > 0 && !this.#isBegun) {
      this.#isBegun = true;
      // What was counted ended with a line, and what comes now may not be the rest of it.
      this.#isOther = this.#last !== NEWLINE && rest[0] !== NEWLINE && rest[0] !== 0x0d;
    }
    return rest;
  }

  /** Whether it is other content than was counted: to be asked at the end. */
  get isOther(): boolean {
    const before = this.#before;
    return before !== null && (this.#isOther || this.#known.length < before.length || this.#known.crc !== before.crc);
  }
}
