import { counter, gauge, histogram } from './metrics/define.ts';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Metrics of the program itself. */
export const OWN_METRICS = {
  buildInfo: gauge('trailgauge_build_info', 'A constant 1, labelled with version, revision and Node.js version.', [
    'version',
    'revision',
    'node',
  ]),
  series: gauge('trailgauge_series', 'Series that a metric has now.', ['metric']),
  seriesLimited: counter(
    'trailgauge_series_limited_total',
    'Events counted under the label value "other": the metric was at its series limit, or the value can be no label.',
    ['metric'],
  ),
  commitSeconds: histogram(
    'trailgauge_state_commit_seconds',
    'Time it took to bring totals and positions to disk.',
    [],
    SECONDS,
  ),
  scrapeSeconds: histogram(
    'trailgauge_scrape_seconds',
    'Time from the request for metrics to the answer, the commit before it included.',
    [],
    SECONDS,
  ),
};

/** Metrics that every source has; label `source` is the name of its section without the type where it is named. */
export const SOURCE_METRICS = {
  up: gauge('trailgauge_source_up', '1 while the source can be read.', ['source']),
  items: counter('trailgauge_source_items_total', 'Items read: log lines, messages, records.', ['source']),
  bytes: counter('trailgauge_source_bytes_total', 'Bytes read, as they came.', ['source']),
  events: counter('trailgauge_source_events_total', 'Items that became events and were counted.', ['source']),
  rejected: counter('trailgauge_source_rejected_total', 'Items that could not be understood, by reason.', [
    'source',
    'reason',
  ]),
  duplicates: counter('trailgauge_source_duplicates_total', 'Items left out because they repeat earlier ones.', [
    'source',
  ]),
  errors: counter(
    'trailgauge_source_errors_total',
    'Failures of reading, gaps in what was read, and files that are given up where no other metric tells.',
    ['source'],
  ),
  lastEvent: gauge('trailgauge_source_last_event_timestamp_seconds', 'Time of the newest event.', ['source']),
  lag: gauge(
    'trailgauge_source_lag_seconds',
    'Age of the newest event at the moment it was read, or how far the reading is behind.',
    ['source'],
  ),
};

/** Metrics that every writer has; label `writer` is the name of its section without the type where it is named. */
export const WRITER_METRICS = {
  up: gauge('trailgauge_writer_up', '0 while the far end cannot be written to.', ['writer']),
  events: counter('trailgauge_writer_events_total', 'Events that the far end has taken.', ['writer']),
  errors: counter('trailgauge_writer_errors_total', 'Requests that failed and are repeated.', ['writer']),
  dropped: counter(
    'trailgauge_writer_dropped_total',
    'Events that will not be delivered: refused for good (`rejected`, `too_large`), or too many waited (`queue_full`).',
    ['writer', 'reason'],
  ),
  queueEvents: gauge('trailgauge_writer_queue_events', 'Events that wait on disk.', ['writer']),
  queueBytes: gauge('trailgauge_writer_queue_bytes', 'Size of the events that wait on disk.', ['writer']),
  deliverySeconds: histogram(
    'trailgauge_writer_delivery_seconds',
    'Time that a request took which delivered events.',
    ['writer'],
    SECONDS,
  ),
};
