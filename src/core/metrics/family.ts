import { Body, type Line } from './body.ts';
import { ByteWriter } from './bytes.ts';
import type { MetricDef } from './define.ts';
import { type Exemplars, exemplarsOf } from './exemplars.ts';
import { type Label, shownSuffix, suffixLabels } from './labels.ts';
import { Maxima } from './maxima.ts';
import { Natives } from './natives.ts';
import type { Audience } from './returns.ts';
import { SinceValues } from './since.ts';
import type { Seed } from './sketch/hash.ts';
import { DistinctSketch, Sketches, TopSketch } from './sketches.ts';
import type { Symbols } from './symbols.ts';
import { SeriesTable } from './table.ts';
import type { View } from './view.ts';

/** What all families share: the texts of their labels, and what is kept and shown of series. */
export interface Texts {
  /** Values of declared labels. */
  readonly symbols: Symbols;
  /** Label texts of what is not declared: constant labels, and those that the data names. */
  readonly suffixes: Symbols;
  /** Of the hashes that count different values. */
  readonly seed: () => Seed;
  /** Whether histograms are native as well. */
  readonly areNative: boolean;
  /** Whether exemplars are kept. */
  readonly areExemplified: boolean;
  readonly audience: Audience;
  /** Whether counters and histograms are left out while they do not change. */
  readonly areLeftOut: boolean;
}

/** One metric with all of its series, whichever instance they belong to. */
export interface Family {
  readonly def: MetricDef;
  /** The series of counters, histograms and `since`. */
  readonly table: SeriesTable | null;
  /** What scrapers are owed of a "since the last collection" gauge. */
  readonly since: SinceValues | null;
  /** The native form of histograms, where it is wanted. */
  readonly natives: Natives | null;
  /** Events that values can be traced to, where that is wanted. */
  readonly exemplars: Exemplars | null;
  /** What counts values, of `top` and `distinct`. */
  readonly tops: Sketches<TopSketch> | null;
  readonly distincts: Sketches<DistinctSketch> | null;
  /** The series of `maximum`. */
  readonly maxima: Maxima | null;
  /** What `topError` tells of. */
  readonly errorsOf: Sketches<TopSketch> | null;
  /** Gauge values by owner, then label text. */
  readonly gauges: Map<string, Map<string, number>>;
  /** Writes the labels of a row of the table between braces, or nothing if it has none; `more` is one further label. */
  readonly labels: (writer: ByteWriter, row: number, view: View, more?: string) => void;
  /** The labels of a row of the table, as protobuf has them. */
  readonly pairs: (row: number, view: View) => readonly Label[];
  /** Text of a counter, by view, once somebody asked for it. */
  readonly bodies: Map<string, Body>;
  /** Events that fell over the limit since they were last told. */
  limited: number;
}

/** An empty family. */
export function createFamily(def: MetricDef, texts: Texts, errorsOf: Family['errorsOf'] = null): Family {
  const width = def.type === 'histogram' ? (def.buckets?.length ?? 0) + 2 : 1;
  const hasRows = def.type === 'counter' || def.type === 'histogram' || def.type === 'since';
  const areLeftOut = texts.areLeftOut && def.type !== 'since';
  const table = hasRows ? new SeriesTable({ ...texts, labels: def.labels.length, width, areLeftOut }) : null;
  return {
    def,
    table,
    since: table && def.type === 'since' ? new SinceValues(table) : null,
    natives: table && def.type === 'histogram' && texts.areNative ? new Natives(table) : null,
    exemplars: table && def.exemplar && texts.areExemplified ? exemplarsOf(def) : null,
    tops: def.type === 'top' ? new Sketches(() => new TopSketch(def.holder)) : null,
    distincts: def.type === 'distinct' ? new Sketches(() => new DistinctSketch(texts.seed())) : null,
    maxima: def.type === 'maximum' ? new Maxima() : null,
    errorsOf,
    gauges: new Map(),
    labels: table ? labelWriter(def, texts, table) : () => {},
    pairs: table ? labelReader(def, texts, table) : () => [],
    bodies: new Map(),
    limited: 0,
  };
}

/** Number of series that a family shows; of sketches, as of when they were last counted. */
export function seriesCount({ table, tops, distincts, maxima, errorsOf, gauges }: Family): number {
  // Asked at each birth, so not gone through gauges for nothing.
  if (table) return table.shown;
  let count = (tops ?? distincts ?? maxima)?.shown ?? errorsOf?.shownErrors ?? 0;
  for (const shown of gauges.values()) count += shown.size;
  return count;
}

/** The text of a counter in a view, kept from now on. */
export function bodyOf(family: Family, table: SeriesTable, view: View): Body {
  const key = `${view.format} ${view.escaping}`;
  const known = family.bodies.get(key);
  if (known) return known;
  const { name } = family.def;
  const created = `${name.slice(0, -'_total'.length)}_created`;
  const exemplars = view.format === 'openmetrics' ? family.exemplars : null;
  const line: Line = {
    before: (writer, row) => {
      writer.text(name);
      family.labels(writer, row, view);
      writer.text(' ');
    },
    after: (writer, row, isBase) => {
      if (exemplars && !isBase) writer.text(exemplars.text(row, 0));
      writer.text('\n');
      if (view.format === 'text') return;
      writer.text(created);
      family.labels(writer, row, view);
      writer.text(` ${table.created[row]! / 1000}\n`);
    },
  };
  const body = new Body(table, line, new ByteWriter(), exemplars !== null);
  family.bodies.set(key, body);
  return body;
}

/** The name of a row's series with its labels, as an exposition shows it. */
export function seriesName(family: Family, row: number): string {
  const writer = new ByteWriter();
  writer.text(family.def.name);
  family.labels(writer, row, { format: 'text', escaping: 'allow-utf-8' });
  return writer.take().toString();
}

function labelWriter(def: MetricDef, { symbols, suffixes }: Texts, { keys }: SeriesTable): Family['labels'] {
  const first = def.labels.map((name) => `{${name}="`);
  const next = def.labels.map((name) => `",${name}="`);
  return (writer, row, { escaping }, more = '') => {
    let isOpen = false;
    for (let i = 0; i < first.length; i++) {
      const id = keys.id(row, i);
      if (id === 0) continue;
      writer.text(isOpen ? next[i]! : first[i]!);
      writer.text(symbols.escaped(id));
      isOpen = true;
    }
    if (isOpen) writer.text('"');
    const suffix = shownSuffix(suffixes.text(keys.id(row, first.length)), escaping);
    // Not put together first: that would cost more than all else here.
    if (suffix !== '') {
      writer.text(isOpen ? ',' : '{');
      writer.text(suffix);
      isOpen = true;
    }
    if (more !== '') {
      writer.text(isOpen ? ',' : '{');
      writer.text(more);
      isOpen = true;
    }
    if (isOpen) writer.text('}');
  };
}

function labelReader({ labels }: MetricDef, { symbols, suffixes }: Texts, { keys }: SeriesTable): Family['pairs'] {
  return (row, { escaping }) => [
    ...labels.map((name, place): Label => [name, symbols.text(keys.id(row, place))]),
    ...suffixLabels(suffixes.text(keys.id(row, labels.length)), escaping),
  ];
}
