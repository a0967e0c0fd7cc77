/** One series of a "since the last collection" gauge. */
export interface SinceSeries {
  readonly slot: number;
  readonly family: string;
  readonly scope: string;
  /** Its labels as text: see `labelText`. */
  readonly text: string;
  /** All that was ever added. */
  total: number;
  /** `total` one, and up to two, rotations ago: what a scraper that is new now no longer gets. */
  base: number;
  oldBase: number;
  /** `total` at the last collection of each scraper, by its index. */
  given: (number | undefined)[];
  /** Whether it is among those to be saved. */
  changed: boolean;
  /** False once it is forgotten: whoever keeps it must ask for a new one. */
  alive: boolean;
}

/** The saved form of a series. */
export type SavedSince = readonly [
  family: string,
  scope: string,
  text: string,
  total: number,
  base: number,
  oldBase: number,
  given: readonly (number | null)[],
];

/**
 * What each scraper is still owed.
 *
 * A series is kept as a running total and, per scraper, the total that it was last given; the difference is what it
 * sees. A series that every scraper has seen whole, and that is older than a new scraper would get, is forgotten.
 */
export class SinceStore {
  #slots: (SinceSeries | undefined)[] = [];
  #free: number[] = [];
  #changed: number[] = [];
  #families = new Map<string, Map<string, SinceSeries>>();

  /** The series of a family with these labels, if it is there. */
  find(family: string, text: string): SinceSeries | undefined {
    return this.#families.get(family)?.get(text);
  }

  /** Number of series of a family. */
  size(family: string): number {
    return this.#families.get(family)?.size ?? 0;
  }

  series(family: string): Iterable<SinceSeries> {
    return this.#families.get(family)?.values() ?? [];
  }

  /** A new series at 0. */
  create(family: string, scope: string, text: string): SinceSeries {
    const slot = this.#free.pop() ?? this.#slots.length;
    const series: SinceSeries = {
      slot,
      family,
      scope,
      text,
      total: 0,
      base: 0,
      oldBase: 0,
      given: [],
      changed: false,
      alive: true,
    };
    this.#keep(series);
    this.#mark(series);
    return series;
  }

  inc(series: SinceSeries, by: number): void {
    series.total += by;
    this.#mark(series);
  }

  /** What this scraper has not been given yet. */
  owed(series: SinceSeries, scraper: number): number {
    return series.total - (series.given[scraper] ?? 0);
  }

  /** Notes that the scraper has (or, with a negative amount, has not) been given so much. */
  give(series: SinceSeries, scraper: number, amount: number): void {
    if (!series.alive) return;
    series.given[scraper] = (series.given[scraper] ?? 0) + amount;
    this.#mark(series);
  }

  /** A scraper comes for the first time: it is owed what new scrapers get. */
  welcome(scraper: number): void {
    for (const series of this.#all()) {
      series.given[scraper] = series.oldBase;
      this.#mark(series);
    }
  }

  /** Time goes on: new scrapers no longer get what is older than two rotations. */
  rotate(): void {
    for (const series of this.#all()) {
      if (series.oldBase === series.base && series.base === series.total) continue;
      series.oldBase = series.base;
      series.base = series.total;
      this.#mark(series);
    }
  }

  /** Forgets what nobody, known or new, would be given. */
  sweep(scrapers: readonly number[]): void {
    for (const series of this.#all()) {
      if (series.oldBase !== series.total) continue;
      if (scrapers.some((scraper) => this.owed(series, scraper) !== 0)) continue;
      series.alive = false;
      this.#slots[series.slot] = undefined;
      this.#free.push(series.slot);
      this.#families.get(series.family)?.delete(series.text);
      this.#mark(series);
    }
  }

  get dirty(): boolean {
    return this.#changed.length > 0;
  }

  /** What changed since it was last taken: slot and saved form, null for a forgotten one. */
  take(): readonly { slot: number; saved: SavedSince | null }[] {
    // A forgotten slot that was taken again stands here twice; both say what is there now.
    const changed = this.#changed.map((slot) => {
      const series = this.#slots[slot];
      if (series) series.changed = false;
      return { slot, saved: series ? savedForm(series) : null };
    });
    this.#changed = [];
    return changed;
  }

  /** Takes a saved series back, also for scrapers that are new after the restart. */
  restore(slot: number, [family, scope, text, total, base, oldBase, given]: SavedSince): void {
    const restored = given.map((value) => value ?? undefined);
    this.#keep({ slot, family, scope, text, total, base, oldBase, given: restored, changed: false, alive: true });
  }

  /** Ends a restore: slots that no series took are free. */
  restored(): void {
    for (let slot = 0; slot < this.#slots.length; slot++) if (!this.#slots[slot]) this.#free.push(slot);
  }

  #mark(series: SinceSeries): void {
    if (series.changed) return;
    series.changed = true;
    this.#changed.push(series.slot);
  }

  #keep(series: SinceSeries): void {
    this.#slots[series.slot] = series;
    let family = this.#families.get(series.family);
    if (!family) this.#families.set(series.family, (family = new Map()));
    family.set(series.text, series);
  }

  *#all(): Generator<SinceSeries> {
    for (const series of this.#slots) if (series) yield series;
  }
}

function savedForm(series: SinceSeries): SavedSince {
  const { family, scope, text, total, base, oldBase } = series;
  return [family, scope, text, total, base, oldBase, Array.from(series.given, (value) => value ?? null)];
}
