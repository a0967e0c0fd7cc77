import { crc32 } from 'node:zlib';
import type { Counted } from './ledger.ts';

const NEWLINE = 0x0a;

/**
 * Follows the unpacked content of an object: how long it is, its CRC-32, and, where its beginning was counted before,
 * whether it still begins with that.
 */
export class Growth {
  readonly #before: Counted | null;
  #length = 0;
  #crc = 0;
  #last = NEWLINE;
  #isOther = false;

  /** `before`: what was counted of it; null for nothing. */
  constructor(before: Counted | null) {
    this.#before = before && before.length > 0 ? before : null;
  }

  /** The part of a chunk that was not counted before. */
  pass(chunk: Buffer): Buffer {
    const known = Math.max(0, Math.min(chunk.length, (this.#before?.length ?? 0) - this.#length));
    if (known > 0) this.#note(chunk.subarray(0, known));
    const rest = chunk.subarray(known);
    if (this.#before && this.#length === this.#before.length && rest.length > 0) {
      // What was counted ended with a line, and what comes now may not be the rest of it.
      this.#isOther ||=
        this.#crc !== this.#before.crc || (this.#last !== NEWLINE && rest[0] !== NEWLINE && rest[0] !== 0x0d);
    }
    if (rest.length > 0) this.#note(rest);
    return rest;
  }

  /** Whether it is other content than was counted: to be asked at the end. */
  get isOther(): boolean {
    const before = this.#before;
    if (!before) return false;
    return (
      this.#isOther || this.#length < before.length || (this.#length === before.length && this.#crc !== before.crc)
    );
  }

  get length(): number {
    return this.#length;
  }

  get crc(): number {
    return this.#crc;
  }

  #note(bytes: Buffer): void {
    this.#length += bytes.length;
    this.#crc = crc32(bytes, this.#crc);
    this.#last = bytes[bytes.length - 1]!;
  }
}
