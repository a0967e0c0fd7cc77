import type { ChangedChunk } from './changed-rows.ts';
import { seriesName } from './family.ts';
import { CHUNK_ROWS } from './pages.ts';
import type { Registry } from './registry.ts';
import type { SeriesTable } from './table.ts';
import { type Growth, gaugeName, watchSketches } from './watched.ts';

/**
 * A series that changed, as an exposition would name it, and by how much, or, of a maximum, which value it has now. A
 * number of different values to which one came that it has counted before changed by 0.
 */
export type SeriesChange = Growth | { readonly series: string; readonly value: number };

/**
 * Tells what has happened to all series but plain gauges since it was last asked; of a histogram, how much it observed.
 * What sketches take is told of ways to them that are asked for from now on, of a frequent value while it is shown.
 */
export function traceChanges(registry: Registry): () => readonly SeriesChange[] {
  const rows = traceRows(registry);
  const sketches = watchSketches(registry);
  const maxima = traceMaxima(registry);
  return () => [...rows(), ...sketches(), ...maxima()];
}

function traceRows(registry: Registry): () => readonly Growth[] {
  /** Counts by `born`, as a row may become another series'. */
  const before = new Map<number, number>();
  return () =>
    registry.settle().flatMap(({ family, table, chunks }) =>
      chunks.flatMap(rowsOf).flatMap((row) => {
        const born = table.born[row]!;
        if (!born) return [];
        const count = countOf(table, row);
        const by = count - (before.get(born) ?? 0);
        before.set(born, count);
        return by === 0 ? [] : [{ series: seriesName(family, row), by }];
      }),
    );
}

/** Maxima with another value than before; one that is shown no more has none. */
function traceMaxima(registry: Registry): () => readonly SeriesChange[] {
  let before = new Map<string, number>();
  return () => {
    const shown = new Map<string, number>();
    for (const family of registry.families.values()) {
      for (const [text, value] of family.maxima?.rows() ?? []) {
        shown.set(gaugeName(family, text), value);
      }
    }
    const changed = [...shown].filter(([series, value]) => before.get(series) !== value);
    before = shown;
    return changed.map(([series, value]) => ({ series, value }));
  };
}

/** Rows of a chunk that may have changed. */
function rowsOf({ index, rows }: ChangedChunk): readonly number[] {
  return rows ? [...rows] : Array.from({ length: CHUNK_ROWS }, (_, place) => index * CHUNK_ROWS + place);
}

/** The value of a row, or the sum of its buckets: its last value then is the sum of what was observed. */
function countOf({ totals: { values, width } }: SeriesTable, row: number): number {
  if (width === 1) return values[row]!;
  return values.subarray(row * width, (row + 1) * width - 1).reduce((sum, value) => sum + value, 0);
}
