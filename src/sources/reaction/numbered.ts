import type { ScannedLines } from '../../lib/scan.ts';
import { byteLine, type Line, type LineBytes, type PieceOptions, PlainLine } from './lines.ts';

/** What is known of lines by their numbers; `T` is what they became. */
export interface LineTable<T> {
  readonly lines: LineBytes[];
  readonly parsed: (T | undefined)[];
}

/** A line whose like has been there before, or may be again: what it becomes is in the table. */
export class NumberedLine extends PlainLine {
  readonly table: LineTable<unknown>;
  readonly number: number;

  constructor(table: LineTable<unknown>, number: number, at: number, piece: PieceOptions) {
    super(table.lines[number]!, at, piece);
    this.table = table;
    this.number = number;
  }
}

/** The lines of scanned batches, one batch after the other. */
export class NumberedLines {
  #table: LineTable<unknown> = { lines: [], parsed: [] };

  /** The lines of the next batch. */
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
  #next = 0;

  constructor(table: LineTable<unknown>, batch: ScannedLines, piece: PieceOptions) {
    this.#table = table;
    this.#batch = batch;
    this.#piece = piece;
  }

  next(): IteratorResult<Line, undefined> {
    const { numbers, starts, offset } = this.#batch;
    const index = this.#next++;
    if (index >= numbers.length) return { done: true, value: undefined };
    const number = numbers[index]!;
    const at = offset + starts[index]!;
    const table = this.#table;
    // Most lines are known as plain ones, which need not be looked at.
    if (table.parsed[number] !== undefined) {
      return { done: false, value: new NumberedLine(table, number, at, this.#piece) };
    }
    const line = byteLine(table.lines[number]!, at, this.#piece);
    const value = line instanceof PlainLine ? new NumberedLine(table, number, at, this.#piece) : line;
    return { done: false, value };
  }
}
