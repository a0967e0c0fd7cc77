import { DEFAULT_SOURCES, type NamedTypes } from '../core/config.ts';
import { CORE_SECTIONS } from '../core/core-sections.ts';
import { loadListed } from '../core/listed.ts';
import { OWN_METRICS, SOURCE_METRICS, WRITER_METRICS } from '../core/own.ts';
import type { AnySource } from '../core/source.ts';
import type { AnyWriter } from '../core/writer.ts';
import type { Parts } from '../describe/defaults.ts';
import { type MetricRow, metricRow } from '../describe/tables.ts';
import { SOURCES } from '../sources/index.ts';
import { WRITERS } from '../writers/index.ts';

/** What sections of a configuration can be of. */
export interface Types {
  readonly sources: readonly AnySource[];
  readonly writers: readonly AnyWriter[];
}

/** Loads all types, or only those that are named. */
export async function loadTypes(named?: NamedTypes): Promise<Types> {
  const [sources, writers] = await Promise.all([
    loadListed(SOURCES, named?.sources),
    loadListed(WRITERS, named?.writers),
  ]);
  return { sources, writers };
}

/** All types with the sections that are always there. */
export async function loadParts(): Promise<Parts & Types> {
  return { core: CORE_SECTIONS, ...(await loadTypes()), on: Object.keys(DEFAULT_SOURCES) };
}

/** All metrics, those of the program itself first. */
export async function allMetrics(): Promise<readonly MetricRow[]> {
  const own = [OWN_METRICS, SOURCE_METRICS, WRITER_METRICS].flatMap((catalogue) =>
    Object.values(catalogue).map((def) => metricRow(def, '-')),
  );
  const { sources } = await loadTypes();
  const others = sources.flatMap(({ type, metrics }) => Object.values(metrics).map((def) => metricRow(def, type)));
  // What a source touches of another one's, as its records were sent to it, stands there.
  const first = new Map(others.toReversed().map((row) => [row.name, row]));
  return [...own, ...others.filter((row) => first.get(row.name) === row)];
}
