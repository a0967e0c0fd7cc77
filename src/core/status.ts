import type { Label } from './metrics/labels.ts';
import type { SourceStatus } from './source-figures.ts';
import type { Version } from './version.ts';
import type { WriterStatus } from './writer.ts';

/** How full a metric is. */
export interface MetricStatus {
  readonly metric: string;
  readonly series: number;
  readonly limit: number;
  /** Events counted under `other` since the beginning. */
  readonly limited: number;
}

/** The most frequent values of the last 24 hours, of what these labels say. */
export interface TopStatus {
  readonly metric: string;
  readonly labels: readonly Label[];
  /** The most frequent first. */
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

/** What the status page and `/api/v1/status` show. Times are in milliseconds since 1970. */
export interface Status {
  readonly version: Version;
  readonly started: number;
  readonly now: number;
  /** What is wrong with the whole, or null. */
  readonly problem: string | null;
  readonly sources: readonly SourceStatus[];
  readonly writers: readonly WriterStatus[];
  readonly metrics: readonly MetricStatus[];
  readonly top: readonly TopStatus[];
  /** Who collects, and when it last did. */
  readonly scrapers: readonly { readonly id: string; readonly seen: number }[];
}
