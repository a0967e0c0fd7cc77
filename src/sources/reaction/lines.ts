import type { JournalEntry } from '../../lib/journal.ts';
import { cleanLine } from './clean.ts';

/** What lines were read from. `cursor` names it, and may cost something to be asked for. */
export interface Origin {
  readonly cursor: string;
}

/** One line of reaction's log, cleaned up and with its time taken off. */
export interface Line {
  readonly text: string;
  /** Whether reaction 1 wrote it. */
  readonly v1: boolean;
  /** Milliseconds since 1970, or null if nothing tells. */
  readonly time: number | null;
  /** The time that the line itself tells, or null. */
  readonly told: number | null;
  readonly origin: Origin;
  /** Where in it: bytes from its beginning, or the number of the line. The same whenever it is read again. */
  readonly at: number;
  /** The systemd invocation of reaction that wrote it. */
  readonly invocation: string | undefined;
}

/** Bytes of a line, without its end. */
export interface LineBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** What lines of a piece have in common. */
export interface PieceOptions {
  readonly origin: Origin;
  /** Time of lines that tell none, in milliseconds since 1970, or null. */
  readonly time: number | null;
  readonly now: number;
  readonly invocation?: string | undefined;
}

/**
 * A line of reaction 2 that begins with its level, as the bytes that it was read in: text is made of them when somebody
 * asks, which has to be before they are read over.
 */
export class PlainLine implements Line, LineBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly at: number;
  readonly #piece: PieceOptions;

  constructor({ bytes, start, end }: LineBytes, at: number, piece: PieceOptions) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.at = at;
    this.#piece = piece;
  }

  get text(): string {
    return cleanLine(this.bytes.toString('utf8', this.start, this.end), this.#piece.now).text;
  }

  get v1(): boolean {
    return false;
  }

  get time(): number | null {
    return this.#piece.time;
  }

  get told(): null {
    return null;
  }

  get origin(): Origin {
    return this.#piece.origin;
  }

  get invocation(): string | undefined {
    return this.#piece.invocation;
  }
}

/** The same of an entry of the journal that is nothing but one such line. */
export class EntryLine implements Line, LineBytes {
  readonly origin: PlainEntry;
  readonly #now: number;

  constructor(entry: PlainEntry, now: number) {
    this.origin = entry;
    this.#now = now;
  }

  get bytes(): Buffer {
    return this.origin.line;
  }

  get start(): number {
    return this.origin.lineStart;
  }

  get end(): number {
    return this.origin.lineEnd;
  }

  get at(): number {
    return 0;
  }

  get text(): string {
    return cleanLine(this.bytes.toString('utf8', this.start, this.end), this.#now).text;
  }

  get v1(): boolean {
    return false;
  }

  get time(): number {
    return this.origin.time;
  }

  get told(): null {
    return null;
  }

  get invocation(): string | undefined {
    return this.origin.invocation;
  }
}

/** An entry of the journal with one line. */
type PlainEntry = JournalEntry & { readonly line: Buffer };

/** Whether an entry is one line, and begins with its level. */
export function isPlainEntry(entry: JournalEntry): entry is PlainEntry {
  return entry.line !== null && beginsWithLevel(entry.line, entry.lineStart, entry.lineEnd);
}

/**
 * The lines of UTF-8 text; the last one may lack its end, and invalid bytes become U+FFFD. `at` is where in its origin
 * the piece begins. Lines hold good as long as the bytes do.
 */
export function splitLines(bytes: Buffer, at: number, piece: PieceOptions): Iterable<Line> {
  return { [Symbol.iterator]: () => new Splitter(bytes, at, piece) };
}

/** A generator would do the same in twice the time. */
class Splitter implements Iterator<Line> {
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #piece: PieceOptions;
  #start = 0;

  constructor(bytes: Buffer, at: number, piece: PieceOptions) {
    this.#bytes = bytes;
    this.#at = at;
    this.#piece = piece;
  }

  next(): IteratorResult<Line, undefined> {
    const bytes = this.#bytes;
    const start = this.#start;
    if (start >= bytes.length) return { done: true, value: undefined };
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    this.#start = end + 1;
    return { done: false, value: byteLine({ bytes, start, end }, this.#at + start, this.#piece) };
  }
}

/** The line of text that these bytes are. */
export function byteLine(line: LineBytes, at: number, piece: PieceOptions): Line {
  const { bytes, start, end } = line;
  return beginsWithLevel(bytes, start, end)
    ? new PlainLine(line, at, piece)
    : toLine(bytes.toString('utf8', start, end), at, piece);
}

/** A line of text as an item, its time taken from it or, where it tells none, from the piece. */
export function toLine(text: string, at: number, { origin, time, now, invocation }: PieceOptions): Line {
  const clean = cleanLine(text, now);
  return { text: clean.text, v1: clean.v1, time: clean.time ?? time, told: clean.time, origin, at, invocation };
}

/** By far most lines begin with their level: there is no time before it. */
export function beginsWithLevel(bytes: Buffer, start: number, end: number): boolean {
  return end - start >= 2 && isUpper(bytes[start]!) && isUpper(bytes[start + 1]!);
}

const LINE_FEED = 10;

function isUpper(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}
