import { isIP } from 'node:net';
import type { Data, Event } from '../../core/event.ts';
import { at, type DataMap, dataOf, datasetOf, isMap, recordOf, textOf } from '../event-data.ts';
import { flatText } from './flatten.ts';
import { type FieldValue, type Point, STRING_FIELD_LIMIT } from './line.ts';
import { eventNs } from './timestamp.ts';

/**
 * The point that the log gateway wrote for an S3 record, so that dashboards over its measurements go on; null for
 * records that it did not know. Other than there, addresses have no port, a latency that is not told is left out instead
 * of being 0, and the account's own events have their tags.
 */
export function gatewayPoint(event: Event): Point | null {
  // Work that nobody asked for is no call.
  if (!['s3-audit', 'ingest'].includes(datasetOf(event)) || event.data.kind === 'background') return null;
  const raw = recordOf(event);
  if (!isMap(raw)) return null;
  if (isMap(raw.ConsoleEvent)) return consolePoint(event, raw);
  if (isMap(raw.auditEntry)) return auditPoint(event, raw);
  // MinIO's own record is what Lyve wraps.
  if (isMap(raw.api)) return auditPoint(event, { auditEntry: raw });
  if (isMap(raw.content)) return accountPoint(event, raw);
  return null;
}

function auditPoint(event: Event, record: DataMap): Point {
  const tags = tagsOf(record, [
    'auditEntry.api.name',
    'auditEntry.api.bucket',
    'auditEntry.api.statusCode',
    'serviceAccountName',
    'serviceAccountCreatorId',
  ]);
  const headers = at(record, 'auditEntry', 'requestHeader');
  const address = isMap(headers)
    ? Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-real-ip')?.[1]
    : undefined;
  tags.set('auditEntry.requestHeader.X-Real-Ip', withoutPort(address));
  const fields = new Map<string, FieldValue>([['message', flatText(record, STRING_FIELD_LIMIT)]]);
  const latency = latencyNs(event, record);
  if (latency !== null) fields.set('auditEntry.api.timeToResponse', latency);
  return { measurement: 'audit-01', tags, fields, time: eventNs(event) };
}

function consolePoint(event: Event, record: DataMap): Point {
  const tags = tagsOf(record, ['UserIdentity.UserName', 'UserIdentity.Role', 'ConsoleEvent.Eventname']);
  tags.set('UserIdentity.IPAddress', withoutPort(at(record, 'UserIdentity', 'IPAddress')));
  const fields = new Map<string, FieldValue>([['message', flatText(record, STRING_FIELD_LIMIT)]]);
  const code = textOf(at(record, 'ConsoleEvent', 'StatusCode'));
  if (/^-?[0-9]{1,9}$/.test(code)) fields.set('StatusCode', BigInt(code));
  return { measurement: 'console-01', tags, fields, time: eventNs(event) };
}

function accountPoint(event: Event, record: DataMap): Point {
  const tags = tagsOf(record, [
    'organization',
    'source',
    'content.client_name',
    'content.hostname',
    'content.user_name',
    'bucket_name',
  ]);
  tags.set('content.ip', withoutPort(at(record, 'content', 'ip')));
  const fields = new Map<string, FieldValue>([['message', flatText(record, STRING_FIELD_LIMIT)]]);
  const created = textOf(at(record, 'created_date'));
  if (created !== '') fields.set('created_date', created);
  return { measurement: 'iam-01', tags, fields, time: eventNs(event) };
}

/** Longest tag, in UTF-16 units: a series' whole key may have 64 KB. */
const TAG_LIMIT = 1_024;

function tagsOf(record: DataMap, paths: readonly string[]): Map<string, string> {
  return new Map(paths.map((path) => [path, textOf(at(record, ...path.split('.'))).slice(0, TAG_LIMIT)]));
}

function latencyNs(event: Event, record: DataMap): bigint | null {
  const told = [dataOf(event, 'duration_ns'), at(record, 'auditEntry', 'api', 'timeToResponseInNS')].map(textOf);
  const digits = [...told, textOf(at(record, 'auditEntry', 'api', 'timeToResponse')).replace(/ns$/, '')];
  const found = digits.find((text) => /^[0-9]{1,18}$/.test(text));
  return found === undefined ? null : BigInt(found);
}

/** An address without port and brackets; empty if the text is none. */
function withoutPort(said: Data | undefined): string {
  const text = textOf(said);
  if (isIP(text)) return text;
  const bracketed = /^\[([^\]]{2,60})\](?::[0-9]{1,5})?$/.exec(text)?.[1];
  const plain = bracketed ?? text.replace(/:[0-9]{1,5}$/, '');
  return isIP(plain) ? plain : '';
}
