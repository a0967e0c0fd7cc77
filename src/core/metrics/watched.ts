import type { Family } from './family.ts';
import { shownSuffix } from './labels.ts';
import type { Registry } from './registry.ts';
import type { DistinctSketch, Labelled, TopSketch } from './sketches.ts';

/** A gauge that took something, as an exposition would name it, and by how much it has grown, which may be 0. */
export interface Growth {
  readonly series: string;
  readonly by: number;
}

/** What a sketch took since that was last told. */
interface Taken {
  readonly family: Family;
  /** What was shown before. */
  readonly before: ReadonlyMap<string, number>;
  /** How much each row can have grown at most: one may have been there and not been shown. */
  readonly most: Map<string, number>;
}

/**
 * Tells which rows of sketches took something since it was last asked; of ways to sketches that are asked for from now on,
 * and while the registry's clock stands still.
 */
export function watchSketches(registry: Registry): () => readonly Growth[] {
  const all = new Map<Labelled<TopSketch | DistinctSketch>, Taken>();
  /** What was shown last: to find that takes a look at all values. */
  const shown = new WeakMap<Labelled<TopSketch | DistinctSketch>, ReadonlyMap<string, number>>();
  const rowsOf = ({ sketch, text }: Labelled<TopSketch | DistinctSketch>) => sketch.rows(text, registry.time);
  const takenBy = (family: Family, of: Labelled<TopSketch | DistinctSketch>) => {
    const taken = all.get(of) ?? { family, before: shown.get(of) ?? new Map(rowsOf(of)), most: new Map() };
    all.set(of, taken);
    return taken.most;
  };
  registry.watcher = {
    top: (family, of, series) => ({
      track: series.track,
      add: (entry, time, times) => {
        const most = takenBy(family, of);
        const row = of.sketch.rowText(of.text, entry.value);
        most.set(row, (most.get(row) ?? 0) + times);
        series.add(entry, time, times);
      },
    }),
    distinct: (family, of, series) => {
      const note = () => takenBy(family, of).set(of.text, Number.POSITIVE_INFINITY);
      return {
        hash: series.hash,
        add: (hash, time) => {
          note();
          series.add(hash, time);
        },
        absorb: (values, time) => {
          note();
          series.absorb(values, time);
        },
      };
    },
  };
  return () => {
    const grown: Growth[] = [];
    for (const [of, { family, before, most }] of all) {
      const now = new Map(rowsOf(of));
      shown.set(of, now);
      for (const [row, came] of most) {
        const count = now.get(row);
        if (count === undefined) continue;
        grown.push({ series: gaugeName(family, row), by: Math.min(came, count - (before.get(row) ?? 0)) });
      }
    }
    all.clear();
    return grown;
  };
}

/** The name of a series of a gauge with its labels, as an exposition shows it. */
export function gaugeName({ def }: Family, kept: string): string {
  const text = shownSuffix(kept, 'allow-utf-8');
  return text === '' ? def.name : `${def.name}{${text}}`;
}
