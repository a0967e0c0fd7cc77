/** Values of one page, the unit in which changed totals are saved. */
export const PAGE_VALUES = 64;

/** What is known of a series once and for all; `slot` is the first of its values. */
export interface SeriesBirth {
  readonly slot: number;
  /** Number of values: 1, or for a histogram one per bucket, +Inf, and the sum. */
  readonly width: number;
  readonly family: string;
  /** The instance that owns it, such as `reaction/edge`, or `` for the program itself. */
  readonly scope: string;
  /** Its labels as text: see `labelText`. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/**
 * The values of series, in one typed array that grows.
 *
 * Slots are given out in order of birth and never move, so that a slot is a series' name in the saved state, and
 * "everything born after" is a comparison. Changed pages are remembered until they are taken to be saved.
 */
export class SeriesStore {
  values = new Float64Array(PAGE_VALUES * 16);
  /** Milliseconds since 1970 of the last change, by slot. */
  touched = new Float64Array(PAGE_VALUES * 16);
  used = 0;
  /** The time that changes are noted with, in milliseconds since 1970: set once per batch, as asking costs. */
  time = 0;
  #dirty = new Uint8Array(16);
  #dirtyPages: number[] = [];
  #births: SeriesBirth[] = [];

  /** Gives out slots for a new series; its birth is to be saved. */
  add(birth: Omit<SeriesBirth, 'slot' | 'created'>): SeriesBirth {
    const born = { ...birth, slot: this.used, created: this.time };
    this.#reserve(born.slot + born.width);
    this.touched.fill(this.time, born.slot, this.used);
    this.#births.push(born);
    for (let slot = born.slot; slot < this.used; slot += PAGE_VALUES) this.#mark(slot);
    this.#mark(this.used - 1);
    return born;
  }

  /** Takes a saved series back at its slot. */
  restore(birth: SeriesBirth): void {
    this.#reserve(birth.slot + birth.width);
    this.touched.fill(this.time, birth.slot, birth.slot + birth.width);
  }

  /** Takes a saved page of values back. */
  restorePage(page: number, values: Float64Array): void {
    this.#reserve((page + 1) * PAGE_VALUES, false);
    this.values.set(values.subarray(0, PAGE_VALUES), page * PAGE_VALUES);
  }

  inc(slot: number, by: number): void {
    this.values[slot]! += by;
    this.touched[slot] = this.time;
    this.#mark(slot);
  }

  get dirty(): boolean {
    return this.#dirtyPages.length > 0 || this.#births.length > 0;
  }

  /** What changed since it was last taken: births, and copies of the changed pages. */
  take(): { births: readonly SeriesBirth[]; pages: readonly { page: number; values: Float64Array }[] } {
    const births = this.#births;
    const pages = this.#dirtyPages.map((page) => {
      this.#dirty[page] = 0;
      return { page, values: this.values.slice(page * PAGE_VALUES, (page + 1) * PAGE_VALUES) };
    });
    this.#births = [];
    this.#dirtyPages = [];
    return { births, pages };
  }

  #mark(slot: number): void {
    const page = Math.floor(slot / PAGE_VALUES);
    if (this.#dirty[page] === 1) return;
    this.#dirty[page] = 1;
    this.#dirtyPages.push(page);
  }

  #reserve(length: number, use = true): void {
    if (use && length > this.used) this.used = length;
    if (length <= this.values.length) return;
    const pages = 2 ** Math.ceil(Math.log2(Math.ceil(length / PAGE_VALUES)));
    this.values = grown(this.values, new Float64Array(pages * PAGE_VALUES));
    this.touched = grown(this.touched, new Float64Array(pages * PAGE_VALUES));
    this.#dirty = grown(this.#dirty, new Uint8Array(pages));
  }
}

function grown<T extends Float64Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
