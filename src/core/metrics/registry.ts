import type { Catalogue, MetricDef } from './define.ts';
import { type Label, labelText } from './labels.ts';
import { type SavedSince, type SinceSeries, SinceStore } from './since.ts';
import { type SeriesBirth, SeriesStore } from './store.ts';

/** The labels of one series, by the names that its metric declares. */
export type LabelValues<D extends MetricDef> = { readonly [L in D['labels'][number]]: string };

/** A kept way to one counter series: the fast way to count. */
export interface CounterSeries {
  inc(by?: number): void;
}

/** A kept way to one "since the last collection" series; ask for a new one when it is no longer `alive`. */
export interface OwedSeries {
  readonly alive: boolean;
  inc(): void;
}

export interface Counter<D extends MetricDef> {
  series(labels: LabelValues<D>): CounterSeries;
  inc(labels: LabelValues<D>, by?: number): void;
}

export interface Gauge<D extends MetricDef> {
  set(labels: LabelValues<D>, value: number): void;
  /** Puts these series in the place of all that this source has shown. */
  replace(series: Iterable<readonly [labels: LabelValues<D>, value: number, extra?: readonly Label[]]>): void;
}

export interface Histogram<D extends MetricDef> {
  observe(labels: LabelValues<D>, value: number): void;
}

export interface Since<D extends MetricDef> {
  series(labels: LabelValues<D>, extra: readonly Label[]): OwedSeries;
}

/** The handle that a metric's declaration gives. */
export type Handle<D extends MetricDef> = D['type'] extends 'counter'
  ? Counter<D>
  : D['type'] extends 'gauge'
    ? Gauge<D>
    : D['type'] extends 'histogram'
      ? Histogram<D>
      : Since<D>;

/** Typed handles of a whole catalogue. */
export type Handles<C extends Catalogue> = { readonly [K in keyof C]: Handle<C[K]> };

/** One metric with all of its series, whichever instance they belong to. */
export interface Family {
  readonly def: MetricDef;
  /** Series by label text; empty for gauges and `since`. */
  readonly series: Map<string, SeriesBirth>;
  /** Gauge values by owner, then label text. */
  readonly gauges: Map<string, Map<string, number>>;
  /** Events that fell over the limit since the last `takeLimited`. */
  limited: number;
}

/** What the registry is told from outside. */
export interface RegistryOptions {
  /** Most series that one metric may have; what comes after shares one series with all labels `other`. */
  readonly seriesLimit: number;
}

/** Value of every label of the series that takes what falls over the limit. */
const OTHER = 'other';

/** All metrics of the process: families by name, with stores for their values. */
export class Registry {
  readonly families = new Map<string, Family>();
  readonly store = new SeriesStore();
  readonly owed = new SinceStore();
  readonly #scopes = new Set<string>();
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get seriesLimit(): number {
    return this.#options.seriesLimit;
  }

  /**
   * Registers a catalogue for one owner (`scope`), whose series all carry these constant labels.
   * Several owners may register the same catalogue.
   */
  register<C extends Catalogue>(scope: string, catalogue: C, constant: readonly Label[] = []): Handles<C> {
    this.#scopes.add(scope);
    const handles = Object.entries(catalogue).map(([key, def]) => {
      const family = this.#family(def);
      return [key, this.#handle(family, scope, constant)] as const;
    });
    // The handle of each entry is made from its own declaration, which the mapped type cannot follow.
    return Object.fromEntries(handles) as unknown as Handles<C>;
  }

  /** Number of series that a family shows. */
  seriesCount(family: Family): number {
    if (family.def.type === 'since') return this.owed.size(family.def.name);
    if (family.def.type !== 'gauge') return family.series.size;
    let count = 0;
    for (const shown of family.gauges.values()) count += shown.size;
    return count;
  }

  /** Takes saved series back, after all catalogues are registered. Those of owners that are gone stay saved, unseen. */
  restore(births: Iterable<SeriesBirth>, pages: Iterable<readonly [number, Float64Array]>): void {
    for (const birth of births) {
      this.store.restore(birth);
      const family = this.families.get(birth.family);
      const width = family ? seriesWidth(family.def) : 0;
      if (family && this.#scopes.has(birth.scope) && width === birth.width) family.series.set(birth.text, birth);
    }
    for (const [page, values] of pages) this.store.restorePage(page, values);
  }

  /** Takes back what scrapers are still owed. */
  restoreOwed(saved: Iterable<readonly [number, SavedSince]>): void {
    for (const [slot, series] of saved) {
      if (this.families.has(series[0]) && this.#scopes.has(series[1])) this.owed.restore(slot, series);
    }
    this.owed.restored();
  }

  #family(def: MetricDef): Family {
    let family = this.families.get(def.name);
    if (!family) {
      family = { def, series: new Map(), gauges: new Map(), limited: 0 };
      this.families.set(def.name, family);
    } else if (family.def !== def) {
      throw new Error(`metric ${def.name} is declared twice`);
    }
    return family;
  }

  #handle(
    family: Family,
    scope: string,
    constant: readonly Label[],
  ): Counter<MetricDef> | Gauge<MetricDef> | Histogram<MetricDef> | Since<MetricDef> {
    switch (family.def.type) {
      case 'counter':
        return this.#counter(family, scope, constant);
      case 'gauge':
        return this.#gauge(family, scope, constant);
      case 'histogram':
        return this.#histogram(family, scope, constant);
      case 'since':
        return this.#since(family, scope, constant);
    }
  }

  #counter(family: Family, scope: string, constant: readonly Label[]): Counter<MetricDef> {
    const { store } = this;
    const series = (labels: Readonly<Record<string, string>>): CounterSeries => {
      const { birth, over } = this.#series(family, scope, constant, labels);
      if (!over) return { inc: (by = 1) => store.inc(birth.slot, by) };
      return {
        inc: (by = 1) => {
          family.limited += 1;
          store.inc(birth.slot, by);
        },
      };
    };
    return { series, inc: (labels, by) => series(labels).inc(by) };
  }

  #histogram(family: Family, scope: string, constant: readonly Label[]): Histogram<MetricDef> {
    const { store } = this;
    const buckets = family.def.buckets ?? [];
    return {
      observe: (labels, value) => {
        const { birth, over } = this.#series(family, scope, constant, labels);
        if (over) family.limited += 1;
        const found = buckets.findIndex((bound) => value <= bound);
        store.inc(birth.slot + (found < 0 ? buckets.length : found), 1);
        store.inc(birth.slot + buckets.length + 1, value);
      },
    };
  }

  #gauge(family: Family, scope: string, constant: readonly Label[]): Gauge<MetricDef> {
    let shown = family.gauges.get(scope);
    if (!shown) family.gauges.set(scope, (shown = new Map()));
    const target = shown;
    const put = (labels: readonly Label[], overflow: readonly Label[], value: number, sum: boolean) => {
      let text = labelText(labels);
      if (!target.has(text) && this.seriesCount(family) >= this.#options.seriesLimit) {
        family.limited += 1;
        text = labelText(overflow);
      }
      target.set(text, sum ? (target.get(text) ?? 0) + value : value);
    };
    return {
      set: (labels, value) => put(this.#pairs(family, constant, labels), this.#others(family, constant), value, false),
      replace: (series) => {
        target.clear();
        for (const [labels, value, extra = []] of series) {
          const pairs = this.#pairs(family, constant, labels);
          const overflow = extra.length > 0 ? [...pairs, ...others(extra)] : this.#others(family, constant);
          put([...pairs, ...sorted(extra)], overflow, value, true);
        }
      },
    };
  }

  #since(family: Family, scope: string, constant: readonly Label[]): Since<MetricDef> {
    const { owed } = this;
    const { name } = family.def;
    return {
      series: (labels, extra) => {
        const pairs = this.#pairs(family, constant, labels);
        const text = labelText([...pairs, ...sorted(extra)]);
        const known = owed.find(name, text);
        if (known) return new Owed(owed, known);
        if (owed.size(name) < this.#options.seriesLimit) return new Owed(owed, owed.create(name, scope, text));
        const overflow = labelText(extra.length > 0 ? [...pairs, ...others(extra)] : this.#others(family, constant));
        const shared = owed.find(name, overflow) ?? owed.create(name, scope, overflow);
        return new LimitedOwed(owed, shared, family, this.#options.seriesLimit);
      },
    };
  }

  /** The series with these labels, or, over the limit, the one that stands for all others. */
  #series(
    family: Family,
    scope: string,
    constant: readonly Label[],
    labels: Readonly<Record<string, string>>,
  ): { birth: SeriesBirth; over: boolean } {
    const text = labelText(this.#pairs(family, constant, labels));
    const known = family.series.get(text);
    if (known) return { birth: known, over: false };
    if (family.series.size < this.#options.seriesLimit) return { birth: this.#bear(family, scope, text), over: false };
    const overflow = labelText(this.#others(family, constant));
    return { birth: family.series.get(overflow) ?? this.#bear(family, scope, overflow), over: true };
  }

  #bear(family: Family, scope: string, text: string): SeriesBirth {
    const width = seriesWidth(family.def);
    const birth = this.store.add({ width, family: family.def.name, scope, text });
    family.series.set(text, birth);
    return birth;
  }

  #pairs(family: Family, constant: readonly Label[], labels: Readonly<Record<string, string>>): Label[] {
    return [...family.def.labels.map((name): Label => [name, labels[name] ?? '']), ...constant];
  }

  #others(family: Family, constant: readonly Label[]): Label[] {
    return [...family.def.labels.map((name): Label => [name, OTHER]), ...constant];
  }
}

/** Stands for all series over the limit, until there is room again. */
class LimitedOwed implements OwedSeries {
  readonly #store: SinceStore;
  readonly #series: SinceSeries;
  readonly #family: Family;
  readonly #limit: number;

  constructor(store: SinceStore, series: SinceSeries, family: Family, limit: number) {
    this.#store = store;
    this.#series = series;
    this.#family = family;
    this.#limit = limit;
  }

  get alive(): boolean {
    return this.#series.alive && this.#store.size(this.#series.family) >= this.#limit;
  }

  inc(): void {
    this.#family.limited += 1;
    this.#store.inc(this.#series, 1);
  }
}

class Owed implements OwedSeries {
  readonly #store: SinceStore;
  readonly #series: SinceSeries;

  constructor(store: SinceStore, series: SinceSeries) {
    this.#store = store;
    this.#series = series;
  }

  get alive(): boolean {
    return this.#series.alive;
  }

  inc(): void {
    this.#store.inc(this.#series, 1);
  }
}

function seriesWidth(def: MetricDef): number {
  return def.type === 'histogram' ? (def.buckets?.length ?? 0) + 2 : 1;
}

function others(extra: readonly Label[]): Label[] {
  return sorted(extra).map(([name]): Label => [name, OTHER]);
}

/** By name, so that one set of labels has one text. */
function sorted(extra: readonly Label[]): readonly Label[] {
  return extra.length < 2 ? extra : [...extra].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
