import { type ByteWriter, formatValue } from './bytes.ts';
import { type MetricDef, shownType } from './define.ts';
import { bodyOf, type Family } from './family.ts';
import { type GaugeRows, gaugeRows } from './gauge.ts';
import { escapeHelp, shownSuffix } from './labels.ts';
import { putMessages } from './messages.ts';
import type { Registry } from './registry.ts';
import type { Collection } from './scrape.ts';
import { type Exposition, Sheet, turn } from './sheet.ts';
import type { SeriesTable } from './table.ts';
import { type ExpositionOptions, idleSince, type View } from './view.ts';

/**
 * The whole exposition. It gives the event loop back between slices, so numbers of different series may be of slightly
 * different moments; whoever answers with them commits after this and before the answer.
 */
export async function expose(registry: Registry, options: ExpositionOptions): Promise<Exposition> {
  registry.settle();
  const sheet = new Sheet();
  const { format } = options.view;
  for (const family of registry.families.values()) {
    sheet.head(format === 'protobuf' ? '' : metricHead(family.def, format));
    // It stops after each piece of work, so that others can have their turn where that has become much.
    const rows = () => gaugeRows(family, options.now);
    const writing =
      format === 'protobuf' ? putMessages(sheet, family, rows, options) : writeFamily(sheet, family, rows, options);
    for (const _ of writing) if (sheet.isSliceFull()) await turn();
  }
  sheet.head('');
  sheet.writer().text(`${options.more ?? ''}${format === 'openmetrics' ? '# EOF\n' : ''}`);
  return sheet.end();
}

function writeFamily(sheet: Sheet, family: Family, rows: () => GaugeRows, options: ExpositionOptions): Iterable<void> {
  const { table, def } = family;
  if (!table) return writeGauge(sheet, def.name, rows(), options);
  if (def.type === 'since') return writeOwed(sheet, family, options);
  return def.type === 'counter'
    ? putCounter(sheet, family, table, options)
    : writeHistogram(sheet, family, table, options);
}

function* writeGauge(sheet: Sheet, name: string, rows: GaugeRows, { view }: ExpositionOptions): Generator<void> {
  for (const [kept, value] of rows) {
    const text = shownSuffix(kept, view.escaping);
    const writer = sheet.writer();
    writer.text(name + (text === '' ? ' ' : `{${text}} `));
    writer.value(value);
    writer.text('\n');
    yield;
  }
}

function* writeOwed(sheet: Sheet, family: Family, { collection, view }: ExpositionOptions): Generator<void> {
  const { name } = family.def;
  for (const { rows, amounts } of collection.collect(family)) {
    for (let i = 0; i < rows.length; i++) {
      const writer = sheet.writer();
      writer.text(name);
      family.labels(writer, rows[i]!, view);
      writer.text(' ');
      writer.value(amounts[i]!);
      writer.text('\n');
    }
    yield;
  }
}

function* putCounter(sheet: Sheet, family: Family, table: SeriesTable, options: ExpositionOptions): Generator<void> {
  const { collection, view } = options;
  const body = bodyOf(family, table, view);
  const idleBefore = idleSince(options);
  for (let index = 0; index < body.length; index++) {
    const chunk = body.chunk(index, idleBefore);
    if (chunk.text.bytes.length === 0) continue;
    const hasBases = body.hasBases(index, collection.known);
    sheet.put(hasBases ? body.withBases(index, idleBefore, collection.known) : chunk.text);
    yield;
  }
}

function* writeHistogram(
  sheet: Sheet,
  family: Family,
  table: SeriesTable,
  options: ExpositionOptions,
): Generator<void> {
  const idleBefore = idleSince(options);
  for (let row = 0; row < table.length; row++) {
    if (!table.isShown(row) || table.leavesOut(row, idleBefore)) continue;
    writeBuckets(sheet.writer(), { family, row, view: options.view }, table, options.collection);
    yield;
  }
}

/** A series, and for whom it is shown. */
interface Shown {
  readonly family: Family;
  readonly row: number;
  readonly view: View;
}

function writeBuckets(writer: ByteWriter, shown: Shown, table: SeriesTable, { known }: Collection): void {
  const { family, row, view } = shown;
  const { buckets = [] } = family.def;
  const base = table.base(row, known);
  const values = base?.values ?? table.totals.copy(row);
  const exemplars = view.format === 'openmetrics' && !base ? family.exemplars : null;
  let count = 0;
  for (let i = 0; i <= buckets.length; i++) {
    count += values[i]!;
    const bound = formatValue(buckets[i] ?? Number.POSITIVE_INFINITY);
    const le = view.format === 'openmetrics' && /^[0-9]+$/.test(bound) ? `${bound}.0` : bound;
    writeValue(writer, shown, '_bucket', count, `le="${le}"`);
    if (exemplars) writer.text(exemplars.text(row, i));
    writer.text('\n');
  }
  writeSample(writer, shown, '_sum', values[buckets.length + 1]!);
  writeSample(writer, shown, '_count', count);
  if (view.format === 'openmetrics') writeSample(writer, shown, '_created', table.created[row]! / 1000);
}

function writeSample(writer: ByteWriter, shown: Shown, suffix: string, value: number): void {
  writeValue(writer, shown, suffix, value);
  writer.text('\n');
}

function writeValue(
  writer: ByteWriter,
  { family, row, view }: Shown,
  suffix: string,
  value: number,
  label?: string,
): void {
  writer.text(family.def.name + suffix);
  family.labels(writer, row, view, label);
  writer.text(' ');
  writer.value(value);
}

/** What stands before the series of a metric. */
export function metricHead(def: MetricDef, format: 'text' | 'openmetrics'): string {
  const { name, help, type } = def;
  const title = format === 'openmetrics' && type === 'counter' ? name.slice(0, -'_total'.length) : name;
  const unit = format === 'openmetrics' ? /_(seconds|bytes)$/.exec(title)?.[1] : undefined;
  const text = format === 'openmetrics' ? escapeHelp(help).replaceAll('"', '\\"') : escapeHelp(help);
  return `# HELP ${title} ${text}\n# TYPE ${title} ${shownType(def)}\n${unit ? `# UNIT ${title} ${unit}\n` : ''}`;
}
