import { isIP } from 'node:net';
import type { Data, Event, Outcome, Party } from '../../core/event.ts';
import { usableTime } from '../../lib/delivery.ts';
import { isWithinDepth, type JsonObject, objectAt, textAt } from '../../lib/json-value.ts';
import type { LogEntry } from './entry.ts';

/** What an event is made of. */
export interface EventParts {
  readonly entry: LogEntry;
  /** Name of the source. */
  readonly source: string;
  /** When the entry's object was last modified, in milliseconds since 1970. */
  readonly arrival: number;
}

/** Entries may be nested deeper than writers can follow; those hand on the text. */
export const DEEPEST_RAW = 64;

/**
 * An entry as writers take it. Its `data`: `dataset`, `timestamp` as told, to the nanosecond (absent if it cannot be
 * used), `labels` of `gcp_log_entries_total`, `message` (of a text entry), `durationNs` (of a request), and `raw`, the entry
 * as read.
 */
export function toEvent({ entry, source, arrival }: EventParts): Event {
  const { id, raw, text, audit, http, log, severity, resourceType } = entry;
  const time = usableTime(entry.time, arrival);
  const request = objectAt(raw, 'httpRequest');
  const actor = actorOf(raw);
  const scope = scopeOf(entry.logName);
  const message = textAt(raw, 'textPayload');
  return {
    id,
    time: time ?? arrival,
    source,
    action: audit?.methodName || textAt(request, 'requestMethod') || 'log',
    outcome: audit?.outcome ?? httpOutcome(request?.status),
    ...(actor && { actor }),
    ...targetOf(raw),
    ...(scope && { scope }),
    data: {
      dataset: 'gcp-logs',
      ...(time !== null && { timestamp: textAt(raw, 'timestamp') }),
      labels: { log, severity, resource_type: resourceType },
      ...(message !== '' && { message }),
      ...(http && { durationNs: http.durationNs }),
      // What JSON.parse gave can be said in JSON.
      raw: isWithinDepth(raw, DEEPEST_RAW) ? (raw as Data) : text,
    },
  };
}

/** Who called, and from where. */
interface Caller {
  /** Empty where none is told. */
  readonly email: string;
  /** The email, or else the subject; empty where neither is told. */
  readonly user: string;
  readonly address: string | null;
}

/** Who called, as the entry tells. */
export function callerOf(raw: JsonObject): Caller {
  const payload = objectAt(raw, 'protoPayload');
  const who = objectAt(payload, 'authenticationInfo');
  const said =
    textAt(objectAt(payload, 'requestMetadata'), 'callerIp') || textAt(objectAt(raw, 'httpRequest'), 'remoteIp');
  const email = textAt(who, 'principalEmail');
  const user = email || textAt(who, 'principalSubject');
  return { email, user, address: isIP(said) === 0 ? null : said };
}

function actorOf(raw: JsonObject): Party | null {
  const { email, user: id, address } = callerOf(raw);
  if (id === '') return address === null ? null : { type: 'address', id: address, address };
  return { type: 'principal', id, ...(email !== '' && { name: email }), ...(address && { address }) };
}

function targetOf(raw: JsonObject): { target?: Party } {
  const type = textAt(objectAt(raw, 'resource'), 'type') || 'resource';
  const id =
    textAt(objectAt(raw, 'protoPayload'), 'resourceName') || textAt(objectAt(raw, 'httpRequest'), 'requestUrl');
  return id === '' ? {} : { target: { type, id } };
}

/** Of `projects/demo-1/logs/…`: the project; there are organizations, folders and billing accounts too. */
function scopeOf(logName: string): Party | null {
  const [kind = '', id = '', logs] = logName.split('/', 3);
  const type = SCOPES.get(kind);
  return type === undefined || id === '' || logs !== 'logs' ? null : { type, id };
}

const SCOPES: ReadonlyMap<string, string> = new Map([
  ['projects', 'project'],
  ['organizations', 'organization'],
  ['folders', 'folder'],
  ['billingAccounts', 'billing_account'],
]);

/** Of an entry that is no audit event, only a request tells how it ended. 499: the client did not wait for the end. */
function httpOutcome(status: unknown): Outcome {
  const code = Number(typeof status === 'number' || typeof status === 'string' ? status : Number.NaN);
  if (!(code >= 100 && code < 600) || code === 499) return 'unknown';
  if (code === 401 || code === 403) return 'denied';
  return code < 400 ? 'ok' : 'failed';
}
