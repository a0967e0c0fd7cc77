import { isAscii } from 'node:buffer';

/** Most bytes of a line. */
export const LINE_LIMIT = 1024 * 1024;

/** Bytes of lines that are turned into text together: short enough for what keeps one of them not to keep much else. */
const PIECE = 32 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const TOO_LONG = { tooLong: true } as const;

/** A line that was passed over, as it had too many bytes. */
export type LongLine = typeof TOO_LONG;

/**
 * Cuts a text that comes in chunks into its lines, which end with LF or CR LF; the last one may have no end. A byte
 * order mark is left out, bytes that are no UTF-8 become U+FFFD, blank lines are not given. Of a line above `limit` bytes
 * nothing is kept.
 */
export class LineSplitter {
  readonly #limit: number;
  readonly #piece: number;
  /** The beginning of a line whose end has not come; nothing of one that is too long already. */
  #held: Buffer[] = [];
  #length = 0;
  #isFirst = true;

  constructor(limit: number = LINE_LIMIT) {
    this.#limit = limit;
    this.#piece = Math.min(PIECE, limit);
  }

  /**
   * The lines that end in this chunk, some at a time, to be gone through before the next chunk comes, and before this one
   * changes.
   */
  *lines(chunk: Buffer): Generator<readonly (string | LongLine)[]> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const last = this.#length > 0 || this.#isFirst ? end : chunk.lastIndexOf(NEWLINE, from + this.#piece - 1);
      if (last > end) {
        yield textOf(chunk, from, last).split('\n').filter(isNotBlank).map(withoutReturn);
      } else {
        const line = this.#length === 0 ? this.#text(chunk, from, end) : this.#joined(chunk.subarray(from, end));
        if (line !== '') yield [line];
      }
      from = Math.max(last, end) + 1;
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  /** The last line, if it has no end. */
  end(): readonly (string | LongLine)[] {
    if (this.#length === 0) return [];
    const line = this.#joined(Buffer.alloc(0));
    return line === '' ? [] : [line];
  }

  #hold(bytes: Buffer): void {
    this.#length += bytes.length;
    // A byte order mark and the return before the end do not count.
    if (this.#length > this.#limit + BOM.length + 1) this.#held = [];
    else this.#held.push(Buffer.from(bytes));
  }

  #joined(rest: Buffer): string | LongLine {
    const length = this.#length + rest.length;
    const bytes = length > this.#limit + BOM.length + 1 ? null : Buffer.concat([...this.#held, rest]);
    this.#held = [];
    this.#length = 0;
    if (bytes === null) {
      this.#isFirst = false;
      return TOO_LONG;
    }
    return this.#text(bytes, 0, bytes.length);
  }

  #text(bytes: Buffer, start: number, end: number): string | LongLine {
    let from = start;
    if (this.#isFirst) {
      this.#isFirst = false;
      if (bytes.subarray(from, from + BOM.length).equals(BOM)) from += BOM.length;
    }
    const to = end > from && bytes[end - 1] === RETURN ? end - 1 : end;
    if (to - from > this.#limit) return TOO_LONG;
    const text = textOf(bytes, from, to);
    return isNotBlank(text) ? text : '';
  }
}

/** As a rule lines are ASCII, which takes half the time. */
function textOf(bytes: Buffer, from: number, to: number): string {
  return bytes.toString(isAscii(bytes.subarray(from, to)) ? 'latin1' : 'utf8', from, to);
}

function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line;
}

function isNotBlank(text: string): boolean {
  // Most lines begin with something, and are not looked at any further.
  return text.charCodeAt(0) > 0x20 || text.trim() !== '';
}
