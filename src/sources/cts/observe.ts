import { CountedValues, type ValueOptions } from '../../core/counted-values.ts';
import type { CounterSeries, Handles, HistogramSeries } from '../../core/metrics/handles.ts';
import type { SavedEntries } from '../../core/source.ts';
import { usableTime } from '../../lib/delivery.ts';
import { type OptionalLabel, type Place, type TraceLabels, traceLabels } from './labels.ts';
import type { CTS_METRICS } from './metrics.ts';
import type { Trace } from './trace.ts';

/** `top` and `distinct` are of users and addresses. */
export interface ObserverOptions extends ValueOptions {
  readonly metrics: Handles<typeof CTS_METRICS>;
  readonly optional: ReadonlySet<OptionalLabel>;
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
  readonly #users: CountedValues;
  readonly #addresses: CountedValues;
  /** The latest record, in milliseconds since 1970. */
  #last: number | null = null;
  #isLastChanged = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
    const { userTop, usersDistinct, addressTop, addressesDistinct } = options.metrics;
    this.#users = new CountedValues({ top: userTop, distinct: usersDistinct }, options);
    this.#addresses = new CountedValues({ top: addressTop, distinct: addressesDistinct }, options);
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
    this.#users.forget();
    this.#addresses.forget();
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

  #countValues({ sourceIp, time, recorded, fields }: Trace): void {
    const stamp = time ?? recorded;
    if (typeof fields.user === 'string') this.#users.count(fields.user, stamp);
    if (sourceIp !== null) this.#addresses.count(sourceIp, stamp);
  }
}

const LAST = 'last';
const NO_LABELS = {};
