import type { Catalogue, MetricDef } from './define.ts';
import type { Counter, Handles, Histogram, Maximum, MaximumSeries } from './handles.ts';
import { SLOT_MS } from './maxima.ts';
import type { Registry } from './registry.ts';
import type { LabelSet } from './rows.ts';
import type { HandleOf, Sink } from './stage.ts';

/** The handles of a catalogue by their declarations. */
export function handlesOf<C extends Catalogue>(catalogue: C, handles: Handles<C>): HandleOf {
  const known = new Map<MetricDef, unknown>(Object.entries(catalogue).map(([key, def]) => [def, handles[key]]));
  // Each definition has the handle that its type gives.
  return <T>(def: MetricDef) => known.get(def) as T;
}

/** Merges what was staged into the series of a registry, by the handles of the same catalogue. */
export function registrySink<C extends Catalogue>(catalogue: C, handles: Handles<C>, registry: Registry): Sink {
  const handleOf = handlesOf(catalogue, handles);
  /** What fell over the limit while it was staged did so whether or not the series that takes it is there. */
  const limited = (def: MetricDef, { isOver, events }: { isOver: boolean; events: number }, add: () => void) => {
    const family = registry.families.get(def.name)!;
    const before = family.limited;
    add();
    if (isOver) family.limited = before + events;
  };
  /** The minutes of one series come one after the other. */
  let last: { readonly def: MetricDef; readonly labels: LabelSet; readonly series: MaximumSeries } | null = null;
  return {
    limited: (def, events) => {
      registry.families.get(def.name)!.limited += events;
    },
    counter: (def, labels, staged) => {
      const counter = handleOf<Counter<MetricDef>>(def);
      limited(def, staged, () => {
        const counted = counter.series(labels);
        counted.inc(staged.value, staged.events);
        if (staged.exemplar) counted.exemplify(staged.exemplar);
      });
    },
    histogram: (def, labels, staged) => {
      limited(def, staged, () => handleOf<Histogram<MetricDef>>(def).add(labels, staged));
    },
    maximum: (def, labels, staged) => {
      const { advance, series } = handleOf<Maximum<MetricDef>>(def);
      const { slot, value, events } = staged;
      if (value === null) {
        advance(slot * SLOT_MS);
        return;
      }
      if (last?.labels !== labels || last.def !== def) last = { def, labels, series: series(labels) };
      const { series: found } = last;
      limited(def, staged, () => found.observe(value, slot * SLOT_MS, events));
    },
  };
}
