import { CountedValues, type ValueOptions } from '../../core/counted-values.ts';
import type { CounterSeries, Handles, HistogramSeries, MaximumSeries } from '../../core/metrics/handles.ts';
import { lagSeconds } from '../../lib/delivery.ts';
import { whoOf } from './event.ts';
import type { S3_AUDIT_METRICS } from './metrics.ts';
import type { AuditRecord } from './record.ts';
import { RequestIds } from './request-id.ts';

const NS_PER_SECOND = 1e9;
/** Requests that took longer have exemplars: to read the id of each would cost all records 6 % of their time. */
const SLOW_SECONDS = 1;

/** `top` and `distinct` are of client addresses and accounts. */
export interface ObserverOptions extends ValueOptions {
  readonly metrics: Handles<typeof S3_AUDIT_METRICS>;
}

/** Kept ways to the series of one operation on one bucket, made when they are first needed. */
interface Series {
  readonly codes: Map<string, CounterSeries>;
  duration: HistogramSeries | null;
  longest: MaximumSeries | null;
  firstByte: HistogramSeries | null;
  requestBytes: CounterSeries | null;
  responseBytes: CounterSeries | null;
}

/** Adds records to the metrics. Series are looked up by the values of their labels once, and then kept. */
export class Observer {
  readonly #metrics: Handles<typeof S3_AUDIT_METRICS>;
  readonly #apis = new Map<string, Map<string, Series>>();
  readonly #ids = new RequestIds();
  readonly #options: ObserverOptions;
  readonly #addresses: CountedValues;
  readonly #accounts: CountedValues;
  #lag: HistogramSeries | null = null;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#metrics = options.metrics;
    const { addressTop, addressesDistinct, accountTop, accountsDistinct } = options.metrics;
    this.#addresses = new CountedValues({ top: addressTop, distinct: addressesDistinct }, options);
    this.#accounts = new CountedValues({ top: accountTop, distinct: accountsDistinct }, options);
  }

  /** `arrival`: when the record's object was last modified, or when it was pushed; milliseconds since 1970. */
  observe(record: AuditRecord, arrival: number): void {
    const { kind, timeMs, event, outcome } = record;
    if (timeMs !== null) {
      this.#lag ??= this.#metrics.deliveryLag.series({});
      this.#lag.observe(lagSeconds(timeMs, arrival));
    }
    if (kind === 'request') {
      this.#request(record);
      this.#countValues(record, arrival);
    } else if (kind === 'console') this.#metrics.consoleEvents.inc({ event, outcome });
    else if (kind === 'iam') this.#metrics.iamEvents.inc({ event });
  }

  /** Lets go of all series: they are good no longer. */
  forget(): void {
    this.#apis.clear();
    this.#lag = null;
    this.#addresses.forget();
    this.#accounts.forget();
  }

  #request(record: AuditRecord): void {
    const { api, bucket, code, durationNs, ttfbNs, requestBytes, responseBytes, timeMs } = record;
    const metrics = this.#metrics;
    const series = this.#seriesOf(api, bucket);
    let requests = series.codes.get(code);
    if (!requests) {
      requests = metrics.requests.series({ api, bucket, code });
      series.codes.set(code, requests);
    }
    requests.inc();
    if (durationNs !== null) {
      const seconds = durationNs / NS_PER_SECOND;
      series.duration ??= metrics.duration.series({ api, bucket });
      series.duration.observe(seconds);
      if (timeMs !== null) {
        series.longest ??= metrics.durationMax.series({ api, bucket });
        series.longest.observe(seconds, timeMs);
        if (seconds > SLOW_SECONDS) {
          series.duration.exemplify({ id: this.#ids.of(record), value: seconds, time: timeMs });
        }
      }
    } else if (timeMs !== null) metrics.durationMax.advance(timeMs);
    if (ttfbNs !== null) {
      series.firstByte ??= metrics.firstByte.series({ api });
      series.firstByte.observe(ttfbNs / NS_PER_SECOND);
    }
    if (requestBytes !== null) {
      series.requestBytes ??= metrics.requestBytes.series({ api, bucket });
      series.requestBytes.inc(requestBytes);
    }
    if (responseBytes !== null) {
      series.responseBytes ??= metrics.responseBytes.series({ api, bucket });
      series.responseBytes.inc(responseBytes);
    }
  }

  #countValues(record: AuditRecord, arrival: number): void {
    const { top, distinct } = this.#options;
    if (top === 0 && !distinct) return;
    const { who, address } = whoOf(record);
    if (address !== null) this.#addresses.count(address, record.timeMs ?? arrival);
    if (who.id !== '') this.#accounts.count(who.id, record.timeMs ?? arrival);
  }

  #seriesOf(api: string, bucket: string): Series {
    let buckets = this.#apis.get(api);
    if (!buckets) {
      buckets = new Map();
      this.#apis.set(api, buckets);
    }
    let series = buckets.get(bucket);
    if (!series) {
      series = {
        codes: new Map(),
        duration: null,
        longest: null,
        firstByte: null,
        requestBytes: null,
        responseBytes: null,
      };
      buckets.set(bucket, series);
    }
    return series;
  }
}
