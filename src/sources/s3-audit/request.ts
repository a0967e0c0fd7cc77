import type { Data } from '../../core/event.ts';
import type { Rejected } from '../../core/source.ts';
import { usableTime } from '../../lib/delivery.ts';
import { durationNs } from './durations.ts';
import { countOf, type Fields, headerOf, isFields, textOf } from './fields.ts';
import { apiLabel, bucketLabel, codeLabel, requestOutcome } from './labels.ts';
import { type AuditRecord, type Place, SHAPE } from './record.ts';
import { parseEventTime } from './times.ts';

/** What is asked of an S3 audit record; absent is undefined. */
export interface S3Call {
  readonly name: Data | undefined;
  readonly bucket: Data | undefined;
  readonly statusCode: Data | undefined;
  readonly rx: Data | undefined;
  readonly tx: Data | undefined;
  readonly timeToFirstByte: Data | undefined;
  readonly timeToFirstByteInNS: Data | undefined;
  readonly timeToResponse: Data | undefined;
  readonly timeToResponseInNS: Data | undefined;
  readonly time: Data | undefined;
  readonly trigger: Data | undefined;
  /** What the headers `Content-Length` tell. */
  readonly requestLength: number | null;
  readonly responseLength: number | null;
}

/** What goes with a call into its record. */
export interface Origin extends Pick<AuditRecord, 'raw' | 'text'> {
  readonly form: 'lyve' | 'minio';
  readonly place: Place;
}

/** An S3 audit record of MinIO, or of Lyve Cloud, which wraps MinIO's (of 2020 and perhaps newer) in `auditEntry`. */
export function readS3Audit(raw: Fields, text: string, place: Place): AuditRecord | Rejected {
  const entry = entryOf(raw);
  const { api } = entry;
  if (!isFields(api)) return SHAPE;
  const call: S3Call = {
    name: api.name,
    bucket: api.bucket,
    statusCode: api.statusCode,
    rx: api.rx,
    tx: api.tx,
    timeToFirstByte: api.timeToFirstByte,
    timeToFirstByteInNS: api.timeToFirstByteInNS,
    timeToResponse: api.timeToResponse,
    timeToResponseInNS: api.timeToResponseInNS,
    time: entry.time,
    trigger: entry.trigger,
    requestLength: headerOf(entry.requestHeader, 'Content-Length', countOf),
    responseLength: headerOf(entry.responseHeader, 'Content-Length', countOf),
  };
  return readCall(call, { form: entry === raw ? 'minio' : 'lyve', raw, text, place });
}

/** The record of a call. */
export function readCall(call: S3Call, { form, raw, text, place }: Origin): AuditRecord | Rejected {
  const rawApi = textOf(call.name);
  if (rawApi === '') return SHAPE;
  const isRequest = !isBackground(call.trigger);
  const code = codeLabel(call.statusCode);
  return {
    kind: isRequest ? 'request' : 'background',
    form,
    api: apiLabel(rawApi),
    bucket: bucketLabel(call.bucket),
    code: isRequest ? code : '',
    durationNs: isRequest ? durationNs(call.timeToResponseInNS, call.timeToResponse) : null,
    ttfbNs: isRequest ? durationNs(call.timeToFirstByteInNS, call.timeToFirstByte) || null : null,
    requestBytes: isRequest ? (countOf(call.rx) ?? call.requestLength) : null,
    responseBytes: isRequest ? responseBytes(call, rawApi, code) : null,
    timeMs: usableTime(parseEventTime(call.time), place.arrival),
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
function responseBytes({ tx, responseLength }: S3Call, api: string, code: string): number | null {
  const sent = countOf(tx);
  if (sent !== null) return sent;
  return code === '204' || code === '304' || HEAD.test(api) ? null : responseLength;
}

const HEAD = /^head/i;
