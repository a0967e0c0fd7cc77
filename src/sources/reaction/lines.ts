import { isAscii } from 'node:buffer';
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
  readonly origin: Origin;
  /** Where in it: bytes from its beginning, or the number of the line. The same whenever it is read again. */
  readonly at: number;
  /** The systemd invocation of reaction that wrote it. */
  readonly invocation: string | undefined;
}

/** What all lines of a piece have in common. */
export interface PieceOptions {
  readonly origin: Origin;
  /** Where in it the piece begins. */
  readonly at: number;
  /** Time of lines that tell none, in milliseconds since 1970, or null. */
  readonly time: number | null;
  readonly now: number;
  readonly invocation?: string | undefined;
}

/** Bytes that are decoded at a time: text of this size dies young, which costs the garbage collector next to nothing. */
const DECODED = 64 * 1024;

/** The lines of UTF-8 text. The last one may lack its end; invalid bytes become U+FFFD. */
export function* splitLines(bytes: Buffer, options: PieceOptions): Generator<Line> {
  for (let start = 0; start < bytes.length; ) {
    const end = pieceEnd(bytes, start);
    const piece = bytes.subarray(start, end);
    const at = options.at + start;
    // One decoding for many lines is several times as fast as one for each, but only in ASCII are places in text and
    // bytes alike.
    yield* isAscii(piece) ? splitText(piece.toString('latin1'), at, options) : splitBytes(piece, at, options);
    start = end;
  }
}

/** A line of text as an item, its time taken from it or, where it tells none, from the options. */
export function toLine(text: string, at: number, { origin, time, now, invocation }: Omit<PieceOptions, 'at'>): Line {
  const clean = cleanLine(text, now);
  return { text: clean.text, v1: clean.v1, time: clean.time ?? time, origin, at, invocation };
}

/** Behind the last whole line of a piece, or behind the one line that is longer. */
function pieceEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start <= DECODED) return bytes.length;
  const last = bytes.lastIndexOf(10, start + DECODED - 1);
  if (last >= start) return last + 1;
  const next = bytes.indexOf(10, start + DECODED);
  return next < 0 ? bytes.length : next + 1;
}

function* splitText(text: string, at: number, options: PieceOptions): Generator<Line> {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    yield toLine(text.slice(start, end), at + start, options);
    start = end + 1;
  }
  if (start < text.length) yield toLine(text.slice(start), at + start, options);
}

function* splitBytes(bytes: Buffer, at: number, options: PieceOptions): Generator<Line> {
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    yield toLine(bytes.toString('utf8', start, end), at + start, options);
    start = end + 1;
  }
  if (start < bytes.length) yield toLine(bytes.toString('utf8', start), at + start, options);
}
