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
  /** When the last collection that it got began, and the one before that. */
  last: number;
  before: number;
  /** What the registry's `begin` gave when it came: a series that is born or returns from then on it has not seen. */
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

/** What of a scraper is as it was before a collection, if that fails. */
type Was = Pick<Scraper, 'shown' | 'last' | 'before'>;

/** A collection under way. */
interface Begun {
  /** What its scraper was when it began: what it shows goes on from that. */
  readonly from: Was;
  /** What its scraper is again if it fails: that is earlier, where one before it has failed. */
  was: Was;
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
  /** The collections of each scraper that may still fail, oldest first. */
  readonly #before = new WeakMap<Scraper, Begun[]>();
  /** Collections that have neither arrived nor failed yet. */
  #open = 0;
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
    // Only the newest: what it shows goes on from those before it, and may have arrived.
    return this.#scrapers.map((scraper) => ({ ...scraper, ...this.#before.get(scraper)?.at(-1)?.from }));
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
    const { shown, last, before } = scraper;
    Object.assign(scraper, { seen: now, shown: births, last: now, before: last });
    this.#changed = true;
    const given: AllGiven = [];
    const from = { shown, last, before };
    const mine: Begun = { from, was: from };
    const all = this.#before.get(scraper) ?? [];
    this.#before.set(scraper, all);
    all.push(mine);
    this.#open += 1;
    this.#tellKnown();
    return {
      scraper,
      known: shown,
      unseen: before,
      collect: ({ since }) => this.#collect(scraper, since, given),
      delivered: () => {
        this.#open -= 1;
        // It showed at its value what the earlier ones showed at 0, and no counter may go back if one of them fails.
        all.splice(0, all.indexOf(mine) + 1);
        this.#changed = true;
        this.#tellKnown();
        // What was given in a collection under way may be owed again: it is not to be forgotten before that is known.
        if (this.#open === 0) this.#sweep();
      },
      failed: () => {
        this.#open -= 1;
        // If it has been forgotten meanwhile, another one may have its index.
        if (!this.#scrapers.includes(scraper)) return;
        for (const { since, slices } of given) {
          for (const slice of slices) since.takeBack(scraper.index, slice);
        }
        const place = all.indexOf(mine);
        if (place >= 0) {
          const next = all[place + 1];
          if (next) next.was = mine.was;
          else Object.assign(scraper, mine.was);
          all.splice(place, 1);
        }
        this.#tellKnown();
        this.#changed = true;
      },
    };
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

  /** Any collection under way may fail, and then what it showed is not known. */
  #tellKnown(): void {
    const known = new Set<number>();
    for (const scraper of this.#scrapers) {
      known.add(scraper.shown);
      for (const { from, was } of this.#before.get(scraper) ?? []) known.add(from.shown).add(was.shown);
    }
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
