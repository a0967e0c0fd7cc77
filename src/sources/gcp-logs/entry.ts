import { createHash } from 'node:crypto';
import type { Rejected } from '../../core/source.ts';
import { isObject, type JsonObject, objectAt, parseJson, textAt } from '../../lib/json-value.ts';
import { parseRfc3339 } from '../../lib/time.ts';
import { type Audit, readAudit } from './audit.ts';
import { nameLabel } from './labels.ts';

/** A request that an entry tells of, with a known duration. */
export interface HttpRequest {
  /** Value of the label `code`. */
  readonly code: string;
  readonly durationNs: number;
}

/** A LogEntry of Cloud Logging, as the metrics see it (Google Cloud, "LogEntry"). */
export interface LogEntry {
  /** `logName timestamp insertId`, the same in overlapping sinks; a hash of the text where one of them is absent. */
  readonly id: string;
  /** Milliseconds since 1970, or null. */
  readonly time: number | null;
  /** Values of labels. */
  readonly log: string;
  readonly severity: string;
  readonly resourceType: string;
  /** Null if it is no audit entry. */
  readonly audit: Audit | null;
  /** Null if there is no request, or its duration is not told. */
  readonly http: HttpRequest | null;
  /** Of the trace that the entry belongs to; empty if it is not told. */
  readonly traceId: string;
  readonly logName: string;
  /** As it was read. */
  readonly raw: JsonObject;
  readonly text: string;
}

export const MALFORMED: Rejected = { rejected: 'malformed' };
export const SHAPE: Rejected = { rejected: 'shape' };

/** Reads a line. */
export function parseEntry(text: string): LogEntry | Rejected {
  const value = parseJson(text);
  if (value === undefined) return MALFORMED;
  if (!isObject(value) || typeof value.logName !== 'string') return SHAPE;
  const { logName } = value;
  const timestamp = textAt(value, 'timestamp');
  const insertId = textAt(value, 'insertId');
  const isKnown = timestamp !== '' && insertId !== '';
  return {
    id: isKnown ? `${logName} ${timestamp} ${insertId}` : createHash('sha256').update(text).digest('hex'),
    time: parseRfc3339(timestamp),
    log: nameLabel(logIdOf(logName)),
    severity: severityLabel(value.severity),
    resourceType: resourceLabel(objectAt(value, 'resource')?.type),
    audit: readAudit(value),
    http: readHttp(objectAt(value, 'httpRequest')),
    traceId: traceIdOf(textAt(value, 'trace')),
    logName,
    raw: value,
    text,
  };
}

/** The LOG_ID of a `logName`, decoded; empty if it holds none. */
export function logIdOf(logName: string): string {
  const at = logName.indexOf(LOGS);
  if (at < 0) return '';
  const id = logName.slice(at + LOGS.length);
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

const LOGS = '/logs/';

const SEVERITIES: ReadonlySet<unknown> = new Set([
  'DEFAULT',
  'DEBUG',
  'INFO',
  'NOTICE',
  'WARNING',
  'ERROR',
  'CRITICAL',
  'ALERT',
  'EMERGENCY',
]);

function severityLabel(value: unknown): string {
  if (value === undefined || value === null) return 'DEFAULT';
  return typeof value === 'string' && SEVERITIES.has(value) ? value : 'other';
}

function resourceLabel(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  return typeof value === 'string' && /^[a-z0-9_./]{1,64}$/.test(value) ? value : 'other';
}

function readHttp(request: JsonObject | null): HttpRequest | null {
  const durationNs = durationOf(textAt(request, 'latency'));
  return request && durationNs !== null ? { code: codeLabel(request.status), durationNs } : null;
}

/** Nanoseconds of a duration as protobuf writes it in JSON (`0.012345s`): digits are put together, so none is lost. */
function durationOf(text: string): number | null {
  const found = /^([0-9]{1,12})(?:\.([0-9]{1,32}))?s$/.exec(text);
  if (!found) return null;
  return Number(found[1]) * 1e9 + Number((found[2] ?? '').slice(0, 9).padEnd(9, '0'));
}

/** Of `projects/demo-1/traces/06796866738c859f2f19b7cfb3214824`, or of the id alone, as some write it. */
function traceIdOf(trace: string): string {
  const id = trace.slice(trace.lastIndexOf('/') + 1);
  return id.length === trace.length || trace.endsWith(`/traces/${id}`) ? id : '';
}

function codeLabel(value: unknown): string {
  const code = typeof value === 'number' ? String(value) : value;
  return typeof code === 'string' && /^[1-5][0-9]{2}$/.test(code) ? code : 'other';
}
