import { isPrintable } from '../lib/printable.ts';
import type { DistinctSeries, TopSeries } from './metrics/handles.ts';
import { detached } from './metrics/symbols.ts';

/** The metrics of one kind of values, without labels: the frequent ones, and how many different ones there are. */
export interface ValueMetrics {
  readonly top: { series(labels: Readonly<Record<string, never>>, n: number): TopSeries };
  readonly distinct: { series(labels: Readonly<Record<string, never>>): DistinctSeries };
}

/** What is wanted of them. */
export interface ValueOptions {
  /** How many of the most frequent values are shown; 0 for none. */
  readonly top: number;
  /** Whether the different ones are counted. */
  readonly distinct: boolean;
}

/** Longest value that is looked at, in UTF-16 units: what is too long to be shown is not kept either. */
const LONGEST = 256;
/** Values that are remembered at most; then they are looked up anew. */
const MOST_KEPT = 10_000;

/** A value, ready to be counted again and again; null for one that cannot be shown. */
type Tracked = { readonly entry: ReturnType<TopSeries['track']> | null; readonly hash: number } | null;

/** Counts values such as users and addresses, of which there may be any number. */
export class CountedValues {
  readonly #metrics: ValueMetrics;
  readonly #options: ValueOptions;
  readonly #kept = new Map<string, Tracked>();
  #top: TopSeries | null = null;
  #distinct: DistinctSeries | null = null;

  constructor(metrics: ValueMetrics, options: ValueOptions) {
    this.#metrics = metrics;
    this.#options = options;
    // What was saved is shown from the beginning.
    this.#find();
  }

  /** Counts a value of an event of this time, in milliseconds since 1970; null is now. One that cannot be shown is left out. */
  count(value: string, time: number | null): void {
    if (value.length > LONGEST) return;
    this.#find();
    if (!this.#top && !this.#distinct) return;
    let tracked = this.#kept.get(value);
    if (tracked === undefined) {
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      tracked = this.#track(value);
      // A piece of a record would keep the whole of it.
      this.#kept.set(detached(value), tracked);
    }
    if (!tracked) return;
    if (tracked.entry) this.#top?.add(tracked.entry, time, 1);
    this.#distinct?.add(tracked.hash, time);
  }

  /** Lets go of the series: needed where they are good no longer, as after what was staged has been merged. */
  forget(): void {
    this.#top = null;
    this.#distinct = null;
  }

  #find(): void {
    const { top, distinct } = this.#options;
    if (top > 0) this.#top ??= this.#metrics.top.series({}, top);
    if (distinct) this.#distinct ??= this.#metrics.distinct.series({});
  }

  #track(value: string): Tracked {
    if (!isPrintable(value)) return null;
    return { entry: this.#top?.track(value) ?? null, hash: this.#distinct?.hash(value) ?? 0 };
  }
}
