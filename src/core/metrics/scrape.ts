import type { SinceSeries, SinceStore } from './since.ts';

/** Most scrapers that are told apart; the one that was not seen for longest makes room. */
export const SCRAPER_LIMIT = 16;
/** A scraper that does not come for so long is forgotten, in milliseconds. */
export const SCRAPER_TTL_MS = 86_400_000;
/** New scrapers get at least what came within this time, in milliseconds. */
export const NEWCOMER_MS = 3_600_000;

/** One who collects: what was shown to it, and when. */
export interface Scraper {
  readonly id: string;
  readonly index: number;
  /** Milliseconds since 1970. */
  seen: number;
  /** Series of the store that it has been shown; a counter born later is shown to it at 0 first. */
  shown: number;
}

/** One collection by one scraper, to be ended by either `delivered` or `failed`. */
export interface Collection {
  readonly scraper: Scraper;
  /** Slots below this were shown to this scraper before, or before it first came. */
  readonly known: number;
  /** What the scraper is owed of a family; from now on it counts as given. */
  collect(family: string): readonly (readonly [text: string, value: number])[];
  delivered(): void;
  /** The answer did not arrive: all of it is owed again. */
  failed(): void;
}

/**
 * Tells scrapers apart, and what each has been given, so that two servers each see every event once.
 * Nothing here waits; whoever saves state saves `list()` with the store of owed series.
 */
export class Scrapers {
  #scrapers: Scraper[] = [];
  readonly #owed: SinceStore;
  /** What the newest collection of each scraper was given. */
  readonly #newest = new WeakMap<Scraper, object>();
  /** Collections that have neither arrived nor failed yet. */
  #open = 0;
  #rotated: number;
  #changed = false;

  constructor(owed: SinceStore, now: number) {
    this.#owed = owed;
    this.#rotated = now;
  }

  list(): readonly Readonly<Scraper>[] {
    return this.#scrapers;
  }

  restore(scrapers: readonly Scraper[]): void {
    this.#scrapers = scrapers.map((scraper) => ({ ...scraper }));
  }

  /** True once, if the list changed since it was last asked. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Begins a collection; `used` is the number of series slots that the store holds now. */
  begin(id: string, used: number, now: number): Collection {
    this.#age(now);
    const known = this.#scrapers.find((scraper) => scraper.id === id);
    const scraper = known ?? this.#welcome(id, used, now);
    const before = scraper.shown;
    scraper.seen = now;
    scraper.shown = Math.max(scraper.shown, used);
    this.#changed = true;
    const given: (readonly [SinceSeries, number])[] = [];
    this.#newest.set(scraper, given);
    this.#open += 1;
    return {
      scraper,
      known: before,
      collect: (family) => {
        const rows: (readonly [string, number])[] = [];
        for (const series of this.#owed.series(family)) {
          const owed = this.#owed.owed(series, scraper.index);
          if (owed === 0) continue;
          rows.push([series.text, owed]);
          given.push([series, owed]);
          this.#owed.give(series, scraper.index, owed);
        }
        return rows;
      },
      delivered: () => {
        this.#open -= 1;
        // What was given in a collection under way may be owed again: it is not to be forgotten before that is known.
        if (this.#open === 0) this.#owed.sweep(this.#scrapers.map(({ index }) => index));
      },
      failed: () => {
        this.#open -= 1;
        // If it has been forgotten meanwhile, another one may have its index.
        if (!this.#scrapers.includes(scraper)) return;
        for (const [series, owed] of given) this.#owed.give(series, scraper.index, -owed);
        // A newer collection shows at its value what this one showed at 0, and no counter may go back.
        if (this.#newest.get(scraper) === given) scraper.shown = Math.min(scraper.shown, before);
        this.#changed = true;
      },
    };
  }

  #welcome(id: string, used: number, now: number): Scraper {
    if (this.#scrapers.length >= SCRAPER_LIMIT) {
      const oldest = this.#scrapers.reduce((a, b) => (b.seen < a.seen ? b : a));
      this.#scrapers = this.#scrapers.filter((scraper) => scraper !== oldest);
    }
    const taken = new Set(this.#scrapers.map(({ index }) => index));
    let index = 0;
    while (taken.has(index)) index++;
    const scraper = { id, index, seen: now, shown: used };
    this.#scrapers.push(scraper);
    this.#owed.welcome(index);
    return scraper;
  }

  #age(now: number): void {
    const kept = this.#scrapers.filter(({ seen }) => now - seen < SCRAPER_TTL_MS);
    if (kept.length < this.#scrapers.length) this.#changed = true;
    this.#scrapers = kept;
    if (now - this.#rotated >= NEWCOMER_MS) {
      this.#owed.rotate();
      this.#rotated = now;
    }
  }
}
