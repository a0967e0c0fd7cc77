import { readFileSync } from 'node:fs';
import type { Rejected } from '../../../src/core/source.ts';
import { isRejected } from '../../../src/core/source.ts';
import type { AuditRecord, Place } from '../../../src/sources/s3-audit/record.ts';
import { readRecord } from '../../../src/sources/s3-audit/records.ts';
import { fixture } from '../../support/paths.ts';

/** After everything that the fixtures tell of, but for the clocks that are wrong on purpose. */
export const LATER: Place = { format: 'auto', iam: false, arrival: Date.UTC(2024, 5, 1) };

/** The rows of a table with a heading, as texts. */
export function rowsOf(name: string): readonly (readonly string[])[] {
  return readFileSync(fixture(`object-logs/${name}`), 'utf8')
    .replace(/\n$/, '')
    .split('\n')
    .slice(1)
    .map((row) => row.split('\t'));
}

/** The lines of a file, without the nothing behind the last one. */
export function linesOf(text: string): readonly string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** A record, where the line is one. */
export function recordOf(text: string, place: Partial<Place> = {}): AuditRecord {
  const found = readRecord(text, { ...LATER, ...place });
  if (found === null || isRejected(found))
    throw new Error(`no record: ${JSON.stringify(found)}, ${text.slice(0, 200)}`);
  return found;
}

/** Why a line is none; null for no item at all. */
export function refusalOf(text: string, place: Partial<Place> = {}): string | null {
  const found: AuditRecord | Rejected | null = readRecord(text, { ...LATER, ...place });
  if (found === null) return null;
  if (!isRejected(found)) throw new Error(`a record: ${text.slice(0, 200)}`);
  return found.rejected;
}

/** The sums of the metrics that records alone determine, by name and labels. */
export interface Sums {
  add(name: string, labels: Readonly<Record<string, string>>, value: number): void;
  /** Adds what a record touches. */
  count(record: AuditRecord): void;
  /** All of them, with the maxima of the last hour. */
  all(): ReadonlyMap<string, number>;
}

/** Sums that begin with nothing. */
export function createSums(): Sums {
  const sums = new Map<string, number>();
  const requests: AuditRecord[] = [];

  function add(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    const key = seriesKey(name, labels);
    sums.set(key, (sums.get(key) ?? 0) + value);
  }

  function observe(name: string, labels: Readonly<Record<string, string>>, ns: number | null): void {
    if (ns === null) return;
    add(`${name}_count`, labels, 1);
    add(`${name}_sum`, labels, ns / 1e9);
  }

  function count(record: AuditRecord): void {
    const { kind, api, bucket, code, event, outcome } = record;
    if (record.timeMs !== null) add('s3_log_delivery_lag_seconds_count', {}, 1);
    if (kind === 'console') add('s3_console_events_total', { event, outcome }, 1);
    if (kind === 'iam') add('s3_iam_events_total', { event }, 1);
    if (kind !== 'request') return;
    requests.push(record);
    add('s3_requests_total', { api, bucket, code }, 1);
    observe('s3_request_duration_seconds', { api, bucket }, record.durationNs);
    observe('s3_time_to_first_byte_seconds', { api }, record.ttfbNs);
    add('s3_request_bytes_total', { api, bucket }, record.requestBytes ?? 0);
    add('s3_response_bytes_total', { api, bucket }, record.responseBytes ?? 0);
  }

  function all(): ReadonlyMap<string, number> {
    const found = new Map(sums);
    const newest = Math.max(...requests.map(({ timeMs }) => timeMs ?? 0));
    for (const { api, bucket, timeMs, durationNs } of requests) {
      if (timeMs === null || durationNs === null || minuteOf(timeMs) <= minuteOf(newest) - 60) continue;
      const key = seriesKey('s3_request_duration_seconds_max', { api, bucket });
      found.set(key, Math.max(found.get(key) ?? 0, durationNs / 1e9));
    }
    return found;
  }

  return { add, count, all };
}

/** What a fixture wants, by name and labels. */
export function expectedSums(name: string): ReadonlyMap<string, number> {
  const series = JSON.parse(readFileSync(fixture(`object-logs/${name}`), 'utf8')) as readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
  return new Map(series.map(({ name, labels, value }) => [seriesKey(name, labels), value]));
}

/** The names of what differs: sums of seconds may by a billionth, and what is not wanted may be there with 0. */
export function differences(
  found: ReadonlyMap<string, number>,
  wanted: ReadonlyMap<string, number>,
): readonly string[] {
  return [...new Set([...found.keys(), ...wanted.keys()])].flatMap((key) => {
    const [is, should] = [found.get(key) ?? 0, wanted.get(key) ?? 0];
    return Math.abs(is - should) <= 1e-9 * Math.abs(should) ? [] : [`${key}: found ${is}, wanted ${should}`];
  });
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const told = Object.entries(labels).filter(([, value]) => value !== '');
  return `${name} ${JSON.stringify(told.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}
