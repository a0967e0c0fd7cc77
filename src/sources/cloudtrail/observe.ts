import { CountedValues, type ValueOptions } from '../../core/counted-values.ts';
import type { CounterSeries, Handles, HistogramSeries } from '../../core/metrics/handles.ts';
import { lagSeconds, usableTime } from '../../lib/delivery.ts';
import { textAt } from '../../lib/json-value.ts';
import { callerOf } from './event.ts';
import type { CLOUDTRAIL_METRICS } from './metrics.ts';
import type { CloudTrailRecord } from './record.ts';

/** Labels that are told where the configuration asks for them. */
export type ExtraLabel = 'event';

/** The labels of the main counter that a record has a value for. */
export function labelsOf(
  { service, region, account, outcome, event }: CloudTrailRecord,
  extra: readonly ExtraLabel[],
): Readonly<Record<string, string>> {
  return { service, region, account, outcome, ...(extra.includes('event') && { event }) };
}

/** `top` and `distinct` are of users and addresses. */
export interface ObserverOptions extends ValueOptions {
  readonly metrics: Handles<typeof CLOUDTRAIL_METRICS>;
  readonly labels: readonly ExtraLabel[];
}

/** Series that are kept at most; then they are looked up anew. */
const MOST_KEPT = 10_000;

/** Adds records to the metrics. Series are looked up by the values of their labels once, and then kept. */
export class Observer {
  readonly #metrics: Handles<typeof CLOUDTRAIL_METRICS>;
  readonly #withEvent: boolean;
  readonly #kept = new Map<string, CounterSeries>();
  readonly #users: CountedValues;
  readonly #addresses: CountedValues;
  #lag: HistogramSeries | null = null;

  constructor({ metrics, labels, ...values }: ObserverOptions) {
    this.#metrics = metrics;
    this.#withEvent = labels.includes('event');
    const { userTop, usersDistinct, addressTop, addressesDistinct } = metrics;
    this.#users = new CountedValues({ top: userTop, distinct: usersDistinct }, values);
    this.#addresses = new CountedValues({ top: addressTop, distinct: addressesDistinct }, values);
  }

  /** `arrival`: when the record's file was last modified, or when it was pushed; milliseconds since 1970. */
  observe(record: CloudTrailRecord, arrival: number): void {
    const { service, region, account, outcome } = record;
    const event = this.#withEvent ? record.event : '';
    // None of the values holds a line feed.
    const key = `${service}\n${region}\n${account}\n${outcome}\n${event}`;
    let series = this.#kept.get(key);
    if (!series) {
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      series = this.#metrics.events.series({ service, region, account, outcome, event });
      this.#kept.set(key, series);
    }
    series.inc();
    const time = usableTime(record.time, arrival);
    this.#security(record, time);
    const { user, address } = callerOf(record.raw);
    if (user !== '') this.#users.count(user, time ?? arrival);
    if (address !== null) this.#addresses.count(address, time ?? arrival);
    if (time === null) return;
    this.#lag ??= this.#metrics.deliveryLag.series(NO_LABELS);
    this.#lag.observe(lagSeconds(time, arrival));
  }

  #security({ controls, raw }: CloudTrailRecord, time: number | null): void {
    for (const control of controls) {
      const series = this.#metrics.securityEvents.series({ control });
      series.inc();
      // Its id is what the event history of the console finds an event by.
      if (time !== null) series.exemplify({ id: textAt(raw, 'eventID'), value: 1, time });
    }
  }

  /** Lets go of all series: they are good no longer. */
  forget(): void {
    this.#kept.clear();
    this.#users.forget();
    this.#addresses.forget();
    this.#lag = null;
  }
}

const NO_LABELS = {};
