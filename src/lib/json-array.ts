import { AFTER_TOKEN, ARRAY, REST, STEPS, type State, type Step, type Token } from './json-steps.ts';

/** The bytes of an element, good only until the next one is asked for; or that it was passed over. */
export type ArrayElement = Buffer | 'too_long';

/** A JSON object that comes in chunks, of which one array is wanted. */
export interface ArraySplitter {
  /** The elements that end in this chunk. They have to be gone through before the next chunk is given. */
  elements(chunk: Buffer): Generator<ArrayElement, void>;
  /** After the last chunk: null if the object was whole and held the array, otherwise what is wrong. */
  end(): string | null;
}

/**
 * Splits the array that is the member `name` of a JSON object (UTF-8, perhaps with a byte order mark), wherever it stands.
 * Elements of more than `limit` bytes are told as too long; nothing else is kept, however large the object is.
 *
 * Only what lies around the elements is checked in full. Within them, and in other members, strings and the number of
 * brackets are followed, and no more: who parses an element finds out whether it is JSON. Of a second member of the same
 * name, JSON parsers take the last; here it is a fault, as the elements of the first are gone already.
 */
export function splitArray(name: string, limit: number): ArraySplitter {
  return new Splitter(name, limit);
}

const BOM = [0xef, 0xbb, 0xbf] as const;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_ROOM = 64 * 1024;

class Splitter implements ArraySplitter {
  readonly #name: string;
  readonly #limits: Readonly<Record<Token, number>>;
  #state: State = 'start';
  /** What is being read, and whether it is a number or a literal. */
  #token: Token | null = null;
  #bare = false;
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** The member whose name was just read is the wanted one. */
  #wanted = false;
  #found = false;
  #problem: string | null = null;
  /** Bytes of the byte order mark that were seen. */
  #bom = 0;
  /** Bytes in earlier chunks, and the place in this one. */
  #before = 0;
  #at = 0;
  /** What of the token was in earlier chunks; its length goes on where there is no room for more. */
  #held = Buffer.alloc(0);
  #length = 0;

  constructor(name: string, limit: number) {
    this.#name = name;
    // Each character may be written as `\uXXXX`.
    this.#limits = { name: 6 * Buffer.byteLength(name) + 2, value: 0, element: limit };
  }

  *elements(chunk: Buffer): Generator<ArrayElement, void> {
    this.#at = 0;
    if (this.#bom < BOM.length) this.#passMark(chunk);
    for (let element = this.#next(chunk); element !== null; element = this.#next(chunk)) yield element;
    this.#before += chunk.length;
  }

  end(): string | null {
    if (this.#problem !== null) return this.#problem;
    if (this.#state !== 'end') return `ends at byte ${this.#before}, wanted ${this.#wish()}`;
    return this.#found ? null : `found no member ${JSON.stringify(this.#name)}`;
  }

  #wish(): string {
    if (this.#token !== null) return `the rest of ${REST[this.#token]}`;
    return this.#step().wish;
  }

  #step(): Step {
    return this.#state === 'value' && this.#wanted ? ARRAY : STEPS[this.#state];
  }

  #passMark(bytes: Buffer): void {
    while (this.#bom < BOM.length && this.#at < bytes.length && bytes[this.#at] === BOM[this.#bom]) {
      this.#at++;
      this.#bom++;
    }
    if (this.#at === bytes.length || this.#bom === BOM.length) return;
    if (this.#bom > 0) this.#fail(bytes);
    this.#bom = BOM.length;
  }

  #next(bytes: Buffer): ArrayElement | null {
    while (this.#problem === null) {
      if (this.#token === null) {
        this.#at = passSpace(bytes, this.#at);
        if (this.#at >= bytes.length) return null;
        this.#enter(bytes);
        continue;
      }
      const token = this.#token;
      const start = this.#at;
      const ended = this.#bare ? this.#scanBare(bytes) : this.#scan(bytes);
      const element = this.#take(bytes, start, ended);
      if (!ended) return null;
      this.#token = null;
      this.#state = AFTER_TOKEN[token];
      if (token === 'element') return element;
      if (token === 'name') this.#readName(element);
    }
    return null;
  }

  /** Takes the character that stands between tokens, or finds a token that begins with it. */
  #enter(bytes: Buffer): void {
    const character = String.fromCharCode(bytes[this.#at]!);
    const step = this.#step();
    const state = step.on[character];
    if (state !== undefined) {
      this.#found ||= step === ARRAY;
      this.#state = state;
      this.#at++;
      return;
    }
    this.#bare = '-0123456789tfn'.includes(character);
    const begins =
      character === '"' || (step.token !== 'name' && (this.#bare || character === '{' || character === '['));
    if (step.token === undefined || !begins) {
      this.#fail(bytes);
      return;
    }
    this.#token = step.token;
    this.#length = 0;
  }

  /** To the end of a string, an object or an array; false if it goes on in the next chunk. */
  #scan(bytes: Buffer): boolean {
    const end = bytes.length;
    let at = this.#at + (this.#escaped && this.#at < end ? 1 : 0);
    if (at > this.#at) this.#escaped = false;
    let { depth, quoted } = { depth: this.#depth, quoted: this.#quoted };
    let ended = false;
    while (at < end && !ended) {
      if (quoted) {
        while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
        if (at === end) break;
        quoted = bytes[at] !== QUOTE;
        ended = !quoted && depth === 0;
        at += quoted ? 2 : 1;
        continue;
      }
      const byte = bytes[at++]!;
      // With the bit that tells `{` from `[`, as lower case from upper case, a bracket is either of the two.
      if (byte === QUOTE) quoted = true;
      else if ((byte | 0x20) === 0x7b) depth++;
      else if ((byte | 0x20) === 0x7d) ended = --depth === 0;
    }
    this.#escaped ||= at > end;
    this.#at = Math.min(at, end);
    this.#depth = depth;
    this.#quoted = quoted;
    return ended;
  }

  /** To what can follow a number or a literal, which is left. */
  #scanBare(bytes: Buffer): boolean {
    let at = this.#at;
    while (at < bytes.length && !isDelimiter(bytes[at]!)) at++;
    this.#at = at;
    return at < bytes.length;
  }

  /** The whole token if it ended, without a copy where it lies in one chunk; otherwise keeps this part. */
  #take(bytes: Buffer, start: number, ended: boolean): ArrayElement {
    const limit = this.#limits[this.#token!];
    const held = this.#length;
    this.#length += this.#at - start;
    if (this.#length > limit) return 'too_long';
    if (ended && held === 0) return bytes.subarray(start, this.#at);
    if (this.#length > this.#held.length) {
      const room = Buffer.allocUnsafe(Math.min(limit, Math.max(2 * this.#length, FIRST_ROOM)));
      this.#held.copy(room, 0, 0, held);
      this.#held = room;
    }
    bytes.copy(this.#held, held, start, this.#at);
    return this.#held.subarray(0, this.#length);
  }

  #readName(token: ArrayElement): void {
    this.#wanted = token !== 'too_long' && unquoted(token.toString()) === this.#name;
    if (this.#wanted && this.#found) this.#problem = `found a second member ${JSON.stringify(this.#name)}, wanted one`;
  }

  #fail(bytes: Buffer): void {
    const found = JSON.stringify(String.fromCharCode(bytes[this.#at]!));
    this.#problem = `found ${found} at byte ${this.#before + this.#at}, wanted ${this.#wish()}`;
  }
}

function passSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at]!)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDelimiter(byte: number): boolean {
  return byte === 0x2c || byte === 0x5d || byte === 0x7d || isSpace(byte);
}

function unquoted(name: string): string | null {
  if (!name.includes('\\')) return name.slice(1, -1);
  try {
    return String(JSON.parse(name));
  } catch {
    return null;
  }
}
