import type { Family } from './family.ts';
import type { Registry } from './registry.ts';
import type { Given, SinceValues } from './since.ts';

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
  /** When the last collection that it got began, and the last one that it had got by then. */
  last: number;
  before: number;
  /** What the registry's `begin` gave at the last collection that it got: what is born or returns from then on is new to it. */
  shown: number;
}

/** One collection by one scraper, to be ended by either `delivered` or `failed`. */
export interface Collection {
  readonly scraper: Scraper;
  /** Series that were born or returned before this were shown to this scraper, or before it first came. */
  readonly known: number;
  /**
   * What changed from then on may not have been shown to this scraper, in milliseconds since 1970: that of two
   * collections, as in the first of them a series that is new, or returns, is shown at its base.
   */
  readonly unseen: number;
  /** What the scraper is owed of a family, some rows at a time; once told, it counts as given. */
  collect(family: Family): Iterable<Given>;
  delivered(): void;
  /** The answer did not arrive: all of it is owed again. */
  failed(): void;
}

/** What a collection gave of each metric. */
type AllGiven = { readonly since: SinceValues; readonly slices: readonly Given[] }[];

/**
 * Tells scrapers apart, and what each has been given, so that two servers each see every event once.
 * Nothing here waits; whoever saves state saves `saved()` with the series.
 */
export class Scrapers {
  #scrapers: Scraper[] = [];
  readonly #registry: Registry;
  /** Collections that have neither arrived nor failed yet. */
  readonly #open = new Set<Collection>();
  /** Collections that were ever begun. */
  #begun = 0;
  /** The newest collection that each scraper got, by its number among these. */
  readonly #newest = new WeakMap<Scraper, number>();
  #rotated: number;
  #changed = false;

  constructor(registry: Registry, now: number) {
    this.#registry = registry;
    this.#rotated = now;
  }

  list(): readonly Readonly<Scraper>[] {
    return this.#scrapers;
  }

  /** The list as it is to be saved: if it is taken back while a collection is under way, that has failed. */
  saved(): readonly Scraper[] {
    return this.#scrapers.map((scraper) => ({ ...scraper }));
  }

  /** Takes the list back, after the series. */
  restore(scrapers: readonly Scraper[]): void {
    this.#scrapers = scrapers.map((scraper) => ({ ...scraper }));
    for (const { shown } of scrapers) this.#registry.births = Math.max(this.#registry.births, shown);
    this.#tellKnown();
  }

  /** True once, if the list changed since it was last asked. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Begins a collection. */
  begin(id: string, now: number): Collection {
    this.#age(now);
    const births = this.#registry.begin();
    const scraper = this.#scrapers.find((known) => known.id === id) ?? this.#welcome(id, now);
    const { shown: known, last, before: unseen } = scraper;
    scraper.seen = now;
    this.#changed = true;
    const given: AllGiven = [];
    const number = ++this.#begun;
    const collection: Collection = {
      scraper,
      known,
      unseen,
      collect: ({ since }) => this.#collect(scraper, since, given),
      delivered: () => {
        this.#open.delete(collection);
        // One that began later showed all that this one did.
        if (number > (this.#newest.get(scraper) ?? 0)) {
          this.#newest.set(scraper, number);
          Object.assign(scraper, { shown: births, last: now, before: last });
        }
        this.#changed = true;
        this.#tellKnown();
        // What was given in a collection under way may be owed again: it is not to be forgotten before that is known.
        if (this.#open.size === 0) this.#sweep();
      },
      failed: () => {
        this.#open.delete(collection);
        // If it has been forgotten meanwhile, another one may have its index.
        if (!this.#scrapers.includes(scraper)) return;
        for (const { since, slices } of given) {
          for (const slice of slices) since.takeBack(scraper.index, slice);
        }
        this.#tellKnown();
        this.#changed = true;
      },
    };
    this.#open.add(collection);
    this.#tellKnown();
    return collection;
  }

  *#collect(scraper: Scraper, since: SinceValues | null, given: AllGiven): Generator<Given> {
    if (!since || !this.#scrapers.includes(scraper)) return;
    const slices: Given[] = [];
    given.push({ since, slices });
    for (const slice of since.give(scraper.index)) {
      slices.push(slice);
      yield slice;
      // If it has been forgotten meanwhile, what comes now is for the one that has its index.
      if (!this.#scrapers.includes(scraper)) return;
    }
  }

  #welcome(id: string, now: number): Scraper {
    if (this.#scrapers.length >= SCRAPER_LIMIT) {
      const oldest = this.#scrapers.reduce((a, b) => (b.seen < a.seen ? b : a));
      this.#scrapers = this.#scrapers.filter((scraper) => scraper !== oldest);
    }
    const taken = new Set(this.#scrapers.map(({ index }) => index));
    let index = 0;
    while (taken.has(index)) index++;
    // All is shown to it once, so that it knows where what is idle goes on from.
    const scraper = { id, index, seen: now, last: now, before: 0, shown: this.#registry.births };
    this.#scrapers.push(scraper);
    for (const { since } of this.#registry.families.values()) since?.welcome(index);
    return scraper;
  }

  #tellKnown(): void {
    const known = new Set(this.#scrapers.map(({ shown }) => shown));
    for (const collection of this.#open) known.add(collection.known);
    this.#registry.setKnown([...known]);
  }

  #sweep(): void {
    const indexes = this.#scrapers.map(({ index }) => index);
    for (const { since } of this.#registry.families.values()) since?.sweep(indexes);
  }

  #age(now: number): void {
    const kept = this.#scrapers.filter(({ seen }) => now - seen < SCRAPER_TTL_MS);
    if (kept.length < this.#scrapers.length) this.#changed = true;
    this.#scrapers = kept;
    // A clock that was set back must not keep everything until it is where it was.
    if (now < this.#rotated) this.#rotated = now;
    if (now - this.#rotated < NEWCOMER_MS) return;
    for (const { since } of this.#registry.families.values()) since?.rotate();
    this.#rotated = now;
  }
}
