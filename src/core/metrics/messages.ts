import type { Family } from './family.ts';
import type { GaugeRows } from './gauge.ts';
import { suffixLabels } from './labels.ts';
import {
  type ClassicHistogram,
  type Exemplar,
  encodeFamily,
  type NativeMetric,
  type NumberMetric,
} from './protobuf.ts';
import type { Sheet } from './sheet.ts';
import type { SeriesTable } from './table.ts';
import { type ExpositionOptions, idleSince } from './view.ts';

/** Adds a family as messages of protobuf, a few hundred series at a time. */
export function* putMessages(
  sheet: Sheet,
  family: Family,
  rows: () => GaugeRows,
  options: ExpositionOptions,
): Generator<void> {
  for (const message of messages(family, rows, options)) {
    sheet.put(message);
    yield;
  }
}

function messages(family: Family, rows: () => GaugeRows, options: ExpositionOptions): Iterable<Buffer> {
  const { table, def } = family;
  const { name, help, type } = def;
  const unit = /_(seconds|bytes)(?:_total)?$/.exec(name)?.[1];
  const head = { name, help, ...(unit !== undefined && { unit }) };
  if (!table) return encodeFamily({ ...head, type: 'gauge' }, gauges(rows(), options));
  if (type === 'histogram') return encodeFamily({ ...head, type }, histograms(family, table, options));
  if (type === 'counter') return encodeFamily({ ...head, type }, counters(family, table, options));
  return encodeFamily({ ...head, type: 'gauge' }, owed(family, options));
}

function* gauges(rows: GaugeRows, { view }: ExpositionOptions): Generator<NumberMetric> {
  for (const [text, value] of rows) yield { labels: suffixLabels(text, view.escaping), value };
}

function* owed(family: Family, { collection, view }: ExpositionOptions): Generator<NumberMetric> {
  for (const { rows, amounts } of collection.collect(family)) {
    for (const [index, row] of rows.entries()) yield { labels: family.pairs(row, view), value: amounts[index]! };
  }
}

function* counters(family: Family, table: SeriesTable, options: ExpositionOptions): Generator<NumberMetric> {
  for (const row of shownRows(table, options)) {
    const base = table.base(row, options.collection.known);
    yield {
      labels: family.pairs(row, options.view),
      value: base ? base.values[0]! : table.totals.values[row]!,
      createdMs: table.created[row]!,
      exemplar: base ? undefined : exemplarAt(family, row, 0),
    };
  }
}

function* histograms(
  family: Family,
  table: SeriesTable,
  options: ExpositionOptions,
): Generator<ClassicHistogram | NativeMetric> {
  const { natives } = family;
  const { buckets = [] } = family.def;
  for (const row of shownRows(table, options)) {
    const base = table.base(row, options.collection.known);
    const [labels, createdMs] = [family.pairs(row, options.view), table.created[row]!];
    if (natives) {
      yield { labels, native: base ? natives.shown(base) : natives.of(row), createdMs };
      continue;
    }
    const values = base?.values ?? table.totals.copy(row);
    yield {
      labels,
      bounds: buckets,
      counts: values,
      sum: values[buckets.length + 1]!,
      createdMs,
      exemplars: base ? undefined : exemplarsIn(family, row, buckets.length + 1),
    };
  }
}

function exemplarsIn(family: Family, row: number, buckets: number): ClassicHistogram['exemplars'] {
  return family.exemplars ? Array.from({ length: buckets }, (_, index) => exemplarAt(family, row, index)) : undefined;
}

function exemplarAt({ exemplars }: Family, row: number, bucket: number): Exemplar | undefined {
  const found = exemplars?.of(row, bucket);
  return found && { labels: [[exemplars!.label, found.id]], value: found.value, timeMs: found.time };
}

function* shownRows(table: SeriesTable, options: ExpositionOptions): Generator<number> {
  const idleBefore = idleSince(options);
  for (let row = 0; row < table.length; row++) {
    if (table.isShown(row) && !table.leavesOut(row, idleBefore)) yield row;
  }
}
