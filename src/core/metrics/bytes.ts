/** How Prometheus writes a number. */
export function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** Text that is put together as UTF-8 bytes, without a string in between. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4_096);
  /** Bytes written so far. */
  length = 0;

  /** Adds text. */
  text(text: string): void {
    // No character takes more than three bytes for each of its UTF-16 units.
    this.#reserve(text.length * 3);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.length += bytes.write(text, this.length);
        return;
      }
      bytes[at++] = code;
    }
    this.length = at;
  }

  /** Adds a number as Prometheus writes it; tells how long it is. */
  value(value: number): number {
    const before = this.length;
    if (isShortInteger(value)) {
      this.#reserve(10);
      this.length += digitsOf(value);
      writeDigits(this.#bytes, before, this.length, value);
    } else {
      this.text(formatValue(value));
    }
    return this.length - before;
  }

  /** The bytes written, and begins anew. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.length);
    this.#bytes.copy(taken, 0, 0, this.length);
    this.length = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(2 * (this.length + more));
    this.#bytes.copy(bytes, 0, 0, this.length);
    this.#bytes = bytes;
  }
}

/** Writes a number in the place of one of `length` bytes; false, and nothing is written, if it is not as long. */
export function overwriteValue(bytes: Buffer, at: number, length: number, value: number): boolean {
  if (isShortInteger(value)) {
    if (digitsOf(value) !== length) return false;
    writeDigits(bytes, at, at + length, value);
    return true;
  }
  const text = formatValue(value);
  if (text.length !== length) return false;
  bytes.write(text, at, 'latin1');
  return true;
}

/** Larger ones are left to the engine, which has to work with more than 32 bits for them. */
const LONGEST_SHORT = 999_999_999;

function isShortInteger(value: number): boolean {
  return value >= 0 && value <= LONGEST_SHORT && (value | 0) === value;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

function writeDigits(bytes: Buffer, from: number, to: number, value: number): void {
  let rest = value;
  for (let at = to - 1; at >= from; at--) {
    const tenth = (rest / 10) | 0;
    bytes[at] = 48 + rest - tenth * 10;
    rest = tenth;
  }
}
