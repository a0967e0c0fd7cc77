import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { isObject, type JsonObject, objectAt, parseJson, textAt } from './json-value.ts';

/** What a subscription of CloudWatch Logs sends, to Lambda, Firehose or an HTTP end point (AWS, "Subscription filters"). */
export interface CloudWatchPayload {
  /** A message to find out whether the receiver lives: its log events are none. */
  readonly control: boolean;
  readonly messageType: string;
  /** The account. */
  readonly owner: string;
  readonly logGroup: string;
  readonly logStream: string;
  readonly subscriptionFilters: readonly string[];
  /** As sent, for `readLogEvent`; empty for a control message. */
  readonly logEvents: readonly unknown[];
}

/** One log event. */
export interface CloudWatchEvent {
  /** The same whenever the event is sent again: `logGroup logStream id`, or a hash of all of it where it has no id. */
  readonly id: string;
  /** Milliseconds since 1970, or null. */
  readonly time: number | null;
  readonly message: string;
  /** The message, if it is a JSON object. */
  readonly json: JsonObject | null;
  /** The message is a record of CloudTrail. */
  readonly cloudTrail: boolean;
}

/**
 * Unpacks what was posted: `{"awslogs":{"data":"<base64 of gzip>"}}`, or that gzip, or its JSON. Gives the JSON value for
 * `readPayload`; undefined if it cannot be read, `too_large` if it unpacks to more than `limit` bytes.
 */
export function unpackPayload(body: Buffer, limit: number): { readonly value: unknown } | 'too_large' | undefined {
  const outer = unzipped(body, limit);
  if (outer === undefined || outer === 'too_large') return outer;
  const value = parseJson(outer.toString());
  if (value === undefined) return undefined;
  const wrapped = objectAt(isObject(value) ? value : null, 'awslogs');
  if (wrapped === null) return { value };
  const packed = fromBase64(textAt(wrapped, 'data'));
  const inner = packed && unzipped(packed, limit);
  if (!inner || inner === 'too_large') return inner || undefined;
  const unpacked = parseJson(inner.toString());
  return unpacked === undefined ? undefined : { value: unpacked };
}

/** Reads a payload; null if the value is something else. */
export function readPayload(value: unknown): CloudWatchPayload | null {
  if (!isObject(value)) return null;
  const messageType = textAt(value, 'messageType');
  const control = messageType === 'CONTROL_MESSAGE';
  const { logGroup, logStream, logEvents, subscriptionFilters } = value;
  const isData = typeof logGroup === 'string' && typeof logStream === 'string' && Array.isArray(logEvents);
  if (messageType === '' || (!control && !isData)) return null;
  return {
    control,
    messageType,
    owner: textAt(value, 'owner'),
    logGroup: textAt(value, 'logGroup'),
    logStream: textAt(value, 'logStream'),
    subscriptionFilters: Array.isArray(subscriptionFilters) ? subscriptionFilters.filter(isText) : [],
    logEvents: isData && !control ? logEvents : [],
  };
}

/** Reads one of the `logEvents` of a payload; null if it has no message. */
export function readLogEvent(payload: CloudWatchPayload, value: unknown): CloudWatchEvent | null {
  if (!isObject(value) || !isText(value.message)) return null;
  const { message, timestamp } = value;
  const { logGroup, logStream } = payload;
  const time = typeof timestamp === 'number' && Math.abs(timestamp) <= LATEST ? timestamp : null;
  const id = textAt(value, 'id') || hashOf(JSON.stringify([logGroup, logStream, time, message]));
  const parsed = message.trimStart().startsWith('{') ? parseJson(message) : null;
  const json = isObject(parsed) ? parsed : null;
  return { id: `${logGroup} ${logStream} ${id}`, time, message, json, cloudTrail: isCloudTrail(json) };
}

/** The label `log_group`. */
export function logGroupLabel(logGroup: string): string {
  return /^[A-Za-z0-9_./#-]{1,512}$/.test(logGroup) ? logGroup : 'other';
}

/** The greatest time that `Date` knows. */
const LATEST = 8.64e15;

function isCloudTrail(json: JsonObject | null): boolean {
  return json !== null && isText(json.eventVersion) && isText(json.eventSource) && isText(json.eventName);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function unzipped(bytes: Buffer, limit: number): Buffer | 'too_large' | undefined {
  if (bytes.length > limit) return 'too_large';
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : undefined;
  }
}

/** Node.js decodes anything; here only base64 will do, perhaps without its padding. */
function fromBase64(text: string): Buffer | null {
  return text !== '' && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
