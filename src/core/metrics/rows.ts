import type { MetricDef } from './define.ts';
import type { Family } from './family.ts';
import {
  type Counter,
  type CounterHow,
  type CounterSeries,
  OtherSeries,
  type OwedSeries,
  RowSeries,
  type RowsOf,
} from './handles.ts';
import { EXTRA_LABELS_LIMIT, type Label, suffixText } from './labels.ts';
import type { Registry } from './registry.ts';
import type { Symbols } from './symbols.ts';
import type { SeriesTable } from './table.ts';

/** Value of every label of the series that takes what falls over the limit. */
export const OTHER = 'other';

/** Values of labels by their names. */
export type LabelSet = Readonly<Record<string, string>>;

/** The series of one metric for one owner, by their labels. */
export class Rows {
  readonly #registry: Registry;
  readonly #family: Family;
  readonly #table: SeriesTable;
  readonly #rows: RowsOf;
  /** Its number in the table. */
  readonly #owner: number;
  readonly #constant: readonly Label[];
  readonly #constantText: string;
  readonly #constantId: number;
  readonly #names: readonly string[];
  readonly #symbols: Symbols;
  readonly #suffixes: Symbols;
  /** The key that is looked for. */
  readonly #ids: Int32Array;

  constructor(registry: Registry, family: Family, table: SeriesTable, [owner, constant]: [string, readonly Label[]]) {
    this.#registry = registry;
    this.#family = family;
    this.#table = table;
    this.#rows = { table, exemplars: family.exemplars };
    this.#owner = table.owner(owner);
    this.#constant = constant;
    this.#constantText = suffixText(constant);
    this.#names = family.def.labels;
    this.#symbols = registry.texts.symbols;
    this.#suffixes = registry.texts.suffixes;
    this.#constantId = this.#suffixes.intern(this.#constantText);
    this.#suffixes.retain(this.#constantId);
    this.#ids = new Int32Array(family.def.labels.length + 1);
  }

  /** The row of a series, born if need be; over the limit, that of the one which stands for all others. */
  row(labels: LabelSet, events = 1): number {
    const known = this.#find(labels, this.#constantId);
    if (known >= 0) return known;
    if (this.#hasRoom(labels)) return this.#bear(labels, this.#constantText);
    this.#family.limited += events;
    return this.#other(labels, []);
  }

  /** Whether there is a series with these labels. */
  has(labels: LabelSet): boolean {
    return this.#find(labels, this.#constantId) >= 0;
  }

  /** A kept way to a series with further labels that are not declared. */
  series(labels: LabelSet, extra: readonly Label[] = []): CounterSeries & OwedSeries {
    const suffix = extra.length === 0 ? this.#constantText : this.#suffix(sorted(extra));
    const known = this.#find(labels, this.#suffixes.find(suffix));
    if (known >= 0) return new RowSeries(this.#rows, known);
    if (this.#hasRoom(labels)) return new RowSeries(this.#rows, this.#bear(labels, suffix));
    const other = new RowSeries(this.#rows, this.#other(labels, extra));
    return new OtherSeries(other, this.#family, () => this.#hasRoom(labels));
  }

  /** A kept way to a counter series. */
  counter(labels: LabelSet, { isLimited = false }: CounterHow = {}): CounterSeries {
    if (!isLimited) return this.series(labels);
    // What it counts is noted here, over the limit or not, and once.
    return new OtherSeries(new RowSeries(this.#rows, this.row(labels, 0)), this.#family, () => false);
  }

  /** Whether a series with these labels may be born. */
  #hasRoom(labels: LabelSet): boolean {
    const { def } = this.#family;
    if (def.gives) {
      // Each owner has a series for what has lost all labels.
      const most = this.#registry.limitOf(def) - this.#registry.ownersOf(def);
      if (this.#table.shown >= roomFor(def, labels, most)) return false;
    }
    return this.#registry.hasRoom(this.#family);
  }

  /** Only what the data names becomes `other`, or what the metric gives up, as long as that is few; else all labels do. */
  #other(labels: LabelSet, extra: readonly Label[]): number {
    if (extra.length > 0) {
      const suffix = this.#suffix(others(extra));
      const known = this.#find(labels, this.#suffixes.find(suffix));
      if (known >= 0) return known;
      if (this.#registry.hasRoom(this.#family, 2)) return this.#bear(labels, suffix);
    }
    for (const less of givenUp(this.#family.def, labels)) {
      const known = this.#find(less, this.#constantId);
      if (known >= 0) return known;
      if (this.#hasRoom(less)) return this.#bear(less, this.#constantText);
    }
    const all = allOther(this.#family.def, labels);
    const known = this.#find(all, this.#constantId);
    return known >= 0 ? known : this.#bear(all, this.#constantText);
  }

  #suffix(extra: readonly Label[]): string {
    return suffixText([...this.#constant, ...extra]);
  }

  /** The row with this key, or -1; leaves the numbers of its parts in `#ids`, -1 for those that are not known. */
  #find(labels: LabelSet, suffixId: number): number {
    const names = this.#names;
    const ids = this.#ids;
    let place = 0;
    let isKnown = true;
    // As a rule labels are given in the order of their declaration, and to go through them is the fastest way to them.
    for (const name in labels) {
      if (name !== names[place]) break;
      const id = this.#symbols.find(labels[name]!);
      if (id < 0) isKnown = false;
      ids[place++] = id;
    }
    for (; place < names.length; place++) {
      ids[place] = this.#symbols.find(labels[names[place]!] ?? '');
      if (ids[place]! < 0) isKnown = false;
    }
    ids[place] = suffixId;
    if (!isKnown || suffixId < 0) return -1;
    const row = this.#table.keys.find(ids);
    if (row >= 0) this.#table.adopt(row, this.#owner);
    return row;
  }

  /** Makes the row that `#find` just did not find. */
  #bear(labels: LabelSet, suffix: string): number {
    const names = this.#names;
    const ids = this.#ids;
    for (let i = 0; i < names.length; i++) if (ids[i]! < 0) ids[i] = this.#symbols.intern(labels[names[i]!] ?? '');
    if (ids[names.length]! < 0) ids[names.length] = this.#suffixes.add(suffix);
    const { time } = this.#registry;
    const row = this.#table.bear({ ids, owner: this.#owner, born: this.#registry.births++, created: time });
    this.#family.since?.clear(row);
    return row;
  }
}

/** A counter's handle, of one owner. It is a class as what the engine compiles of one then serves all of them. */
export class CounterRows implements Counter<MetricDef> {
  readonly #rows: Rows;
  readonly #table: SeriesTable;

  constructor(rows: Rows, table: SeriesTable) {
    this.#rows = rows;
    this.#table = table;
  }

  series(labels: LabelSet, how?: CounterHow): CounterSeries {
    return this.#rows.counter(labels, how);
  }

  inc(labels: LabelSet, by = 1): void {
    this.#table.inc(this.#rows.row(labels), by);
  }
}

/** Labels with one after the other of those given up that the metric gives up and that are not empty. */
export function* givenUp({ gives = [] }: MetricDef, labels: LabelSet): Generator<LabelSet> {
  let less = labels;
  for (const name of gives) {
    if (!isToGive(less[name])) continue;
    less = { ...less, [name]: OTHER };
    yield less;
  }
}

/** Labels with all of them given up. Of a metric that gives up some first, those that are empty are not in use. */
export function allOther({ labels: names, gives }: MetricDef, labels: LabelSet): LabelSet {
  return Object.fromEntries(names.map((name) => [name, gives && !labels[name] ? '' : OTHER]));
}

/** Of `most` series, how many there may be before one with these labels is born: the rest is for those that gave up more. */
export function roomFor({ gives = [] }: MetricDef, labels: LabelSet, most: number): number {
  let left = 8;
  for (const name of gives) if (isToGive(labels[name])) left -= 1;
  return Math.floor((most * Math.max(0, left)) / 8);
}

function isToGive(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== OTHER;
}

/** The declared labels with their values, in their order. */
export function declared(names: readonly string[], labels: LabelSet): readonly Label[] {
  return names.map((name): Label => [name, labels[name] ?? '']);
}

/** Labels that the data names, each with the value `other`. */
export function others(extra: readonly Label[]): readonly Label[] {
  return sorted(extra).map(([name]): Label => [name, OTHER]);
}

/** By name, so that one set of labels has one text. */
export function sorted(extra: readonly Label[]): readonly Label[] {
  const few = extra.length > EXTRA_LABELS_LIMIT ? extra.slice(0, EXTRA_LABELS_LIMIT) : extra;
  return few.length < 2 ? few : [...few].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
