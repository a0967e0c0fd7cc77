import type { z } from 'zod';
import { type MetricDef, shownType } from '../core/metrics/define.ts';
import { optionRows, readSection } from './walk.ts';

/** A metric with who has it. */
export interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
  readonly source: string;
}

/** One row of the catalogue. */
export function metricRow(def: MetricDef, source: string): MetricRow {
  const { name, labels, extra, help } = def;
  return {
    name,
    type: shownType(def),
    labels: [...labels, ...(extra ? [`… ${extra}`] : [])],
    help,
    source,
  };
}

/** The catalogue in Markdown. */
export function metricsMarkdown(rows: readonly MetricRow[]): string {
  return markdown(
    ['name', 'type', 'labels', 'what it tells'],
    rows.map(({ name, type, labels, help }) => [`\`${name}\``, type, labels.map(labelCell).join(', '), help]),
  );
}

/** The catalogue as aligned columns, for a terminal. */
export function metricsTable(rows: readonly MetricRow[]): string {
  const cells = [
    ['NAME', 'TYPE', 'SOURCE', 'LABELS', 'HELP'],
    ...rows.map(({ name, type, source, labels, help }) => [name, type, source, labels.join(',') || '-', help]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** The options of sections in Markdown, each with where it stands, such as `sources.reaction`. */
export function optionsMarkdown(sections: Iterable<readonly [prefix: string, schema: z.ZodType]>): string {
  const rows = [...sections].flatMap(([prefix, schema]) =>
    [...optionRows(readSection(schema))].map(({ path, kind, fallback, doc }) => [
      `\`${[prefix, ...path].join('.')}\``,
      kind,
      `\`${JSON.stringify(fallback)}\``,
      doc,
    ]),
  );
  return markdown(['option', 'value', 'default', 'what it does'], rows);
}

/** What can be read, in Markdown. */
export function sourcesMarkdown(sources: Iterable<{ type: string; summary: string; replay: string }>): string {
  const rows = [...sources].map(({ type, summary, replay }) => [`\`${type}\``, summary, replay]);
  return markdown(['source', 'what it reads', 'while trailgauge is down, or dies'], rows);
}

/** What can be written to, in Markdown. */
export function writersMarkdown(writers: Iterable<{ type: string; summary: string; repeats: string }>): string {
  const rows = [...writers].map(({ type, summary, repeats }) => [`\`${type}\``, summary, repeats]);
  return markdown(['writer', 'where it writes', 'an event that is sent again, as after a crash'], rows);
}

function labelCell(label: string): string {
  return label.startsWith('…') ? label : `\`${label}\``;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
