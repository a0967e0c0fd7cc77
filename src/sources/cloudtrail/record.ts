import { createHash } from 'node:crypto';
import type { Outcome } from '../../core/event.ts';
import type { Rejected } from '../../core/source.ts';
import { isObject, type JsonObject, objectAt, parseJson, textAt } from '../../lib/json-value.ts';
import { parseRfc3339 } from '../../lib/time.ts';
import { type Control, controlsOf } from './controls.ts';

/** A record of CloudTrail, as the metrics see it (AWS, "CloudTrail record contents"). */
export interface CloudTrailRecord {
  /** Its `eventID`; records before version 1.01 have none and are known by a hash of their text. */
  readonly id: string;
  /** The `eventID` that this record brings up to date: both are one event. Null for most. */
  readonly originalId: string | null;
  /** Milliseconds since 1970, or null. */
  readonly time: number | null;
  /** Not to be counted, but only after duplicates have been told apart: an insight, which is no call. */
  readonly excluded: boolean;
  /** Values of labels. */
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly outcome: Outcome;
  readonly event: string;
  readonly controls: readonly Control[];
  readonly eventName: string;
  /** As it was read. */
  readonly raw: JsonObject;
  readonly text: string;
}

export const MALFORMED: Rejected = { rejected: 'malformed' };
export const SHAPE: Rejected = { rejected: 'shape' };

/**
 * Reads an element of `Records`, or a line that is one record. `malformed` if it is no JSON; within a file this means
 * that the file is broken.
 */
export function parseRecord(text: string): CloudTrailRecord | Rejected {
  const value = parseJson(text);
  return value === undefined ? MALFORMED : readRecord(value, text);
}

/** Reads a record that has been parsed already. */
export function readRecord(value: unknown, text: string): CloudTrailRecord | Rejected {
  if (!isObject(value)) return SHAPE;
  const { eventSource, eventName } = value;
  if (typeof eventSource !== 'string' || typeof eventName !== 'string') return SHAPE;
  return {
    id: textAt(value, 'eventID') || createHash('sha256').update(text).digest('hex'),
    originalId: originalIdOf(value),
    time: parseRfc3339(textAt(value, 'eventTime')),
    excluded: value.eventCategory === 'Insight',
    service: serviceLabel(eventSource),
    region: regionLabel(value.awsRegion),
    account: accountLabel(present(value.recipientAccountId) ?? objectAt(value, 'userIdentity')?.accountId),
    outcome: outcomeOf(value, eventName),
    event: /^[A-Za-z0-9_.:/ -]{1,64}$/.test(eventName) ? eventName : 'other',
    controls: controlsOf(value),
    eventName,
    raw: value,
    text,
  };
}

/** What `errorCode` contains where access was refused. */
const DENIALS = ['AccessDenied', 'Unauthorized', 'Forbidden', 'NotAuthorized', 'AuthFailure'] as const;

/** What follows the service in `eventSource`. */
const SUFFIXES = ['.amazonaws.com', '.amazonaws.com.cn'] as const;

function originalIdOf(record: JsonObject): string | null {
  const addendum = objectAt(record, 'addendum');
  return addendum?.reason === 'UPDATED_DATA' ? textAt(addendum, 'originalEventID') || null : null;
}

/** Null and empty text are as good as absent. */
function present(value: unknown): unknown {
  return value === null || value === '' ? undefined : value;
}

function serviceLabel(eventSource: string): string {
  const source = eventSource.toLowerCase();
  const suffix = SUFFIXES.find((one) => source.endsWith(one)) ?? '';
  return labelValue(source.slice(0, source.length - suffix.length), /^[a-z0-9.-]{1,64}$/);
}

function regionLabel(value: unknown): string {
  const region = present(value);
  if (region === undefined) return '';
  return typeof region === 'string' && region.length <= 64
    ? labelValue(region, /^[a-z]{2}(?:-[a-z]+)+-[0-9]$/)
    : 'other';
}

function accountLabel(value: unknown): string {
  const account = present(value);
  if (account === undefined) return '';
  return typeof account === 'string' ? labelValue(account, /^[0-9]{12}$/) : 'other';
}

function labelValue(value: string, allowed: RegExp): string {
  return allowed.test(value) ? value : 'other';
}

function outcomeOf(record: JsonObject, eventName: string): Outcome {
  const code = textAt(record, 'errorCode');
  const message = textAt(record, 'errorMessage');
  if (DENIALS.some((denial) => code.includes(denial))) return 'denied';
  if (eventName === 'ConsoleLogin') {
    if (message !== '' || objectAt(record, 'responseElements')?.ConsoleLogin === 'Failure') return 'denied';
  }
  return code === '' && message === '' ? 'ok' : 'failed';
}
