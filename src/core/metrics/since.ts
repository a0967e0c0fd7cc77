import { Column, type SavedPage } from './column.ts';
import type { SeriesTable } from './table.ts';

/** What a scraper was given of some rows, to be taken back if it did not get it. */
export interface Given {
  readonly rows: readonly number[];
  /** Of each row: its series' number among all that were ever born, and how much it was given. */
  readonly born: readonly number[];
  readonly amounts: readonly number[];
}

/** Rows that are looked at together. */
const SLICE_ROWS = 1_024;

/** A page of one of the columns, by the column's name. */
export interface SavedSincePage extends SavedPage {
  readonly column: string;
}

/**
 * What each scraper is still owed of one "since the last collection" gauge.
 *
 * A series is kept as a running total (the table's) and, per scraper, the total that it was last given; the difference
 * is what it sees. A series that every scraper has seen whole, and that is older than a new scraper would get, is
 * forgotten.
 */
export class SinceValues {
  readonly table: SeriesTable;
  /** The totals one, and up to two, rotations ago: what a scraper that is new now no longer gets. */
  readonly #base = new Column(1);
  readonly #oldBase = new Column(1);
  /** The totals at the last collection of each scraper, by its index. */
  readonly #given: Column[] = [];
  /** All of these. */
  readonly #all: Column[] = [this.#base, this.#oldBase];

  constructor(table: SeriesTable) {
    this.table = table;
  }

  /** Makes a row that was just born ready: nothing of it was ever given. */
  clear(row: number): void {
    for (const column of this.#all) column.clear(row);
  }

  /** Gives a scraper all that it is owed, some rows at a time. What is asked for later is looked at later. */
  *give(scraper: number): Generator<Given> {
    const { table } = this;
    const given = this.#givenTo(scraper);
    for (let from = 0; from < table.length; from += SLICE_ROWS) {
      const rows: number[] = [];
      const born: number[] = [];
      const amounts: number[] = [];
      const to = Math.min(from + SLICE_ROWS, table.length);
      for (let row = from; row < to; row++) {
        const amount = table.totals.values[row]! - given.values[row]!;
        if (amount === 0 || !table.isShown(row)) continue;
        given.values[row]! += amount;
        given.mark(row);
        rows.push(row);
        born.push(table.born[row]!);
        amounts.push(amount);
      }
      yield { rows, born, amounts };
    }
  }

  /** Takes back what a scraper did not get. */
  takeBack(scraper: number, { rows, born, amounts }: Given): void {
    const given = this.#givenTo(scraper);
    for (const [index, row] of rows.entries()) {
      if (this.table.born[row] !== born[index]) continue;
      given.values[row]! -= amounts[index]!;
      given.mark(row);
    }
  }

  /** A scraper comes for the first time: it is owed what new scrapers get. */
  welcome(scraper: number): void {
    const given = this.#givenTo(scraper);
    for (let row = 0; row < this.table.length; row++) {
      given.values[row] = this.#oldBase.values[row]!;
      given.mark(row);
    }
  }

  /** Time goes on: new scrapers no longer get what is older than two rotations. */
  rotate(): void {
    const { length, totals } = this.table;
    for (let row = 0; row < length; row++) {
      const base = this.#base.values[row]!;
      if (this.#oldBase.values[row] === base && base === totals.values[row]) continue;
      this.#oldBase.values[row] = base;
      this.#base.values[row] = totals.values[row]!;
      this.#oldBase.mark(row);
      this.#base.mark(row);
    }
  }

  /** Forgets what none of these scrapers, and no new one, would be given. */
  sweep(scrapers: readonly number[]): void {
    const { table } = this;
    const given = scrapers.map((scraper) => this.#givenTo(scraper).values);
    for (let row = 0; row < table.length; row++) {
      const total = table.totals.values[row]!;
      if (this.#oldBase.values[row] !== total || !table.isShown(row)) continue;
      if (given.every((values) => values[row] === total)) table.free(row);
    }
  }

  get dirty(): boolean {
    return this.#all.some((column) => column.dirty);
  }

  /** What changed of all columns but the totals since it was last taken. */
  *take(): Generator<SavedSincePage> {
    for (const [name, column] of this.#columns()) for (const page of column.take()) yield { column: name, ...page };
  }

  /** Takes a saved page back, after the table's rows. */
  restore({ column, ...page }: SavedSincePage): void {
    const [kind, index] = column.split(' ');
    if (kind === 'base') this.#base.restore(page);
    else if (kind === 'oldBase') this.#oldBase.restore(page);
    else if (kind === 'given') this.#givenTo(Number(index)).restore(page);
  }

  *#columns(): Generator<readonly [string, Column]> {
    yield ['base', this.#base];
    yield ['oldBase', this.#oldBase];
    for (const [index, column] of this.#given.entries()) yield [`given ${index}`, column];
  }

  /** With room for all rows of the table. */
  #givenTo(scraper: number): Column {
    while (this.#given.length <= scraper) {
      const column = new Column(1);
      this.#given.push(column);
      this.#all.push(column);
    }
    const column = this.#given[scraper]!;
    column.reserve(Math.max(0, this.table.length - 1));
    return column;
  }
}
