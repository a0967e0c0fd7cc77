import { type ChangedChunk, ChangedRows } from './changed-rows.ts';
import { Column } from './column.ts';
import { grown } from './grown.ts';
import { SeriesKeys } from './keys.ts';
import { CHUNK_ROWS, PAGE_ROWS, Pages } from './pages.ts';
import { type Audience, type Base, Returns } from './returns.ts';
import type { Symbols } from './symbols.ts';

/** A series as it is saved; null where there is none. `labels` are the values of the declared labels, in their order. */
export type SavedRow =
  | readonly [owner: string, born: number, created: number, suffix: string, ...labels: readonly string[]]
  | null;

/** A page of series as it is saved: `PAGE_ROWS` rows, the last ones left out where there are none. */
export interface SavedRows {
  readonly page: number;
  readonly rows: readonly SavedRow[];
}

export interface TableOptions {
  /** Values of labels. */
  readonly symbols: Symbols;
  /** Texts of the labels that are not declared: constant ones, and those that the data names. */
  readonly suffixes: Symbols;
  /** Number of declared labels. */
  readonly labels: number;
  /** Numbers that one series holds: 1, or for a histogram one per bucket, +Inf, and the sum. */
  readonly width: number;
  readonly audience: Audience;
  /** Whether series are left out while they do not change: then any that is restored may have been. */
  readonly areLeftOut: boolean;
}

/** What a new row is made of: `ids` are the numbers of its label values and, at the end, of its suffix. */
export interface Birth {
  readonly ids: Int32Array;
  /** What `owner` gives. */
  readonly owner: number;
  /** Its number among all series that were ever born, from 1 on. */
  readonly born: number;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** What a row can be: its values changed and were not taken yet, or somebody was not shown it since they did. */
const CHANGED = 1;
const LEFT_OUT = 2;

/**
 * The series of one metric, each in a row of typed arrays: its key, its values, when it was born.
 *
 * A row keeps its place as long as its series lives; then it may become another one's, which `born` tells.
 */
export class SeriesTable {
  readonly keys: SeriesKeys;
  /** Values by row. */
  readonly totals: Column;
  /** Those that changed after they had been left out. */
  readonly returns: Returns;
  /** Number of each row's series among all that were ever born; 0 for a row that is free. */
  born = new Uint32Array(16);
  /** Milliseconds since 1970. */
  created = new Float64Array(16);
  /** When its values last changed, in milliseconds since 1970. */
  touched = new Float64Array(16);
  /** Rows that are or were in use: all are below this. */
  length = 0;
  /** Series that are there. */
  count = 0;
  /** Times that rows were freed: as long as it stays the same, every row is still its series' own. */
  frees = 0;
  /** Rows whose owner is not there: they are kept, not shown. */
  readonly #orphans = new Set<number>();
  readonly #symbols: Symbols;
  readonly #suffixes: Symbols;
  readonly #labels: number;
  readonly #owners: string[] = [];
  #owner = new Uint32Array(16);
  readonly #free: number[] = [];
  readonly #unsaved = new Pages();
  readonly #moved = new Pages();
  readonly #areLeftOut: boolean;
  /** What is shown of a series that is new. */
  readonly #zero: Base;
  #state = new Uint8Array(16);
  readonly #changed = new ChangedRows();

  constructor({ symbols, suffixes, labels, width, audience, areLeftOut }: TableOptions) {
    this.#symbols = symbols;
    this.#suffixes = suffixes;
    this.#labels = labels;
    this.keys = new SeriesKeys(labels + 1);
    this.totals = new Column(width);
    this.returns = new Returns(audience, width);
    this.#areLeftOut = areLeftOut;
    this.#zero = { values: new Array<number>(width).fill(0), native: null };
  }

  /** Adds to the only value of a row, after it was noted: a return needs the value of before. */
  inc(row: number, by: number): void {
    if (this.#state[row] !== CHANGED) this.#note(row);
    this.totals.values[row]! += by;
  }

  /** Adds to one of the values of a row. */
  add(row: number, index: number, by: number): void {
    if (this.#state[row] !== CHANGED) this.#note(row);
    this.totals.values[row * this.totals.width + index]! += by;
  }

  /** The number of an owner. */
  owner(name: string): number {
    const known = this.#owners.indexOf(name);
    return known >= 0 ? known : this.#owners.push(name) - 1;
  }

  /** A new series at 0. */
  bear(birth: Birth): number {
    const row = this.#free.pop() ?? this.length;
    this.#place(row, birth);
    this.totals.clear(row);
    this.#move(row);
    return row;
  }

  /** Forgets a series: its row is free for another one. */
  free(row: number): void {
    const labels = this.#labels;
    for (let i = 0; i < labels; i++) this.#symbols.release(this.keys.id(row, i));
    this.#suffixes.release(this.keys.id(row, labels));
    this.keys.remove(row);
    this.born[row] = 0;
    this.frees += 1;
    this.#orphans.delete(row);
    this.returns.forget(row);
    if (this.#state[row] === LEFT_OUT) this.#state[row] = 0;
    this.count -= 1;
    this.#free.push(row);
    this.#move(row);
  }

  /** Whether a row holds a series that is to be shown. */
  isShown(row: number): boolean {
    return this.born[row] !== 0 && (this.#orphans.size === 0 || !this.#orphans.has(row));
  }

  /** Whether a row that is shown is to be left out, as it was touched for the last time before `idleBefore`. */
  leavesOut(row: number, idleBefore: number): boolean {
    // One that changed just now would otherwise return without anybody having noted from what.
    if (this.touched[row]! >= idleBefore || this.#state[row] === CHANGED) return false;
    this.#state[row] = LEFT_OUT;
    return true;
  }

  /**
   * What is shown of a row, in the place of its values, to one who knows all that was born or returned before `known`:
   * zero of a series that is new, and of one that returns what it was before. So whoever adds up what it grew by sees
   * its first events, too. Undefined for its values.
   */
  base(row: number, known: number): Base | undefined {
    return this.born[row]! >= known ? this.#zero : this.returns.find(row, known);
  }

  /** Number of series that are to be shown. */
  get shown(): number {
    return this.count - this.#orphans.size;
  }

  /** Gives a series whose owner had gone to the one who now asks for it. */
  adopt(row: number, owner: number): void {
    if (this.#orphans.size === 0 || !this.#orphans.delete(row)) return;
    this.#owner[row] = owner;
    this.#move(row);
  }

  /** Takes the rows whose values changed since the last call; this is the time that they changed at. */
  takeChanged(time: number): readonly ChangedChunk[] {
    const chunks = this.#changed.take();
    for (const { index, count, rows } of chunks) {
      const from = index * CHUNK_ROWS;
      const to = Math.min(from + CHUNK_ROWS, this.length);
      if (count === to - from) {
        this.#state.fill(0, from, to);
        this.touched.fill(time, from, to);
        this.totals.markFrom(from, to);
      } else if (rows) {
        for (const row of rows) this.#settle(row, time);
      } else {
        for (let row = from; row < to; row++) if (this.#state[row] === CHANGED) this.#settle(row, time);
      }
    }
    return chunks;
  }

  /** Takes the first row of each page with rows that were born, freed or given to another owner since the last call. */
  takeMoved(): readonly number[] {
    return this.#moved.take().map((page) => page * PAGE_ROWS);
  }

  /** Takes the pages whose rows were born or freed since the last call. */
  takeRows(): readonly SavedRows[] {
    return this.#unsaved.take().map((page) => ({ page, rows: this.#savedRows(page) }));
  }

  get dirty(): boolean {
    return this.#changed.any || this.#unsaved.any || this.totals.dirty || this.returns.dirty;
  }

  /** Takes saved rows back; those of owners that `isThere` denies are kept unseen. */
  restore({ page, rows }: SavedRows, isThere: (owner: string) => boolean): void {
    const labels = this.#labels;
    const ids = new Int32Array(labels + 1);
    for (const [index, saved] of rows.entries()) {
      const row = page * PAGE_ROWS + index;
      if (saved === null) continue;
      const [owner, born, created, suffix, ...values] = saved;
      for (let i = 0; i < labels; i++) ids[i] = this.#symbols.intern(values[i] ?? '');
      ids[labels] = this.#suffixes.intern(suffix);
      this.#place(row, { ids, owner: this.owner(owner), born, created });
      this.totals.reserve(row);
      if (!isThere(owner)) this.#orphans.add(row);
    }
  }

  /** Ends a restore: rows that no series took are free, and what was saved counts as having changed at this time. */
  restored(time: number): void {
    this.touched.fill(time, 0, this.length);
    for (let row = this.length - 1; row >= 0; row--) {
      if (this.born[row] === 0) this.#free.push(row);
      else if (this.#areLeftOut && this.#state[row] !== CHANGED) this.#state[row] = LEFT_OUT;
    }
  }

  #place(row: number, { ids, owner, born, created }: Birth): void {
    this.#reserve(row);
    const labels = this.#labels;
    for (let i = 0; i < labels; i++) this.#symbols.retain(ids[i]!);
    this.#suffixes.retain(ids[labels]!);
    this.keys.add(row, ids);
    this.born[row] = born;
    this.created[row] = created;
    this.touched[row] = created;
    this.#owner[row] = owner;
    this.count += 1;
  }

  #savedRows(page: number): readonly SavedRow[] {
    const from = page * PAGE_ROWS;
    return Array.from({ length: Math.min(PAGE_ROWS, this.length - from) }, (_, index) => this.#savedRow(from + index));
  }

  #savedRow(row: number): SavedRow {
    if (this.born[row] === 0) return null;
    const labels = this.#labels;
    const values = Array.from({ length: labels }, (_, index) => this.#symbols.text(this.keys.id(row, index)));
    const owner = this.#owners[this.#owner[row]!] ?? '';
    return [owner, this.born[row]!, this.created[row]!, this.#suffixes.text(this.keys.id(row, labels)), ...values];
  }

  #move(row: number): void {
    const page = (row / PAGE_ROWS) | 0;
    this.#moved.note(page);
    this.#unsaved.note(page);
  }

  #note(row: number): void {
    if (this.#state[row] === LEFT_OUT) this.returns.note(row, this.totals);
    this.#state[row] = CHANGED;
    this.#changed.note(row);
  }

  #settle(row: number, time: number): void {
    this.#state[row] = 0;
    this.touched[row] = time;
    this.totals.mark(row);
  }

  #reserve(row: number): void {
    if (row >= this.length) this.length = row + 1;
    if (row < this.born.length) return;
    this.born = grown(this.born, row + 1);
    this.created = grown(this.created, row + 1);
    this.touched = grown(this.touched, row + 1);
    this.#owner = grown(this.#owner, row + 1);
    this.#state = grown(this.#state, row + 1);
  }
}
