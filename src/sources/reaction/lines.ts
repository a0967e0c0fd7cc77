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

/** The lines of UTF-8 text. The last one may lack its end; invalid bytes become U+FFFD. */
export function* splitLines(bytes: Buffer, options: PieceOptions): Generator<Line> {
  // Each line is decoded by itself: text with memory of its own can be kept without keeping its neighbours.
  const encoding = isAscii(bytes) ? 'latin1' : 'utf8';
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    yield toLine(bytes.toString(encoding, start, end), options.at + start, options);
    start = end + 1;
  }
  if (start < bytes.length) yield toLine(bytes.toString(encoding, start), options.at + start, options);
}

/** A line of text as an item, its time taken from it or, where it tells none, from the options. */
export function toLine(text: string, at: number, { origin, time, now, invocation }: Omit<PieceOptions, 'at'>): Line {
  const clean = cleanLine(text, now);
  return { text: clean.text, v1: clean.v1, time: clean.time ?? time, origin, at, invocation };
}
