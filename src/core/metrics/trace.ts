import type { Registry } from './registry.ts';
import { PAGE_VALUES, type SeriesBirth } from './store.ts';

/** A series that changed, as an exposition would name it, and by how much. */
export interface SeriesChange {
  readonly series: string;
  readonly by: number;
}

/** Tells what has happened to counters and "since the last collection" gauges since it was last asked. */
export function traceChanges(registry: Registry): () => readonly SeriesChange[] {
  const births = new Map<number, SeriesBirth>();
  const values = new Map<number, number>();
  const totals = new Map<number, number>();

  function counters(): SeriesChange[] {
    const { births: born, pages } = registry.store.take();
    for (const birth of born) births.set(birth.slot, birth);
    return pages.flatMap(({ page, values: now }) =>
      Array.from(now).flatMap((value, index) => {
        const slot = page * PAGE_VALUES + index;
        const by = value - (values.get(slot) ?? 0);
        values.set(slot, value);
        const birth = births.get(slot);
        return by === 0 || !birth ? [] : [{ series: named(birth.family, birth.text), by }];
      }),
    );
  }

  function owed(): SeriesChange[] {
    return registry.owed.take().flatMap(({ slot, saved }) => {
      if (!saved) return [];
      const [family, , text, total] = saved;
      const by = total - (totals.get(slot) ?? 0);
      totals.set(slot, total);
      return by === 0 ? [] : [{ series: named(family, text), by }];
    });
  }

  return () => [...counters(), ...owed()];
}

function named(family: string, text: string): string {
  return text === '' ? family : `${family}{${text}}`;
}
