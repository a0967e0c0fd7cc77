import { grown } from './grown.ts';
import { Pages } from './pages.ts';

/** Numbers of one page, the unit in which what changed is saved: with what is put around them they fill a page of 4 KiB. */
const PAGE_VALUES = 500;

/** A page of values as it is saved. */
export interface SavedPage {
  readonly page: number;
  readonly values: Float64Array;
}

/** Numbers by row, `width` of them each, in one typed array that grows; it remembers which pages changed. */
export class Column {
  values: Float64Array;
  readonly width: number;
  readonly #pageRows: number;
  readonly #dirty = new Pages();

  constructor(width: number) {
    this.width = width;
    this.#pageRows = Math.max(1, Math.floor(PAGE_VALUES / width));
    this.values = new Float64Array(16 * width);
  }

  /** Makes room for rows up to this one. */
  reserve(row: number): void {
    if ((row + 1) * this.width > this.values.length) this.values = grown(this.values, (row + 1) * this.width);
  }

  /** The values of a row, in an array that is no longer than they are. */
  copy(row: number): readonly number[] {
    const { values, width } = this;
    const copy = new Array<number>(width);
    for (let i = 0; i < width; i++) copy[i] = values[row * width + i]!;
    return copy;
  }

  /** Notes that values of a row changed. */
  mark(row: number): void {
    this.#dirty.note((row / this.#pageRows) | 0);
  }

  /** Notes that values of all rows from one on and before another one changed. */
  markFrom(from: number, to: number): void {
    const last = ((to - 1) / this.#pageRows) | 0;
    for (let page = (from / this.#pageRows) | 0; page <= last; page++) this.#dirty.note(page);
  }

  /** Sets all values of a row to 0. */
  clear(row: number): void {
    this.reserve(row);
    for (let at = row * this.width; at < (row + 1) * this.width; at++) this.values[at] = 0;
    this.mark(row);
  }

  get dirty(): boolean {
    return this.#dirty.any;
  }

  /** Copies of the pages that changed since they were last taken. */
  take(): readonly SavedPage[] {
    const length = this.#pageRows * this.width;
    return this.#dirty.take().map((page) => {
      const values = new Float64Array(length);
      values.set(this.values.subarray(page * length, (page + 1) * length));
      return { page, values };
    });
  }

  /** Takes a saved page back. */
  restore({ page, values }: SavedPage): void {
    const length = this.#pageRows * this.width;
    this.reserve((page + 1) * this.#pageRows - 1);
    this.values.set(values.subarray(0, length), page * length);
  }
}
