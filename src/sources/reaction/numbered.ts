import type { ScannedLines } from '../../lib/scan.ts';
import { byteLine, type Line, type LineBytes, type Origin, type PieceOptions, PlainLine } from './lines.ts';

/** What is known of lines by their numbers; `T` is what they became. */
export interface LineTable<T> {
  readonly lines: LineStore;
  readonly parsed: (T | undefined)[];
}

/** Lines by their numbers. An object for each would be there for nothing: they are looked at once, as a rule. */
class LineStore {
  readonly #pieces: { readonly bytes: Buffer; readonly first: number; readonly ends: Int32Array }[] = [];
  length = 0;

  /** Adds lines that stand one behind the other. */
  add(bytes: Buffer, ends: Int32Array): void {
    this.#pieces.push({ bytes, first: this.length, ends });
    this.length += ends.length;
  }

  line(number: number): LineBytes {
    let piece = this.#pieces.length - 1;
    while (this.#pieces[piece]!.first > number) piece--;
    const { bytes, first, ends } = this.#pieces[piece]!;
    const index = number - first;
    return { bytes, start: index === 0 ? 0 : ends[index - 1]!, end: ends[index]! };
  }
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
    return new PlainLine(this.table.lines.line(this.number), this.at, this.#piece).text;
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
    if (this.#table.parsed[number] === undefined) {
      const line = byteLine(this.#table.lines.line(number), at, this.#piece);
      if (!(line instanceof PlainLine)) {
        // It may have a time of its own: then the one that comes last has to be known.
        this.#taker = null;
        return { done: false, value: line };
      }
    }
    // It stands in the table as a line that begins with its level, or will.
    this.#line.number = number;
    this.#line.at = at;
    return { done: false, value: this.#line };
  }
}
