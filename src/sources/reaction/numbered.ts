import { isAscii } from 'node:buffer';
import type { ScannedLines } from '../../lib/scan.ts';
import { cleanLine } from './clean.ts';
import { beginsWithLevel, type Line, type Origin, type PieceOptions, toLine } from './lines.ts';

/** What is known of lines by their numbers; `T` is what they became. */
export interface LineTable<T> {
  readonly lines: LineStore;
  readonly parsed: (T | undefined)[];
}

/** Lines that stand one behind the other. */
interface Piece {
  readonly bytes: Buffer;
  /** Number of the first. */
  readonly first: number;
  readonly ends: Int32Array;
  /** What their bytes are read as: the plainest that they can be is the fastest. */
  readonly encoding: 'latin1' | 'utf8';
}

/** Lines by their numbers. An object for each would be there for nothing: they are looked at once, as a rule. */
class LineStore {
  readonly #pieces: Piece[] = [];
  length = 0;

  /** Adds lines that stand one behind the other. */
  add(bytes: Buffer, ends: Int32Array): void {
    this.#pieces.push({ bytes, first: this.length, ends, encoding: isAscii(bytes) ? 'latin1' : 'utf8' });
    this.length += ends.length;
  }

  text(number: number): string {
    const piece = this.#pieceOf(number);
    return piece.bytes.toString(piece.encoding, startOf(piece, number), piece.ends[number - piece.first]);
  }

  /** Whether a line begins with its level, so that nothing stands before it. */
  isPlain(number: number): boolean {
    const piece = this.#pieceOf(number);
    return beginsWithLevel(piece.bytes, startOf(piece, number), piece.ends[number - piece.first]!);
  }

  #pieceOf(number: number): Piece {
    let piece = this.#pieces.length - 1;
    while (this.#pieces[piece]!.first > number) piece--;
    return this.#pieces[piece]!;
  }
}

function startOf({ first, ends }: Piece, number: number): number {
  return number === first ? 0 : ends[number - first - 1]!;
}

/** Takes lines off the hands of those who go through all others. */
export interface Taker {
  /** Numbers below `count` are in use from now on. */
  reserve(count: number): void;
  /** Does all that is to be done about one more line with this number; false: it has to be gone through. */
  take(number: number): boolean;
  /** Numbers stand for other lines from now on, or for none. */
  forget(): void;
}

/** Lines of a batch that are to be gone through, and how many have been taken meanwhile. */
export interface NumberedBatch {
  readonly items: Iterable<Line>;
  readonly passed: () => number;
}

/**
 * A line whose like has been there before, or may be again: what it becomes is in the table. To make an object for each
 * would take more time than all else that is done with most of them: it is one line after the other.
 */
export class NumberedLine implements Line {
  number = 0;
  at = 0;
  readonly v1 = false;
  readonly told = null;
  readonly table: LineTable<unknown>;
  readonly #piece: PieceOptions;

  constructor(table: LineTable<unknown>, piece: PieceOptions) {
    this.table = table;
    this.#piece = piece;
  }

  get text(): string {
    return cleanLine(this.table.lines.text(this.number), this.#piece.now).text;
  }

  get time(): number | null {
    return this.#piece.time;
  }

  get origin(): Origin {
    return this.#piece.origin;
  }

  get invocation(): string | undefined {
    return this.#piece.invocation;
  }
}

/** The lines of scanned batches, one batch after the other. */
export class NumberedLines {
  #table: LineTable<unknown> = newTable();
  readonly #taker: Taker | null;

  constructor(taker: Taker | null) {
    this.#taker = taker;
  }

  /** The lines of the next batch. Each is good until the next one is asked for. */
  of(batch: ScannedLines, piece: PieceOptions): NumberedBatch {
    if (batch.isAnew) {
      this.#table = newTable();
      this.end();
    }
    const table = this.#table;
    table.lines.add(Buffer.from(batch.fresh.buffer, batch.fresh.byteOffset, batch.fresh.length), batch.freshEnds);
    this.#taker?.reserve(table.lines.length);
    const lines = new Batch(table, batch, piece, this.#taker);
    return { items: { [Symbol.iterator]: () => lines }, passed: () => lines.passed };
  }

  /** No batch comes any more. */
  end(): void {
    this.#taker?.forget();
  }
}

function newTable(): LineTable<unknown> {
  return { lines: new LineStore(), parsed: [] };
}

class Batch implements Iterator<Line> {
  readonly #table: LineTable<unknown>;
  readonly #batch: ScannedLines;
  readonly #piece: PieceOptions;
  readonly #line: NumberedLine;
  #taker: Taker | null;
  #next = 0;
  passed = 0;

  constructor(table: LineTable<unknown>, batch: ScannedLines, piece: PieceOptions, taker: Taker | null) {
    this.#table = table;
    // What has a time may have to be held.
    this.#taker = piece.time === null ? taker : null;
    this.#batch = batch;
    this.#piece = piece;
    this.#line = new NumberedLine(table, piece);
  }

  next(): IteratorResult<Line, undefined> {
    const { numbers, starts, offset } = this.#batch;
    let index = this.#next;
    if (this.#taker) {
      while (index < numbers.length && this.#taker.take(numbers[index]!)) index++;
      this.passed += index - this.#next;
    }
    this.#next = index + 1;
    if (index >= numbers.length) return { done: true, value: undefined };
    const number = numbers[index]!;
    const at = offset + starts[index]!;
    const { lines, parsed } = this.#table;
    if (parsed[number] === undefined && !lines.isPlain(number)) {
      // It may have a time of its own: then the one that comes last has to be known.
      this.#taker = null;
      return { done: false, value: toLine(lines.text(number), at, this.#piece) };
    }
    // It stands in the table as a line that begins with its level, or will.
    this.#line.number = number;
    this.#line.at = at;
    return { done: false, value: this.#line };
  }
}
