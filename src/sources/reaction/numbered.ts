import type { ScannedLines } from '../../lib/scan.ts';
import { byteLine, type Line, type LineBytes, type Origin, type PieceOptions, PlainLine } from './lines.ts';

/** What is known of lines by their numbers; `T` is what they became. */
export interface LineTable<T> {
  readonly lines: LineBytes[];
  readonly parsed: (T | undefined)[];
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
    return new PlainLine(this.table.lines[this.number]!, this.at, this.#piece).text;
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
  #table: LineTable<unknown> = { lines: [], parsed: [] };

  /** The lines of the next batch. Each is good until the next one is asked for. */
  of(batch: ScannedLines, piece: PieceOptions): Iterable<Line> {
    if (batch.isAnew) this.#table = { lines: [], parsed: [] };
    const table = this.#table;
    const bytes = Buffer.from(batch.fresh.buffer, batch.fresh.byteOffset, batch.fresh.length);
    let start = 0;
    for (const end of batch.freshEnds) {
      table.lines.push({ bytes, start, end });
      start = end;
    }
    return { [Symbol.iterator]: () => new Batch(table, batch, piece) };
  }
}

class Batch implements Iterator<Line> {
  readonly #table: LineTable<unknown>;
  readonly #batch: ScannedLines;
  readonly #piece: PieceOptions;
  readonly #line: NumberedLine;
  #next = 0;

  constructor(table: LineTable<unknown>, batch: ScannedLines, piece: PieceOptions) {
    this.#table = table;
    this.#batch = batch;
    this.#piece = piece;
    this.#line = new NumberedLine(table, piece);
  }

  next(): IteratorResult<Line, undefined> {
    const { numbers, starts, offset } = this.#batch;
    const index = this.#next++;
    if (index >= numbers.length) return { done: true, value: undefined };
    const number = numbers[index]!;
    const at = offset + starts[index]!;
    if (this.#table.parsed[number] === undefined) {
      const line = byteLine(this.#table.lines[number]!, at, this.#piece);
      if (!(line instanceof PlainLine)) return { done: false, value: line };
    }
    // It stands in the table as a line that begins with its level, or will.
    this.#line.number = number;
    this.#line.at = at;
    return { done: false, value: this.#line };
  }
}
