import type { CounterSeries, DistinctSeries, Handles, HistogramSeries, TopSeries } from '../../core/metrics/handles.ts';
import type { SavedEntries } from '../../core/source.ts';
import { usableTime } from '../../lib/delivery.ts';
import { isPrintable, type OptionalLabel, type Place, type TraceLabels, traceLabels } from './labels.ts';
import type { CTS_METRICS } from './metrics.ts';
import type { Trace } from './trace.ts';

export interface ObserverOptions {
  readonly metrics: Handles<typeof CTS_METRICS>;
  readonly optional: ReadonlySet<OptionalLabel>;
  /** Users and addresses that are shown as the most active ones; 0 for none. */
  readonly top: number;
  /** Whether different users and addresses are counted. */
  readonly distinct: boolean;
}

/** How a trace was received. */
export interface Receipt {
  readonly place: Place;
  /** The service's clock at the answer, in milliseconds since 1970. */
  readonly receivedAt: number;
  /** Whether it came as soon as it could be seen. */
  readonly visible: boolean;
}

/** Series that are kept at most; then they are looked up anew. */
const MOST_KEPT = 10_000;

/** Adds traces to the metrics. */
export class Observer {
  readonly #options: ObserverOptions;
  /** By their labels, and whether one of them was made `other`. */
  readonly #kept = new Map<string, CounterSeries>();
  #visibility: HistogramSeries | null = null;
  #users: Values | null = null;
  #addresses: Values | null = null;
  /** The latest record, in milliseconds since 1970. */
  #last: number | null = null;
  #isLastChanged = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** Counts a trace, and gives its labels. */
  observe(trace: Trace, { place, receivedAt, visible }: Receipt): TraceLabels {
    const { metrics, optional } = this.#options;
    const { labels, limited } = traceLabels(trace, place, optional);
    const series = this.#seriesOf(labels, limited);
    series.inc();
    this.#countValues(trace);
    const { recorded, requestId } = trace;
    if (visible && recorded !== null) {
      this.#visibility ??= metrics.visibility.series(NO_LABELS);
      this.#visibility.observe(Math.max(0, receivedAt - recorded) / 1000);
    }
    const stamp = usableTime(recorded ?? trace.time, receivedAt);
    if (stamp !== null && requestId !== null) series.exemplify({ id: requestId, value: 1, time: stamp });
    if (stamp !== null && (this.#last === null || stamp > this.#last)) {
      this.#last = stamp;
      this.#isLastChanged = true;
      metrics.lastTrace.set(NO_LABELS, stamp / 1000);
    }
    return labels;
  }

  /** Lets go of all series: needed where they are good no longer, as after what was staged has been merged. */
  forget(): void {
    this.#kept.clear();
    this.#visibility = null;
  }

  /** Takes back what `changes` told: gauges are not saved by themselves. */
  restore(entries: SavedEntries): void {
    for (const [key, value] of entries) {
      if (key !== LAST || typeof value !== 'number') continue;
      this.#last = value;
      this.#options.metrics.lastTrace.set(NO_LABELS, value / 1000);
    }
  }

  /** What changed since the last call. */
  changes(): SavedEntries {
    if (!this.#isLastChanged) return [];
    this.#isLastChanged = false;
    return [[LAST, this.#last]];
  }

  #seriesOf(labels: TraceLabels, isLimited: boolean): CounterSeries {
    const { service, resource_type, trace_type, rating, operation, user, region, project } = labels;
    // None of the values holds a line feed.
    const own = `${service}\n${resource_type}\n${trace_type}\n${rating}\n${operation}\n${user}\n${region}\n${project}`;
    const key = isLimited ? `${own}\n` : own;
    let series = this.#kept.get(key);
    if (!series) {
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      series = this.#options.metrics.traces.series(labels, { isLimited });
      this.#kept.set(key, series);
    }
    return series;
  }

  #countValues(trace: Trace): void {
    const { metrics, top, distinct } = this.#options;
    if (top === 0 && !distinct) return;
    const { sourceIp, time, recorded } = trace;
    const { user } = trace.fields;
    const stamp = time ?? recorded;
    if (typeof user === 'string') {
      this.#users ??= new Values(
        top > 0 ? metrics.userTop.series(NO_LABELS, top) : null,
        distinct ? metrics.usersDistinct.series(NO_LABELS) : null,
      );
      this.#users.count(user, stamp);
    }
    if (sourceIp === null) return;
    this.#addresses ??= new Values(
      top > 0 ? metrics.addressTop.series(NO_LABELS, top) : null,
      distinct ? metrics.addressesDistinct.series(NO_LABELS) : null,
    );
    this.#addresses.count(sourceIp, stamp);
  }
}

const LAST = 'last';
const NO_LABELS = {};

/** A value, ready to be counted again and again; null for one that cannot be shown. */
type Tracked = { readonly entry: ReturnType<TopSeries['track']> | null; readonly hash: number } | null;

/** Counts values: the frequent ones, and the different ones. */
class Values {
  readonly #top: TopSeries | null;
  readonly #distinct: DistinctSeries | null;
  readonly #kept = new Map<string, Tracked>();

  constructor(top: TopSeries | null, distinct: DistinctSeries | null) {
    this.#top = top;
    this.#distinct = distinct;
  }

  /** Counts a value at a time in milliseconds since 1970; null is now. */
  count(value: string, time: number | null): void {
    // What is too long to be shown is not kept either.
    if (value.length > 2 * LONGEST) return;
    let tracked = this.#kept.get(value);
    if (tracked === undefined) {
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      tracked = this.#track(value);
      this.#kept.set(value, tracked);
    }
    if (!tracked) return;
    if (this.#top && tracked.entry) this.#top.add(tracked.entry, time, 1);
    this.#distinct?.add(tracked.hash, time);
  }

  #track(value: string): Tracked {
    if (!isPrintable(value)) return null;
    return { entry: this.#top?.track(value) ?? null, hash: this.#distinct?.hash(value) ?? 0 };
  }
}

/** Characters of a value that can be shown. */
const LONGEST = 128;
