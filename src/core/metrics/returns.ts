import type { Column } from './column.ts';
import type { SavedNative } from './native.ts';
import { CHUNK_ROWS, PAGE_ROWS, Pages } from './pages.ts';

/** What a series is shown as once, before its values, to those who were not shown it before or had it left out. */
export interface Base {
  readonly values: readonly number[];
  /** The same in the native form; null if there is none. */
  readonly native: SavedNative | null;
}

/** Who collects, as far as series have to know. */
export interface Audience {
  /** The number of a series that returns now. All that do before another collection begins may have the same. */
  returning(): number;
  /** What collections to come may have as `known`, in any order. */
  readonly known: readonly number[];
}

/** A series that returned: whoever knows no more than this number is shown the base. */
interface Return extends Base {
  readonly number: number;
}

type SavedReturn = readonly [row: number, number: number, values: readonly number[], native: SavedNative | null];

/** Those of some rows as they are saved; undefined if there are none. */
export interface SavedReturns {
  readonly page: number;
  readonly returns: readonly SavedReturn[] | undefined;
}

/**
 * The series of one table that changed after they had been left out, with the values of before, until all scrapers have
 * been shown them. A series may return for one scraper before another one, which comes more seldom, has seen that it
 * returned before: so one may have several, each for those scrapers that were shown the one before it.
 */
export class Returns {
  /** The native form of a row, where there is one. */
  native: ((row: number) => SavedNative) | null = null;
  /** By row, those that returned long ago first; of each row likewise. */
  readonly #returns = new Map<number, readonly Return[]>();
  readonly #audience: Audience;
  /** The highest number of each chunk of rows, forgotten ones included. */
  readonly #newest: number[] = [];
  /** Rows that are saved together. */
  readonly #pageRows: number;
  readonly #unsaved = new Pages();

  /** Of rows with so many values. */
  constructor(audience: Audience, width: number) {
    this.#audience = audience;
    this.#pageRows = Math.max(1, Math.floor(PAGE_ROWS / width));
  }

  /** Notes that a row returns, and what its values are before that. */
  note(row: number, totals: Column): void {
    if (this.#audience.known.length === 0) return;
    const values = totals.copy(row);
    const next = { number: this.#audience.returning(), values, native: this.native?.(row) ?? null };
    const earlier = this.#returns.get(row);
    this.forget(row);
    this.#set(row, earlier ? this.#needed([...earlier, next]) : [next]);
    this.#unsaved.note((row / this.#pageRows) | 0);
  }

  /** What one who knows all that was born or returned before `known` is shown of a row; undefined for its values. */
  find(row: number, known: number): Base | undefined {
    return this.#returns.get(row)?.find(({ number }) => number >= known);
  }

  /** The highest number that a return in a chunk of rows ever had. */
  newest(chunk: number): number {
    return this.#newest[chunk] ?? 0;
  }

  /** The highest number of all. */
  get last(): number {
    return this.#newest.reduce((last, number) => Math.max(last, number), 0);
  }

  /** Forgets what nobody will be shown who knows all before `known`. */
  prune(known: number): void {
    for (const [row, returns] of this.#returns) {
      if (returns.at(-1)!.number >= known) return;
      this.forget(row);
    }
  }

  /** Forgets a row. */
  forget(row: number): void {
    if (this.#returns.delete(row)) this.#unsaved.note((row / this.#pageRows) | 0);
  }

  get dirty(): boolean {
    return this.#unsaved.any;
  }

  /** Takes the pages that changed since the last call. */
  take(): readonly SavedReturns[] {
    return this.#unsaved.take().map((page) => {
      const returns: SavedReturn[] = [];
      for (let row = page * this.#pageRows; row < (page + 1) * this.#pageRows; row++) {
        for (const { number, values, native } of this.#returns.get(row) ?? []) {
          returns.push([row, number, values, native]);
        }
      }
      return { page, returns: returns.length > 0 ? returns : undefined };
    });
  }

  /** Takes a saved page back. */
  restore({ returns = [] }: SavedReturns): void {
    for (const [row, number, values, native] of returns) {
      this.#set(row, [...(this.#returns.get(row) ?? []), { number, values, native }]);
    }
  }

  /** Those that somebody is to be shown: of two with the same number, and nobody can know what is between, the first. */
  #needed(all: readonly Return[]): readonly Return[] {
    const { known } = this.#audience;
    return all.filter(({ number }, index) => {
      const before = all[index - 1]?.number ?? Number.NEGATIVE_INFINITY;
      return known.some((one) => before < one && one <= number);
    });
  }

  #set(row: number, returns: readonly Return[]): void {
    this.#returns.set(row, returns);
    const chunk = (row / CHUNK_ROWS) | 0;
    this.#newest[chunk] = Math.max(this.newest(chunk), returns.at(-1)!.number);
  }
}
