import type { Cell, SavedCells } from '../cells.ts';
import { NativeHistogram, type SavedNative } from './native.ts';
import type { Base } from './returns.ts';
import type { SeriesTable } from './table.ts';

/** What is saved of one: whose it is, as rows may become others', and what it counted. */
interface Saved extends SavedNative {
  readonly born: number;
}

const EMPTY = new NativeHistogram();

/** The native histograms of one metric, beside its classic ones, by row. */
export class Natives {
  readonly #table: SeriesTable;
  readonly #histograms = new Map<number, { readonly born: number; readonly histogram: NativeHistogram }>();
  readonly #changed = new Set<number>();

  constructor(table: SeriesTable) {
    this.#table = table;
    table.returns.native = (row) => this.of(row).save();
  }

  observe(row: number, value: number): void {
    this.#changing(row).observe(value);
  }

  /** Adds what was observed elsewhere. */
  add(row: number, observed: NativeHistogram): void {
    this.#changing(row).add(observed);
  }

  /** The histogram of a row, empty if it observed nothing yet. */
  of(row: number): NativeHistogram {
    const found = this.#histograms.get(row);
    return found && found.born === this.#table.born[row] ? found.histogram : EMPTY;
  }

  /** What a series shows in the place of its histogram. */
  shown({ native }: Base): NativeHistogram {
    return native ? NativeHistogram.restore(native) : EMPTY;
  }

  get dirty(): boolean {
    return this.#changed.size > 0;
  }

  /** What changed since it was last taken. */
  take(name: string): readonly Cell[] {
    const cells = Array.from(this.#changed, (row): Cell => {
      const { born, histogram } = this.#histograms.get(row)!;
      return [['native', name, row], { born, ...histogram.save() } satisfies Saved];
    });
    this.#changed.clear();
    return cells;
  }

  /** Takes back what was saved, after the table's rows. */
  restore(saved: SavedCells, name: string): void {
    for (const [[row], value] of saved.under('native', name)) {
      // Written by `take`; the version of the state's format vouches for the shape.
      const { born, ...native } = value as Saved;
      this.#histograms.set(Number(row), { born, histogram: NativeHistogram.restore(native) });
    }
  }

  #changing(row: number): NativeHistogram {
    this.#changed.add(row);
    const known = this.of(row);
    if (known !== EMPTY) return known;
    const histogram = new NativeHistogram();
    this.#histograms.set(row, { born: this.#table.born[row]!, histogram });
    return histogram;
  }
}
