import { parseJson } from '../../lib/json-value.ts';
import { Checksum } from '../../lib/objects/checksum.ts';
import { LINE_LIMIT } from '../../lib/objects/split-lines.ts';
import type { Counted } from './ledger.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Follows the unpacked content of an object whose beginning was counted before: whether it still begins with that. */
export class Growth {
  readonly #before: Counted | null;
  /** Of what was counted before, in so far as it came again. */
  readonly #known = new Checksum();
  /** The last line of it, as far as it has no end; nothing of one that is too long. */
  #tail: Buffer[] = [];
  #tailLength = 0;
  #isBegun = false;
  #isOther = false;

  /** `before`: what was counted of it; null for nothing. */
  constructor(before: Counted | null) {
    this.#before = before && before.length > 0 ? before : null;
  }

  /** The part of a chunk that was not counted before, or of which only the beginning was, and could be no record. */
  pass(chunk: Buffer): Buffer {
    if (!this.#before) return chunk;
    const count = Math.min(chunk.length, this.#before.length - this.#known.length);
    if (count > 0) this.#follow(chunk.subarray(0, count));
    const rest = chunk.subarray(count);
    if (rest.length === 0 || this.#isBegun) return rest;
    this.#isBegun = true;
    if (this.#tailLength === 0 || rest[0] === NEWLINE || rest[0] === RETURN) return rest;
    // What was counted ended with a line. Only of one that could be no record, what comes now may be the rest.
    const tail = Buffer.concat(this.#tail);
    this.#isOther = !isUnfinished(tail);
    return this.#isOther ? rest : Buffer.concat([tail, rest]);
  }

  /** Whether it is other content than was counted: to be asked at the end. */
  get isOther(): boolean {
    const before = this.#before;
    return before !== null && (this.#isOther || this.#known.length < before.length || this.#known.crc !== before.crc);
  }

  #follow(known: Buffer): void {
    this.#known.add(known);
    const begin = known.lastIndexOf(NEWLINE) + 1;
    if (begin > 0) {
      this.#tail = [];
      this.#tailLength = 0;
    }
    this.#tailLength += known.length - begin;
    if (this.#tailLength > LINE_LIMIT) this.#tail = [];
    else if (begin < known.length) this.#tail.push(Buffer.from(known.subarray(begin)));
  }
}

/** Whether a line is the beginning of a JSON object, as the last one of a file is that is being written. */
function isUnfinished(line: Buffer): boolean {
  const text = line.toString().trimStart();
  return text.startsWith('{') && parseJson(text) === undefined;
}
