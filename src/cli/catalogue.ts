import { DEFAULT_SOURCES } from '../core/config.ts';
import { CORE_SECTIONS } from '../core/core-sections.ts';
import { OWN_METRICS, SOURCE_METRICS, WRITER_METRICS } from '../core/own.ts';
import type { Parts } from '../describe/defaults.ts';
import { type MetricRow, metricRow } from '../describe/tables.ts';
import { SOURCES } from '../sources/index.ts';
import { WRITERS } from '../writers/index.ts';

/** All that a configuration can hold. */
export const TYPES = { sources: SOURCES, writers: WRITERS } as const;

/** The same with the sections that are always there. */
export const PARTS: Parts = { core: CORE_SECTIONS, ...TYPES, on: Object.keys(DEFAULT_SOURCES) };

/** All metrics, those of the program itself first. */
export function allMetrics(): readonly MetricRow[] {
  const own = [OWN_METRICS, SOURCE_METRICS, WRITER_METRICS].flatMap((catalogue) =>
    Object.values(catalogue).map((def) => metricRow(def, '-')),
  );
  const others = SOURCES.flatMap(({ type, metrics }) => Object.values(metrics).map((def) => metricRow(def, type)));
  // What a source touches of another one's, as its records were sent to it, stands there.
  const first = new Map(others.toReversed().map((row) => [row.name, row]));
  return [...own, ...others.filter((row) => first.get(row.name) === row)];
}
