import type { Catalogue, MetricDef } from './define.ts';
import type { Exemplar, Exemplars } from './exemplars.ts';
import type { Label } from './labels.ts';
import type { NativeHistogram } from './native.ts';
import type { DistinctSlice } from './sketch/distinct-slice.ts';
import type { TopEntry } from './sketch/top.ts';
import type { SeriesTable } from './table.ts';

/** The labels of one series, by the names that its metric declares. */
export type LabelValues<D extends MetricDef> = { readonly [L in D['labels'][number]]: string };

/** What shows events that its value can be traced to, where its metric says so; where not, none is kept. */
export interface Exemplified {
  /** Offers an event, after it was counted. */
  exemplify(exemplar: Exemplar): void;
}

/** A kept way to one counter series: the fast way to count. */
export interface CounterSeries extends Exemplified {
  /** `events` is the number of events that add this: those over a limit are counted. */
  inc(by?: number, events?: number): void;
}

/** A kept way to one "since the last collection" series; ask for a new one when it is no longer `alive`. */
export interface OwedSeries {
  readonly alive: boolean;
  inc(by?: number, events?: number): void;
}

/** How a counter series is counted. */
export interface CounterHow {
  /** A value of its labels has become `other` before: all that it counts is limited, over the limit or not. */
  readonly isLimited?: boolean;
}

export interface Counter<D extends MetricDef> {
  series(labels: LabelValues<D>, how?: CounterHow): CounterSeries;
  inc(labels: LabelValues<D>, by?: number): void;
}

export interface Gauge<D extends MetricDef> {
  set(labels: LabelValues<D>, value: number): void;
  /** Puts these series in the place of all that this source has shown. */
  replace(series: Iterable<readonly [labels: LabelValues<D>, value: number, extra?: readonly Label[]]>): void;
}

/** A kept way to one histogram series. */
export interface HistogramSeries extends Exemplified {
  observe(value: number): void;
}

export interface Histogram<D extends MetricDef> {
  series(labels: LabelValues<D>): HistogramSeries;
  observe(labels: LabelValues<D>, value: number): void;
  /** Adds what was observed elsewhere. */
  add(labels: LabelValues<D>, observed: Observed): void;
}

/** What was observed of one histogram: how many values each bucket took, +Inf the last, then their sum. */
export interface Observed {
  readonly counts: Float64Array;
  /** The same in the native form, where that is wanted. */
  readonly native: NativeHistogram | null;
  /** The newest event of each bucket that has one, where they are kept. */
  readonly exemplars?: readonly Exemplar[];
}

/** A kept way to the greatest value of one set of labels. */
export interface MaximumSeries {
  /** A value of an event of this time, in milliseconds since 1970; `events` is the number of those that it is the greatest of. */
  observe(value: number, time: number, events?: number): void;
}

export interface Maximum<D extends MetricDef> {
  series(labels: LabelValues<D>): MaximumSeries;
  /** There was an event of this time, with a value or without. */
  advance(time: number): void;
}

export interface Since<D extends MetricDef> {
  series(labels: LabelValues<D>, extra: readonly Label[]): OwedSeries;
}

/** A kept way to the frequent values of one set of labels. */
export interface TopSeries {
  /** What stands for a value that will come again; it holds good for ever. */
  track(value: string): TopEntry;
  /** Counts a value of events of this time, in milliseconds since 1970; null is now. */
  add(entry: TopEntry, time: number | null, times: number): void;
}

/** A kept way to the different values of one set of labels. */
export interface DistinctSeries {
  /** What stands for a value. */
  hash(value: string): number;
  /** Counts a value of an event of this time, in milliseconds since 1970; null is now. */
  add(hash: number, time: number | null): void;
  /** Counts values whose hashes were collected elsewhere, all of one slice of the window, which this time is in. */
  absorb(values: DistinctSlice, time: number | null): void;
}

export interface Top<D extends MetricDef> {
  /** From now on the `n` most frequent values are shown. */
  series(labels: LabelValues<D>, n: number): TopSeries;
}

export interface Distinct<D extends MetricDef> {
  series(labels: LabelValues<D>): DistinctSeries;
}

/** What the declaration of a metric of each type gives. */
interface HandleOf<D extends MetricDef> {
  readonly counter: Counter<D>;
  readonly gauge: Gauge<D>;
  readonly histogram: Histogram<D>;
  readonly since: Since<D>;
  readonly top: Top<D>;
  /** It follows from what it tells of. */
  readonly topError: null;
  readonly distinct: Distinct<D>;
  readonly maximum: Maximum<D>;
}

/** The handle that a metric's declaration gives. */
export type Handle<D extends MetricDef> = HandleOf<D>[D['type']];

/** Typed handles of a whole catalogue. */
export type Handles<C extends Catalogue> = { readonly [K in keyof C]: Handle<C[K]> };

/** What holds the rows of a metric. */
export interface RowsOf {
  readonly table: SeriesTable;
  readonly exemplars: Exemplars | null;
}

/** A series in its row: counts, and tells whether the row is still its own. */
export class RowSeries implements CounterSeries, OwedSeries {
  readonly #table: SeriesTable;
  readonly #row: number;
  readonly #exemplars: Exemplars | null;
  readonly #born: number;
  /** The table's `frees` when it was last seen to be alive. */
  #frees: number;

  constructor({ table, exemplars }: RowsOf, row: number) {
    this.#table = table;
    this.#row = row;
    this.#exemplars = exemplars;
    this.#born = table.born[row]!;
    this.#frees = table.frees;
  }

  get alive(): boolean {
    if (this.#frees === this.#table.frees) return true;
    if (this.#table.born[this.#row] !== this.#born) return false;
    this.#frees = this.#table.frees;
    return true;
  }

  inc(by = 1): void {
    this.#table.inc(this.#row, by);
  }

  exemplify(exemplar: Exemplar): void {
    this.#exemplars?.note(this.#row, 0, exemplar);
  }
}

/** What counts as limited: as a rule it stands for series over the limit, until there is room again. */
export class OtherSeries implements CounterSeries, OwedSeries {
  readonly #series: RowSeries;
  readonly #family: { limited: number };
  readonly #hasRoom: () => boolean;

  constructor(series: RowSeries, family: { limited: number }, hasRoom: () => boolean) {
    this.#series = series;
    this.#family = family;
    this.#hasRoom = hasRoom;
  }

  get alive(): boolean {
    return this.#series.alive && !this.#hasRoom();
  }

  inc(by = 1, events = 1): void {
    this.#family.limited += events;
    this.#series.inc(by);
  }

  exemplify(exemplar: Exemplar): void {
    this.#series.exemplify(exemplar);
  }
}
