import { CountedValues, type ValueOptions } from '../../core/counted-values.ts';
import type { CounterSeries, Handles, HistogramSeries } from '../../core/metrics/handles.ts';
import { lagSeconds, usableTime } from '../../lib/delivery.ts';
import type { LogEntry } from './entry.ts';
import { callerOf } from './event.ts';
import type { GCP_LOGS_METRICS } from './metrics.ts';

const NS_PER_SECOND = 1e9;
/** Series that are kept at most; then they are looked up anew. */
const MOST_KEPT = 10_000;

/** `top` and `distinct` are of users and addresses. */
export interface ObserverOptions extends ValueOptions {
  readonly metrics: Handles<typeof GCP_LOGS_METRICS>;
}

/** Adds entries to the metrics. Series are looked up by the values of their labels once, and then kept. */
export class Observer {
  readonly #metrics: Handles<typeof GCP_LOGS_METRICS>;
  readonly #kept = new Map<string, CounterSeries>();
  /** By code, of which there are few. */
  readonly #durations = new Map<string, HistogramSeries>();
  readonly #users: CountedValues;
  readonly #addresses: CountedValues;
  #lag: HistogramSeries | null = null;

  constructor({ metrics, ...values }: ObserverOptions) {
    this.#metrics = metrics;
    const { userTop, usersDistinct, addressTop, addressesDistinct } = metrics;
    this.#users = new CountedValues({ top: userTop, distinct: usersDistinct }, values);
    this.#addresses = new CountedValues({ top: addressTop, distinct: addressesDistinct }, values);
  }

  /** `arrival`: when the entry's file was last modified, in milliseconds since 1970. */
  observe({ log, severity, resourceType, audit, http, traceId, time, raw }: LogEntry, arrival: number): void {
    const metrics = this.#metrics;
    // None of the values holds a line feed.
    this.#series(`${log}\n${severity}\n${resourceType}`, () =>
      metrics.entries.series({ log, severity, resource_type: resourceType }),
    ).inc();
    if (audit?.counted) {
      const { service, method, outcome } = audit;
      this.#series(`audit\n${service}\n${method}\n${outcome}`, () =>
        metrics.auditEvents.series({ service, method, outcome }),
      ).inc();
    }
    const usable = usableTime(time, arrival);
    const { user, address } = callerOf(raw);
    if (user !== '') this.#users.count(user, usable ?? arrival);
    if (address !== null) this.#addresses.count(address, usable ?? arrival);
    if (http) {
      const duration = this.#duration(http.code);
      const seconds = http.durationNs / NS_PER_SECOND;
      duration.observe(seconds);
      if (usable !== null) duration.exemplify({ id: traceId, value: seconds, time: usable });
    }
    if (usable === null) return;
    this.#lag ??= metrics.deliveryLag.series(NO_LABELS);
    this.#lag.observe(lagSeconds(usable, arrival));
  }

  /** Lets go of all series: they are good no longer. */
  forget(): void {
    this.#kept.clear();
    this.#durations.clear();
    this.#users.forget();
    this.#addresses.forget();
    this.#lag = null;
  }

  #duration(code: string): HistogramSeries {
    let series = this.#durations.get(code);
    if (!series) {
      series = this.#metrics.httpDuration.series({ code });
      this.#durations.set(code, series);
    }
    return series;
  }

  #series(key: string, find: () => CounterSeries): CounterSeries {
    const kept = this.#kept.get(key);
    if (kept) return kept;
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    const found = find();
    this.#kept.set(key, found);
    return found;
  }
}

const NO_LABELS = {};
