import { Body, type Line } from './body.ts';
import { ByteWriter } from './bytes.ts';
import type { MetricDef } from './define.ts';
import { SinceValues } from './since.ts';
import type { Symbols } from './symbols.ts';
import { SeriesTable } from './table.ts';

/** `text` is Prometheus text 0.0.4; `openmetrics` is OpenMetrics 1.0. */
export type Format = 'text' | 'openmetrics';

/** What all families share: the texts of their labels. */
export interface Texts {
  /** Values of declared labels. */
  readonly symbols: Symbols;
  /** Label texts of what is not declared: constant labels, and those that the data names. */
  readonly suffixes: Symbols;
}

/** One metric with all of its series, whichever instance they belong to. */
export interface Family {
  readonly def: MetricDef;
  /** The series of all but gauges. */
  readonly table: SeriesTable | null;
  /** What scrapers are owed of a "since the last collection" gauge. */
  readonly since: SinceValues | null;
  /** Gauge values by owner, then label text. */
  readonly gauges: Map<string, Map<string, number>>;
  /** Writes the labels of a row of the table between braces, or nothing if it has none; `more` is one further label. */
  readonly labels: (writer: ByteWriter, row: number, more?: string) => void;
  /** Text of a counter, by format, once somebody asked for it. */
  readonly bodies: Map<Format, Body>;
  /** Events that fell over the limit since they were last told. */
  limited: number;
}

/** An empty family. */
export function createFamily(def: MetricDef, texts: Texts): Family {
  const width = def.type === 'histogram' ? (def.buckets?.length ?? 0) + 2 : 1;
  const table = def.type === 'gauge' ? null : new SeriesTable({ ...texts, labels: def.labels.length, width });
  return {
    def,
    table,
    since: table && def.type === 'since' ? new SinceValues(table) : null,
    gauges: new Map(),
    labels: table ? labelWriter(def, texts, table) : () => {},
    bodies: new Map(),
    limited: 0,
  };
}

/** Number of series that a family shows. */
export function seriesCount({ table, gauges }: Family): number {
  let count = table?.shown ?? 0;
  for (const shown of gauges.values()) count += shown.size;
  return count;
}

/** The text of a counter in a format, kept from now on. */
export function bodyOf(family: Family, table: SeriesTable, format: Format): Body {
  const known = family.bodies.get(format);
  if (known) return known;
  const { name } = family.def;
  const created = `${name.slice(0, -'_total'.length)}_created`;
  const line: Line = {
    before: (writer, row) => {
      writer.text(name);
      family.labels(writer, row);
      writer.text(' ');
    },
    after: (writer, row) => {
      writer.text('\n');
      if (format === 'text') return;
      writer.text(created);
      family.labels(writer, row);
      writer.text(` ${table.created[row]! / 1000}\n`);
    },
  };
  const body = new Body(table, line, new ByteWriter());
  family.bodies.set(format, body);
  return body;
}

/** The name of a row's series with its labels, as an exposition shows it. */
export function seriesName(family: Family, row: number): string {
  const writer = new ByteWriter();
  writer.text(family.def.name);
  family.labels(writer, row);
  return writer.take().toString();
}

function labelWriter(def: MetricDef, { symbols, suffixes }: Texts, { keys }: SeriesTable): Family['labels'] {
  const first = def.labels.map((name) => `{${name}="`);
  const next = def.labels.map((name) => `",${name}="`);
  return (writer, row, more = '') => {
    let isOpen = false;
    for (let i = 0; i < first.length; i++) {
      const id = keys.id(row, i);
      if (id === 0) continue;
      writer.text(isOpen ? next[i]! : first[i]!);
      writer.text(symbols.escaped(id));
      isOpen = true;
    }
    let separator = isOpen ? '",' : '{';
    let end = isOpen ? '"}' : '';
    for (const text of [suffixes.text(keys.id(row, first.length)), more]) {
      if (text === '') continue;
      writer.text(separator + text);
      separator = ',';
      end = '}';
    }
    writer.text(end);
  };
}
