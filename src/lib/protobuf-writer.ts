/** Strings up to this length are copied character by character, which is faster than a call into the runtime. */
const SHORT = 48;
const MAX_VARINT_BYTES = 10;
/** Largest magnitude of a signed number whose zigzag form a double still holds. */
const MAX_SIGNED = 2 ** 52 - 1;

/**
 * Writes protocol buffers (https://protobuf.dev/programming-guides/encoding) into memory that grows as needed.
 * Field numbers are from 1 to 15, so that a tag is one byte. What is written can be cut off and written anew.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  /** Bytes written. */
  get length(): number {
    return this.#end;
  }

  /** Forgets what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#end = Math.min(this.#end, length);
  }

  /** What was written, as a message with its length before it. */
  delimited(): Buffer {
    const size = varintSize(this.#end);
    const message = Buffer.allocUnsafeSlow(size + this.#end);
    putVarint(message, 0, this.#end);
    message.set(this.#bytes.subarray(0, this.#end), size);
    return message;
  }

  /** A double. */
  double(field: number, value: number): void {
    this.#room(9);
    this.#bytes[this.#end] = (field << 3) | 1;
    this.#view.setFloat64(this.#end + 1, value, true);
    this.#end += 9;
  }

  /** An unsigned integer or an enum; throws if the value is no safe integer from 0. */
  uint(field: number, value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new Error(`field ${field}: found ${value}, wanted an integer from 0 to 2^53 - 1`);
    }
    this.#room(1 + MAX_VARINT_BYTES);
    this.#bytes[this.#end] = field << 3;
    this.#end = putVarint(this.#bytes, this.#end + 1, value);
  }

  /** A signed integer in zigzag form (`sint32`, `sint64`); throws if the value is no integer of less than 2^52. */
  sint(field: number, value: number): void {
    this.uint(field, zigzag(field, value));
  }

  /** Signed integers in one packed field. */
  packedSints(field: number, values: readonly number[]): void {
    const start = this.open(field);
    for (const value of values) {
      this.#room(MAX_VARINT_BYTES);
      this.#end = putVarint(this.#bytes, this.#end, zigzag(field, value));
    }
    this.close(start);
  }

  /** A text, as UTF-8; lone surrogates become U+FFFD. */
  string(field: number, value: string): void {
    const { length } = value;
    this.#room(1 + MAX_VARINT_BYTES + length * 3);
    const bytes = this.#bytes;
    let at = this.#end;
    bytes[at++] = (field << 3) | 2;
    if (length <= SHORT) {
      let i = 0;
      for (let code: number; i < length && (code = value.charCodeAt(i)) < 0x80; i++) bytes[at + 1 + i] = code;
      if (i === length) {
        bytes[at] = length;
        this.#end = at + 1 + length;
        return;
      }
    }
    at = putVarint(bytes, at, Buffer.byteLength(value));
    this.#end = at + bytes.write(value, at);
  }

  /** Begins a message within the message; give what this returns to `close`. */
  open(field: number): number {
    this.#room(2);
    this.#bytes[this.#end] = (field << 3) | 2;
    this.#end += 2;
    return this.#end;
  }

  /** Ends the message that `open` began. */
  close(start: number): void {
    const length = this.#end - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    // One byte was kept for the length, as most messages are short: a longer one moves.
    const more = varintSize(length) - 1;
    this.#room(more);
    this.#bytes.copyWithin(start + more, start, this.#end);
    putVarint(this.#bytes, start - 1, length);
    this.#end += more;
  }

  #room(size: number): void {
    if (this.#end + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#end + size));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function zigzag(field: number, value: number): number {
  if (!Number.isInteger(value) || Math.abs(value) > MAX_SIGNED) {
    throw new Error(`field ${field}: found ${value}, wanted an integer above -2^52 and below 2^52`);
  }
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Writes an integer of up to 53 bits, and gives the place behind it. */
function putVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80;
  for (; rest > 0x7f; rest >>>= 7) bytes[end++] = (rest & 0x7f) | 0x80;
  bytes[end++] = rest;
  return end;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}
