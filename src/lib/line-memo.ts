/** Remembers what lines became: in a log most stand many times, and to find one costs less than to read it. */
export interface LineMemo<T> {
  /** What became of the line that these bytes are, or undefined. */
  find(bytes: Buffer, start: number, end: number): T | undefined;
  /** Keeps what became of the line that was just not found. */
  keep(bytes: Buffer, start: number, end: number, value: T): void;
  /** Forgets all lines. */
  clear(): void;
}

/** An empty memory. */
export function createLineMemo<T>(): LineMemo<T> {
  return new Lines();
}

/** Lines that are kept at most, and the bytes that they may take together; when either is full, all are forgotten. */
const LINES = 131_072;
const ROOM = 16 * 1024 * 1024;
/** A power of two. */
const SLOTS = 2 * LINES;
/** Slots from its own one on that a line may be in: nobody can write lines that take long to find. */
const REACH = 8;
/** Longer lines, in bytes, are rare, and not kept. */
const LENGTH_LIMIT = 512;

class Lines<T> implements LineMemo<T> {
  /** By hash: where a line stands, in words; 0 for none. */
  readonly #slots = new Int32Array(SLOTS);
  /** Lines one behind the other: hash, length, number, and the bytes, from a whole word on. */
  readonly #bytes = Buffer.allocUnsafeSlow(ROOM);
  readonly #words = new Int32Array(this.#bytes.buffer);
  #used = 1;
  #values: T[] = [];
  /** The bytes looked at last, and a view of them: it reads four at once, wherever they begin. */
  #bytesOfView: Buffer | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  find(bytes: Buffer, start: number, end: number): T | undefined {
    const view = this.#viewOf(bytes);
    const from = bytes.byteOffset + start;
    const to = bytes.byteOffset + end;
    const hash = hashOf(view, from, to);
    for (let reach = 0; reach < REACH; reach++) {
      const at = this.#slots[(hash + reach) & (SLOTS - 1)]!;
      if (at === 0) return undefined;
      if (this.#words[at] === hash && this.#isLine(at, view, from, to)) return this.#values[this.#words[at + 2]!];
    }
    return undefined;
  }

  keep(bytes: Buffer, start: number, end: number, value: T): void {
    const length = end - start;
    if (length > LENGTH_LIMIT) return;
    if (this.#values.length === LINES || 4 * (this.#used + HEAD) + length > ROOM) this.clear();
    const hash = hashOf(this.#viewOf(bytes), bytes.byteOffset + start, bytes.byteOffset + end);
    const at = this.#used;
    this.#words[at] = hash;
    this.#words[at + 1] = length;
    this.#words[at + 2] = this.#values.length;
    let to = 4 * (at + HEAD);
    for (let from = start; from < end; from++) this.#bytes[to++] = bytes[from]!;
    this.#used += HEAD + ((length + 3) >> 2);
    this.#values.push(value);
    let reach = 0;
    while (reach < REACH - 1 && this.#slots[(hash + reach) & (SLOTS - 1)] !== 0) reach++;
    this.#slots[(hash + reach) & (SLOTS - 1)] = at;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#values = [];
    this.#used = 1;
  }

  #isLine(at: number, view: DataView, start: number, end: number): boolean {
    if (this.#words[at + 1] !== end - start) return false;
    let word = at + HEAD;
    let from = start;
    for (; from + 4 <= end; from += 4) if (this.#words[word++] !== view.getInt32(from, IS_LITTLE)) return false;
    for (let to = 4 * word; from < end; from++) if (this.#bytes[to++] !== view.getUint8(from)) return false;
    return true;
  }

  #viewOf(bytes: Buffer): DataView {
    if (this.#bytesOfView === bytes) return this.#view;
    this.#bytesOfView = bytes;
    this.#view = new DataView(bytes.buffer);
    return this.#view;
  }
}

/** As typed arrays hold words on the machines that Node.js runs on. */
const IS_LITTLE = true;
/** Words before the bytes of a line. */
const HEAD = 3;

/** Four bytes at a time; what is left of them stands for itself. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, IS_LITTLE), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
  return Math.imul(hash ^ (hash >>> 13), 0x85ebca6b) ^ (hash >>> 16);
}
