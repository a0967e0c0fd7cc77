import { createHash } from 'node:crypto';
import type { Event } from '../../core/event.ts';
import { parseRfc3339 } from '../../lib/time.ts';
import { at, datasetOf, recordOf, textOf } from '../event-data.ts';

/**
 * The time of an event in nanoseconds, with the digits that its source does not know filled from its id, so that two
 * events of one moment do not replace each other, and a replay gives the same time again.
 */
export function eventNs(event: Event): bigint {
  const exact = exactNs(event);
  const known = resolutionNs(event);
  const time = exact ?? BigInt(Math.round((Number.isFinite(event.time) ? event.time : 0) * 1_000)) * 1_000n;
  const resolution = exact === null && known < MILLISECOND ? MILLISECOND : known;
  const near = time < EARLIEST ? EARLIEST : time > LATEST - SECOND ? LATEST - SECOND : time;
  // What is moved to one end of all times is told apart there, as what shares a second is.
  return filledNs(event.id, near, near === time ? resolution : SECOND);
}

/** `time + H mod resolution`, all in nanoseconds; H: the first 8 bytes, big endian, of the SHA-256 of the event's id. */
export function filledNs(id: string, time: bigint, resolution: bigint): bigint {
  return time + (createHash('sha256').update(id).digest().readBigUInt64BE() % resolution);
}

/**
 * Nanoseconds of an RFC 3339 time with up to 9 decimals, or of the form in which Go prints one
 * (`2024-01-15 10:12:00.5 +0000 UTC m=+1.2`); null if the text is neither.
 */
export function parseNs(text: string): bigint | null {
  const found =
    /^([0-9-]{10})[Tt ]([0-9:]{8})(?:[.,]([0-9]{1,9}))? ?([Zz]|[+-][0-9]{2}:?[0-9]{2})(?: UTC.{0,40})?$/.exec(text);
  if (!found) return null;
  const [, day, clock, fraction = '', zone] = found;
  const ms = parseRfc3339(`${day}T${clock}${zone}`);
  return ms === null ? null : BigInt(ms) * MILLISECOND + BigInt(fraction.padEnd(9, '0'));
}

/** What InfluxDB takes, in nanoseconds: one or two less than 64 bits hold (seen in 1.6). */
const LATEST = 2n ** 63n - 2n;
const EARLIEST = -LATEST;

const MICROSECOND = 1_000n;
const MILLISECOND = 1_000_000n;
const SECOND = 1_000_000_000n;

/** Where a record has its time; one of another form has none there. */
const TIME_PATHS: readonly (readonly string[])[] = [
  ['auditEntry', 'time'],
  ['ConsoleEvent', 'EventTime'],
  ['ApiEvent', 'Request', 'RequestTime'],
  ['content', 'date'],
  ['time'],
  ['timestamp'],
];

/** The time in all its digits, if the event's own time is made of it. */
function exactNs(event: Event): bigint | null {
  const record = recordOf(event);
  for (const told of [event.data.timestamp, ...TIME_PATHS.map((path) => at(record, ...path))]) {
    const text = textOf(told);
    const time = text.length > 100 ? null : parseNs(text);
    if (time !== null && Math.abs(Number(time / MICROSECOND) / 1_000 - event.time) < 1) return time;
  }
  return null;
}

/** How far apart the times are that an origin can tell, in nanoseconds; the S3 records by their form. */
const RESOLUTIONS: ReadonlyMap<string, bigint> = new Map([
  ['cloudtrail', SECOND],
  ['gcp-logs', 1n],
  ['lyve', 1n],
  ['minio', 1n],
  ['console', 1n],
  ['ceph-ops', MICROSECOND],
  ['ceph-line', SECOND],
  ['aws-line', SECOND],
]);

function resolutionNs(event: Event): bigint {
  return RESOLUTIONS.get(textOf(event.data.form)) ?? RESOLUTIONS.get(datasetOf(event)) ?? MILLISECOND;
}
