import type { ChangedChunk } from './changed-rows.ts';
import { seriesName } from './family.ts';
import { CHUNK_ROWS } from './pages.ts';
import type { Registry } from './registry.ts';
import type { SeriesTable } from './table.ts';

/** A series that changed, as an exposition would name it, and by how much. */
export interface SeriesChange {
  readonly series: string;
  readonly by: number;
}

/** Tells what has happened to all series but gauges since it was last asked; of a histogram, how much it observed. */
export function traceChanges(registry: Registry): () => readonly SeriesChange[] {
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

/** Rows of a chunk that may have changed. */
function rowsOf({ index, rows }: ChangedChunk): readonly number[] {
  return rows ? [...rows] : Array.from({ length: CHUNK_ROWS }, (_, place) => index * CHUNK_ROWS + place);
}

/** The value of a row, or the sum of its buckets: its last value then is the sum of what was observed. */
function countOf({ totals: { values, width } }: SeriesTable, row: number): number {
  if (width === 1) return values[row]!;
  return values.subarray(row * width, (row + 1) * width - 1).reduce((sum, value) => sum + value, 0);
}
