import type { ChangedChunk } from './changed-rows.ts';
import type { Catalogue, MetricDef } from './define.ts';
import type { Exemplar } from './exemplars.ts';
import { createFamily, type Family, seriesCount, type Texts } from './family.ts';
import { gaugeHandle } from './gauge.ts';
import type { DistinctSeries, Handle, Handles, TopSeries } from './handles.ts';
import type { Label } from './labels.ts';
import type { Audience } from './returns.ts';
import { CounterRows, declared, type LabelSet, OTHER, Rows } from './rows.ts';
import { randomSeed, type Seed } from './sketch/hash.ts';
import type { DistinctSketch, Labelled, TopSketch } from './sketches.ts';
import { AS_IT_IS, Symbols } from './symbols.ts';
import type { SeriesTable } from './table.ts';

/** What the registry is told from outside. */
export interface RegistryOptions {
  /** Most series that one metric may have; what comes after shares one series with all labels `other`. */
  readonly seriesLimit: number;
  /** The same for metrics by name. */
  readonly seriesLimits?: Readonly<Record<string, number>>;
  /** Most series that all metrics may have together. */
  readonly seriesTotal?: number;
  /** Whether histograms are native as well, for those who scrape protobuf. */
  readonly nativeHistograms?: boolean;
  /** Whether exemplars are kept of the metrics that have them, for those who scrape OpenMetrics or protobuf. */
  readonly exemplars?: boolean;
  /** Whether counters and histograms are left out while they do not change. */
  readonly areLeftOut?: boolean;
}

/** Series of a family whose values changed. */
export interface Changed {
  readonly family: Family;
  readonly table: SeriesTable;
  readonly chunks: readonly ChangedChunk[];
}

/** Puts ways to sketches that it can watch in the place of plain ones, as they are asked for. */
export interface Watcher {
  top(family: Family, of: Labelled<TopSketch>, series: TopSeries): TopSeries;
  distinct(family: Family, of: Labelled<DistinctSketch>, series: DistinctSeries): DistinctSeries;
}

type AnyHandle = Handle<MetricDef>;

/** All metrics of the process: families by name. */
export class Registry implements Audience {
  readonly families = new Map<string, Family>();
  /** Of the hashes that count different values: who does not know it cannot make any collide. */
  seed: Seed = randomSeed();
  #isSeedSaved = false;
  readonly texts: Texts;
  /** The time that changes are noted with, in milliseconds since 1970: set once per batch, as asking costs. */
  time = 0;
  /** What the next series to be born is numbered. */
  births = 1;
  /** What collections to come may know. */
  known: readonly number[] = [];
  /** The number of the last series to return. */
  #returned = 0;
  /** Series of gauges that were ever born. */
  gaugesBorn = 0;
  /** Who is told what sketches take: as a rule nobody, as that would cost at each event. */
  watcher: Watcher | null = null;
  /** Series that were there when they were last counted, less all that were ever born until then. */
  #counted = 0;
  readonly #owners = new Set<string>();
  /** Who has registered a metric, by its name. */
  readonly #sharers = new Map<string, Set<string>>();
  /** Whether a series is there, by owner and metric. */
  readonly #lookups = new Map<string, (labels: LabelSet) => boolean>();
  readonly #options: RegistryOptions;
  readonly #limits: ReadonlyMap<string, number>;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#limits = new Map(Object.entries(options.seriesLimits ?? {}));
    this.texts = {
      symbols: new Symbols(),
      suffixes: new Symbols(AS_IT_IS),
      seed: () => this.seed,
      areNative: options.nativeHistograms === true,
      areExemplified: options.exemplars === true,
      areLeftOut: options.areLeftOut === true,
      audience: this,
    };
  }

  /** Begins a collection: all that was born or returned until now has a number below this one, and what comes has not. */
  begin(): number {
    this.births = Math.max(this.births, this.#returned + 1);
    return this.births;
  }

  /** It takes no number of its own, as births would run out of them: a series may return as often as it will. */
  returning(): number {
    this.#returned = this.births;
    return this.births;
  }

  /** Tells what collections to come may know, and forgets what then nobody will be shown. */
  setKnown(known: readonly number[]): void {
    this.known = known;
    const least = known.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
    for (const { table } of this.families.values()) table?.returns.prune(least);
  }

  /** Most series that a metric may have. */
  limitOf({ name }: MetricDef): number {
    const { seriesLimit } = this.#options;
    return this.#limits.get(name) || (isOwn(name) ? Math.max(OWN_LIMIT, seriesLimit) : seriesLimit);
  }

  /** Whether a metric may have one more series; with `times`, that many times as many as it may otherwise. */
  hasRoom(family: Family, times = 1): boolean {
    if (seriesCount(family) >= times * this.limitOf(family.def)) return false;
    const most = times * (this.#options.seriesTotal ?? Number.POSITIVE_INFINITY);
    // No more can be there than were counted last, and those that came since.
    if (this.#counted + this.births + this.gaugesBorn < most || isOwn(family.def.name)) return true;
    let total = 0;
    for (const each of this.families.values()) total += seriesCount(each);
    this.#counted = total - this.births - this.gaugesBorn;
    return total < most;
  }

  /**
   * Registers a catalogue for one owner, such as `reaction/edge`, whose series all carry these constant labels.
   * Several owners may register the same catalogue.
   */
  register<C extends Catalogue>(owner: string, catalogue: C, constant: readonly Label[] = []): Handles<C> {
    this.#owners.add(owner);
    const handles = Object.entries(catalogue).map(([key, def]) => {
      return [key, this.#handle(this.#family(def), owner, constant)] as const;
    });
    // The handle of each entry is made from its own declaration, which the mapped type cannot follow.
    return Object.fromEntries(handles) as unknown as Handles<C>;
  }

  /** What is kept beside numbers: native histograms, exemplars. */
  get forms(): Pick<Texts, 'areNative' | 'areExemplified'> {
    const { areNative, areExemplified } = this.texts;
    return { areNative, areExemplified };
  }

  /** Whether somebody has registered by this name. */
  isOwner(owner: string): boolean {
    return this.#owners.has(owner);
  }

  /** How many owners have registered a metric. */
  ownersOf({ name }: MetricDef): number {
    return this.#sharers.get(name)?.size ?? 0;
  }

  /** Whether this owner has a series of a counter, a histogram or a maximum; false for all else. */
  has(owner: string, { name }: MetricDef, labels: LabelSet): boolean {
    return this.#lookups.get(`${name} ${owner}`)?.(labels) ?? false;
  }

  /** Counts what sketches show, for `seriesCount`. */
  recount(): void {
    for (const { tops, distincts } of this.families.values()) (tops ?? distincts)?.recount(this.time);
    this.#counted = Number.POSITIVE_INFINITY;
  }

  /** Brings what changed since the last call to where it is shown and saved from, and tells what it is. */
  settle(): readonly Changed[] {
    const all: Changed[] = [];
    for (const family of this.families.values()) {
      const { table, bodies, exemplars } = family;
      if (!table) continue;
      const chunks = table.takeChanged(this.time);
      const moved = table.takeMoved();
      const exemplified = exemplars?.takeChanged();
      for (const body of bodies.values()) {
        body.noteChanged(chunks, this.time);
        body.noteMoved(moved);
        if (exemplified && body.hasExemplars) body.noteMoved(exemplified);
      }
      if (chunks.length > 0) all.push({ family, table, chunks });
    }
    return all;
  }

  /** True once, if the seed has to be saved. */
  takeSeedChanged(): boolean {
    const isNew = !this.#isSeedSaved;
    this.#isSeedSaved = true;
    return isNew;
  }

  /** Takes a saved seed back, before any sketch is made. */
  restoreSeed(seed: Seed | undefined): void {
    if (!seed) return;
    this.seed = seed;
    this.#isSeedSaved = true;
  }

  #family(def: MetricDef): Family {
    let family = this.families.get(def.name);
    if (!family) {
      family = createFamily(def, this.texts, this.families.get(def.of ?? '')?.tops ?? null);
      this.families.set(def.name, family);
    } else if (family.def !== def) {
      throw new Error(`metric ${def.name} is declared twice`);
    }
    return family;
  }

  #handle(family: Family, owner: string, constant: readonly Label[]): AnyHandle {
    const { def, table, tops, distincts, maxima } = family;
    const sharers = this.#sharers.get(def.name) ?? new Set();
    this.#sharers.set(def.name, sharers.add(owner));
    const lookup = `${def.name} ${owner}`;
    if (table) {
      const rows = new Rows(this, family, table, [owner, constant]);
      this.#lookups.set(lookup, (labels) => rows.has(labels));
      return rowsHandle(rows, family, table);
    }
    const others = [...def.labels.map((name): Label => [name, OTHER]), ...constant];
    const all = (labels: LabelSet) => [...declared(def.labels, labels), ...constant];
    if (tops)
      return {
        series: (labels: LabelSet, n: number) => {
          const found = tops.get(owner, all(labels), others);
          const series = found.sketch.series(n, this, tops);
          return this.watcher ? this.watcher.top(family, found, series) : series;
        },
      };
    if (distincts)
      return {
        series: (labels: LabelSet) => {
          const found = distincts.get(owner, all(labels), others);
          const series = found.sketch.series(this, distincts);
          return this.watcher ? this.watcher.distinct(family, found, series) : series;
        },
      };
    if (maxima) {
      this.#lookups.set(lookup, (labels) => maxima.has(owner, all(labels)));
      return maxima.handle(family, [owner, constant], this);
    }
    return def.type === 'topError' ? null : gaugeHandle(family, [owner, constant], this);
  }
}

/** Series that a metric of the program itself may have at least. */
const OWN_LIMIT = 10_000;

/** Metrics of the program itself have labels of small sets, and have to tell which of the others are limited. */
function isOwn(name: string): boolean {
  return name.startsWith('trailgauge_');
}

function rowsHandle(rows: Rows, { def, natives, exemplars }: Family, table: SeriesTable): AnyHandle {
  const { type, buckets = [] } = def;
  if (type === 'histogram') {
    const exemplifyIn = (row: number, exemplar: Exemplar) =>
      exemplars?.note(row, bucketOf(buckets, exemplar.value), exemplar);
    const observeIn = (row: number, value: number) => {
      table.add(row, bucketOf(buckets, value), 1);
      table.add(row, buckets.length + 1, value);
      // After the table, which notes what they were before a return.
      natives?.observe(row, value);
    };
    return {
      // A series that gave its row to another one is found anew.
      series: (labels: LabelSet) => ({
        observe: (value: number) => observeIn(rows.row(labels), value),
        exemplify: (exemplar: Exemplar) => exemplifyIn(rows.row(labels, 0), exemplar),
      }),
      observe: (labels, value) => observeIn(rows.row(labels), value),
      add: (labels, { counts, native, exemplars: newest = [] }) => {
        let events = 0;
        for (let i = 0; i <= buckets.length; i++) events += counts[i]!;
        if (events === 0) return;
        const row = rows.row(labels, events);
        for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) table.add(row, i, counts[i]!);
        if (native) natives?.add(row, native);
        for (const exemplar of newest) exemplifyIn(row, exemplar);
      },
    };
  }
  if (type === 'since') return { series: (labels: LabelSet, extra: readonly Label[]) => rows.series(labels, extra) };
  return new CounterRows(rows, table);
}

/** The place of the bucket that takes a value. */
export function bucketOf(buckets: readonly number[], value: number): number {
  let bucket = 0;
  // What is no number is above all bounds.
  while (bucket < buckets.length && !(value <= buckets[bucket]!)) bucket++;
  return bucket;
}
