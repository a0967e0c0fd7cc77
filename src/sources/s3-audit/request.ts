import type { Data } from '../../core/event.ts';
import type { Rejected } from '../../core/source.ts';
import { usableTime } from '../../lib/delivery.ts';
import { durationNs } from './durations.ts';
import { countOf, type Fields, headerOf, isFields, textOf } from './fields.ts';
import { apiLabel, bucketLabel, codeLabel, requestOutcome } from './labels.ts';
import { type AuditRecord, type Place, SHAPE } from './record.ts';
import { parseEventTime } from './times.ts';

/** An S3 audit record of MinIO, or of Lyve Cloud, which wraps MinIO's (of 2020 and perhaps newer) in `auditEntry`. */
export function readS3Audit(raw: Fields, text: string, place: Place): AuditRecord | Rejected {
  const form = isFields(raw.auditEntry) ? 'lyve' : 'minio';
  const entry = entryOf(raw);
  const call = entry.api;
  if (!isFields(call)) return SHAPE;
  const rawApi = textOf(call.name);
  if (rawApi === '') return SHAPE;
  const isRequest = !isBackground(entry.trigger);
  const code = codeLabel(call.statusCode);
  return {
    kind: isRequest ? 'request' : 'background',
    form,
    api: apiLabel(rawApi),
    bucket: bucketLabel(call.bucket),
    code: isRequest ? code : '',
    durationNs: isRequest ? durationNs(call.timeToResponseInNS, call.timeToResponse) : null,
    ttfbNs: isRequest ? durationNs(call.timeToFirstByteInNS, call.timeToFirstByte) || null : null,
    requestBytes: isRequest ? (countOf(call.rx) ?? contentLength(entry.requestHeader)) : null,
    responseBytes: isRequest ? responseBytes(entry, call, code) : null,
    timeMs: usableTime(parseEventTime(entry.time), place.arrival),
    event: '',
    outcome: requestOutcome(code),
    rawApi,
    rawBucket: textOf(call.bucket),
    raw,
    text,
  };
}

/** What MinIO would have written, with or without Lyve Cloud's wrapping. */
export function entryOf(raw: Fields): Fields {
  return isFields(raw.auditEntry) ? raw.auditEntry : raw;
}

/** A record of Ceph's ops log. */
export function readOpsLog(raw: Fields, text: string, place: Place): AuditRecord {
  const rawApi = textOf(raw.operation);
  const code = codeLabel(raw.http_status);
  const ms = countOf(raw.total_time);
  return {
    kind: 'request',
    form: 'ceph-ops',
    api: apiLabel(rawApi),
    bucket: bucketLabel(raw.bucket),
    code,
    durationNs: ms === null ? null : ms * NS_PER_MS,
    ttfbNs: null,
    requestBytes: countOf(raw.bytes_received),
    responseBytes: countOf(raw.bytes_sent),
    timeMs: usableTime(parseEventTime(raw.time), place.arrival),
    event: '',
    outcome: requestOutcome(code),
    rawApi,
    rawBucket: textOf(raw.bucket),
    raw,
    text,
  };
}

/** Nanoseconds in a millisecond. */
export const NS_PER_MS = 1_000_000;

function isBackground(trigger: Data | undefined): boolean {
  return typeof trigger === 'string' && trigger !== '' && trigger !== 'incoming';
}

/** The header tells what would be sent: nothing is to a HEAD, and with 204 and 304. `tx` was counted, and holds always. */
function responseBytes(entry: Fields, call: Fields, code: string): number | null {
  const sent = countOf(call.tx);
  if (sent !== null) return sent;
  if (code === '204' || code === '304' || HEAD.test(textOf(call.name))) return null;
  return contentLength(entry.responseHeader);
}

const HEAD = /^head/i;

function contentLength(headers: Data | undefined): number | null {
  return headerOf(headers, 'Content-Length', countOf);
}
