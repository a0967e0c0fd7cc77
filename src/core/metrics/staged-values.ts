import type { MetricDef } from './define.ts';
import type { DistinctSeries, TopSeries } from './handles.ts';
import { DistinctSlice } from './sketch/distinct-slice.ts';
import type { TopEntry } from './sketch/top.ts';
import { SLICE_MS, SLICES } from './sketch/window.ts';
import type { Sink } from './stage.ts';

/** Most values of one series that are counted aside, each in a slice of time; events of others count as limited. */
export const MOST_VALUES = 100_000;

/** Tells the time, in milliseconds since 1970. */
interface Clock {
  readonly time: number;
}

/** Frequent values, counted aside, and given to the series that is there. */
export class StagedTop implements TopSeries {
  readonly #def: MetricDef;
  readonly #target: TopSeries;
  readonly #clock: Clock;
  readonly #slices = new Map<number, Map<string, { readonly entry: TopEntry; times: number }>>();
  #size = 0;
  #limited = 0;

  constructor(def: MetricDef, target: TopSeries, clock: Clock) {
    this.#def = def;
    this.#target = target;
    this.#clock = clock;
  }

  track(value: string): TopEntry {
    return this.#target.track(value);
  }

  add(entry: TopEntry, time: number | null, times: number): void {
    const slice = sliceOf(time, this.#clock);
    if (slice === null) return;
    const values = made(this.#slices, slice, () => new Map());
    const known = values.get(entry.value);
    if (known) known.times += times;
    else if (this.#size === MOST_VALUES) this.#limited += times;
    else {
      values.set(entry.value, { entry, times });
      this.#size += 1;
    }
  }

  give(sink: Sink): void {
    for (const [slice, values] of this.#slices) {
      for (const { entry, times } of values.values()) this.#target.add(entry, slice * SLICE_MS, times);
    }
    if (this.#limited > 0) sink.limited?.(this.#def, this.#limited);
  }
}

/** Different values, counted aside: as much memory as they take where they go. */
export class StagedDistinct implements DistinctSeries {
  readonly #target: DistinctSeries;
  readonly #clock: Clock;
  readonly #slices = new Map<number, DistinctSlice>();

  constructor(target: DistinctSeries, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  hash(value: string): number {
    return this.#target.hash(value);
  }

  add(hash: number, time: number | null): void {
    const slice = sliceOf(time, this.#clock);
    if (slice !== null) this.#at(slice).add(hash);
  }

  absorb(values: DistinctSlice, time: number | null): void {
    const slice = sliceOf(time, this.#clock);
    if (slice !== null) this.#at(slice).absorb(values);
  }

  give(): void {
    for (const [slice, values] of this.#slices) this.#target.absorb(values, slice * SLICE_MS);
  }

  #at(slice: number): DistinctSlice {
    return made(this.#slices, slice, () => new DistinctSlice());
  }
}

/** The number of the slice of a time, null for one that has left the window: of these nothing is kept. */
function sliceOf(time: number | null, { time: now }: Clock): number | null {
  const current = Math.floor(now / SLICE_MS);
  const slice = time === null ? current : Math.min(Math.floor(time / SLICE_MS), current);
  // So written, a time that is no number has left it as well.
  return slice > current - SLICES ? slice : null;
}

function made<K, V>(all: Map<K, V>, key: K, make: () => V): V {
  let value = all.get(key);
  if (value === undefined) {
    value = make();
    all.set(key, value);
  }
  return value;
}
