import type { Data, Outcome } from '../../core/event.ts';
import { usableTime } from '../../lib/delivery.ts';
import { type Fields, isFields } from './fields.ts';
import { consoleOutcome, eventLabel } from './labels.ts';
import type { AuditRecord, Form, Kind, Place } from './record.ts';
import { parseEventTime } from './times.ts';

/** A record of Lyve Cloud's console: `ConsoleEvent` with `Eventname`, `StatusCode`, `EventTime`. */
export function readConsole(raw: Fields, text: string, place: Place): AuditRecord {
  const told = partOf(raw, 'ConsoleEvent');
  return accountRecord('console', 'console', {
    event: eventLabel(told.Eventname ?? told.EventName),
    outcome: consoleOutcome(told.StatusCode),
    timeMs: usableTime(parseEventTime(told.EventTime), place.arrival),
    raw,
    text,
  });
}

/** A record of Lyve Cloud's account API: `ApiEvent` with `EventName`, `Request` and `Response`. */
export function readAccountApi(raw: Fields, text: string, place: Place): AuditRecord {
  const told = partOf(raw, 'ApiEvent');
  const request = partOf(told, 'Request');
  const response = partOf(told, 'Response');
  return accountRecord('console', 'account', {
    event: eventLabel(told.EventName ?? told.Eventname),
    outcome: consoleOutcome(response.ResponseCode),
    timeMs: usableTime(parseEventTime(request.RequestTime), place.arrival),
    raw,
    text,
  });
}

/** A record of Lyve Cloud's IAM, whose fields stand in `content` or beside it. No sample is public. */
export function readIam(raw: Fields, text: string, place: Place): AuditRecord {
  const content = partOf(raw, 'content');
  const event = [content.type, raw.type, content.event, raw.event].find(isTold);
  return accountRecord('iam', 'iam', {
    event: event === undefined ? 'unknown' : eventLabel(event),
    outcome: 'unknown',
    timeMs: usableTime(parseEventTime(iamTime(raw)), place.arrival),
    raw,
    text,
  });
}

/** When an IAM event happened, as told: its own date comes before that of its record. */
export function iamTime(raw: Fields): Data | undefined {
  return [partOf(raw, 'content').date, raw.date, raw.created_date].find((value) => parseEventTime(value) !== null);
}

/** The object of a name, or an empty one. */
export function partOf(fields: Fields, name: string): Fields {
  const part = fields[name];
  return isFields(part) ? part : EMPTY;
}

const EMPTY: Fields = {};

interface Told {
  readonly event: string;
  readonly outcome: Outcome;
  readonly timeMs: number | null;
  readonly raw: Fields;
  readonly text: string;
}

function accountRecord(kind: Kind, form: Form, { event, outcome, timeMs, raw, text }: Told): AuditRecord {
  return {
    kind,
    form,
    api: '',
    bucket: '',
    code: '',
    durationNs: null,
    ttfbNs: null,
    requestBytes: null,
    responseBytes: null,
    timeMs,
    event,
    outcome,
    rawApi: '',
    rawBucket: '',
    raw,
    text,
  };
}

function isTold(value: Data | undefined): boolean {
  return value !== undefined && value !== null && value !== '';
}
