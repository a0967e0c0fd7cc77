import { createHash } from 'node:crypto';
import type { Data, Event, Party } from '../../core/event.ts';
import { isWithinDepth } from '../../lib/json-value.ts';
import { iamTime, partOf } from './account.ts';
import { clientAddress, plainAddress } from './addresses.ts';
import { textOf } from './fields.ts';
import { maskedRecord, maskedText } from './mask.ts';
import type { AuditRecord, Form } from './record.ts';
import { entryOf } from './request.ts';

/** What an event is made of. */
export interface EventParts {
  readonly record: AuditRecord;
  /** Name of the source. */
  readonly source: string;
  /** Of the record, in milliseconds since 1970: stands for a time that is not told. */
  readonly arrival: number;
}

/** Records may be nested deeper than writers can follow; those hand on the text. */
export const DEEPEST_RAW = 64;

/**
 * A record as writers take it; its action is the label of the operation or event. Its `data`: `dataset`, `kind`, `form`,
 * `timestamp` as told (absent if it cannot be used, and of lines, whose time is whole seconds), `labels` of the counter
 * that it adds to, the numbers that are known (`duration_ns`, `ttfb_ns`, `request_bytes`, `response_bytes`), the address
 * of the `client`, and `raw`: the record as read, of an access log the line, but for what is masked in it.
 */
export function toEvent({ record, source, arrival }: EventParts): Event {
  const { who, address } = whoOf(record);
  const actor = actorOf(who, address);
  const target = targetOf(record);
  return {
    id: eventId(record),
    time: record.timeMs ?? arrival,
    source,
    action: record.api || record.event,
    outcome: record.outcome,
    ...(actor && { actor }),
    ...(target && { target }),
    ...(target?.type === 'object' && { scope: bucketParty(record.rawBucket) }),
    data: dataOf(record, address),
  };
}

/**
 * The same for a record however often it is read: of Lyve Cloud and MinIO request id, time and operation, of all
 * others, and of those that lack one of these, the SHA-256 of the line in hexadecimal digits.
 */
export function eventId(record: AuditRecord): string {
  if (record.form === 'lyve' || record.form === 'minio') {
    const { requestID, time } = entryOf(record.raw);
    const id = `${textOf(requestID)} ${textOf(time)} ${record.rawApi}`;
    if (textOf(requestID) !== '' && textOf(time) !== '' && id.length <= LONGEST_ID) return id;
  }
  return createHash('sha256').update(record.text).digest('hex');
}

const LONGEST_ID = 512;

interface Who {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

/** Who asked, by what is told of it, and from where, if an address is told. The record has to be whole. */
export function whoOf({ form, raw }: AuditRecord): { readonly who: Who; readonly address: string | null } {
  switch (form) {
    case 'lyve':
    case 'minio': {
      const entry = entryOf(raw);
      const [account, key, parent] = [
        textOf(raw.serviceAccountName),
        textOf(entry.accessKey),
        textOf(entry.parentUser),
      ];
      return {
        who: { type: 'account', id: account || key || parent, name: textOf(raw.serviceAccountCreatorId) || parent },
        address: clientAddress(entry.requestHeader, entry.remotehost),
      };
    }
    case 'console': {
      const user = partOf(raw, 'UserIdentity');
      return { who: nameless(user.UserName), address: plainAddress(user.IPAddress) };
    }
    case 'account': {
      const request = partOf(partOf(raw, 'ApiEvent'), 'Request');
      return { who: nameless(request.AccountName), address: plainAddress(request.SourceIP) };
    }
    case 'iam': {
      const content = partOf(raw, 'content');
      const address = plainAddress(content.ip) ?? plainAddress(raw.ip);
      return { who: nameless(textOf(content.user_name) || raw.user_name), address };
    }
    case 'ceph-ops':
      return { who: nameless(raw.user), address: plainAddress(raw.remote_addr) };
    default:
      return { who: nameless(raw.requester === '-' ? '' : raw.requester), address: plainAddress(raw.remote_ip) };
  }
}

function nameless(id: Data | undefined): Who {
  return { type: 'account', id: textOf(id), name: '' };
}

function actorOf({ type, id, name }: Who, address: string | null): Party | null {
  if (id === '') return address === null ? null : { type: 'address', id: address, address };
  return { type, id, ...(name && name !== id && { name }), ...(address !== null && { address }) };
}

function targetOf(record: AuditRecord): Party | null {
  const object = objectOf(record);
  if (record.rawBucket === '') return null;
  return object === ''
    ? bucketParty(record.rawBucket)
    : { type: 'object', id: `${record.rawBucket}/${object}`, name: object };
}

function bucketParty(bucket: string): Party {
  return { type: 'bucket', id: bucket, name: bucket };
}

function objectOf({ form, raw }: AuditRecord): string {
  if (form === 'lyve' || form === 'minio') return textOf(partOf(entryOf(raw), 'api').object);
  if (isLine(form)) return raw.key === '-' ? '' : textOf(raw.key);
  return '';
}

function dataOf(record: AuditRecord, client: string | null): Event['data'] {
  const { kind, form, timeMs, durationNs, ttfbNs, requestBytes, responseBytes, raw, text } = record;
  const timestamp = timeMs === null ? '' : timestampOf(record);
  const isObject = !isLine(form) && isWithinDepth(raw, DEEPEST_RAW);
  return {
    dataset: 's3-audit',
    kind,
    form,
    ...(timestamp !== '' && { timestamp }),
    labels: labelsOf(record),
    ...(durationNs !== null && { duration_ns: durationNs }),
    ...(ttfbNs !== null && { ttfb_ns: ttfbNs }),
    ...(requestBytes !== null && { request_bytes: requestBytes }),
    ...(responseBytes !== null && { response_bytes: responseBytes }),
    ...(client !== null && { client }),
    raw: isObject ? maskedRecord(raw) : maskedText(text),
  };
}

function labelsOf({ kind, api, bucket, code, event, outcome }: AuditRecord): { readonly [label: string]: string } {
  switch (kind) {
    case 'request':
      return { api, bucket, code };
    case 'background':
      return { api, bucket };
    case 'console':
      return { event, outcome };
    case 'iam':
      return { event };
  }
}

function timestampOf({ form, raw }: AuditRecord): string {
  switch (form) {
    case 'lyve':
    case 'minio':
      return textOf(entryOf(raw).time);
    case 'ceph-ops':
      return textOf(raw.time);
    case 'console':
      return textOf(partOf(raw, 'ConsoleEvent').EventTime);
    case 'account':
      return textOf(partOf(partOf(raw, 'ApiEvent'), 'Request').RequestTime);
    case 'iam':
      return textOf(iamTime(raw));
    default:
      return '';
  }
}

function isLine(form: Form): boolean {
  return form === 'aws-line' || form === 'ceph-line';
}
