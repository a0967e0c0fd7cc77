import { createHash } from 'node:crypto';
import type { Rejected } from '../../core/source.ts';
import { writeJson } from '../../lib/json-text.ts';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { isLongerThan } from '../../lib/printable.ts';
import { BAD, type Field, firstField, readField, textOf } from './text.ts';
import { readTime } from './times.ts';
import { readUser, type User } from './user.ts';

/**
 * A trace of the Cloud Trace Service (API v1 to v3: "Querying the trace list"). Types of fields change between versions of
 * the API, services and editions, so each is read by itself; what is absent is null.
 */
export interface Trace {
  /** `trace_id`, or one that was made of the content. */
  readonly id: string;
  /** Whether the id was made of the content. */
  readonly derived: boolean;
  /** The operation, such as `createServer`. */
  readonly name: string | null;
  /** In upper case. */
  readonly service: string | null;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  readonly resourceName: string | null;
  readonly traceType: string | null;
  /** In lower case. */
  readonly rating: string | null;
  readonly user: User | null;
  /** When it happened, and when it was recorded, in milliseconds since 1970. */
  readonly time: number | null;
  readonly recorded: number | null;
  readonly code: string | null;
  readonly sourceIp: string | null;
  readonly requestId: string | null;
  readonly message: string | null;
  /** What labels are made of, bad fields told from absent ones. */
  readonly fields: LabelFields;
  /** As received; secrets are in it. */
  readonly raw: JsonObject;
}

/** Fields that become labels. */
export interface LabelFields {
  readonly name: Field;
  readonly service: Field;
  readonly resourceType: Field;
  readonly traceType: Field;
  readonly rating: Field;
  /** Name of the user, else the id. */
  readonly user: Field;
}

export const SHAPE: Rejected = { rejected: 'shape' };

/** Reads an item of an answer. Refused with `shape`: what is no object, and an object in which nothing tells what it is. */
export function decodeTrace(item: unknown): Trace | Rejected {
  if (!isObject(item)) return SHAPE;
  const id = readField(item.trace_id);
  const name = readField(item.trace_name);
  const service = upper(readField(item.service_type));
  const resourceType = readField(item.resource_type);
  if (id === null && name === null && service === null && resourceType === null) return SHAPE;
  const derived = id === null || id === BAD || isLongerThan(id, LONGEST_ID);
  const traceType = readField(item.trace_type);
  const rating = lower(firstField(item.trace_rating, item.trace_status));
  const { user, label } = readUser(item.user);
  const requestId = textOf(readField(item.request_id));
  return {
    id: derived ? traceKey(item) : id,
    derived,
    name: textOf(name),
    service: textOf(service),
    resourceType: textOf(resourceType),
    resourceId: textOf(readField(item.resource_id)),
    resourceName: textOf(readField(item.resource_name)),
    traceType: textOf(traceType),
    rating: textOf(rating),
    user,
    time: readTime(item.time),
    recorded: readTime(item.record_time),
    code: textOf(readField(item.code)),
    sourceIp: textOf(readField(item.source_ip)),
    requestId: requestId === 'null' ? null : requestId,
    message: textOf(readField(item.message)),
    fields: { name, service, resourceType, traceType, rating, user: label },
    raw: item,
  };
}

/** Tells an item without an id from others by its content: `sha256-` and 32 hex digits, whatever the order of its members. */
export function traceKey(item: unknown): string {
  const hash = createHash('sha256');
  let held = '';
  const write = (piece: string) => {
    held += piece;
    if (held.length < HASHED_AT_ONCE) return;
    hash.update(held);
    held = '';
  };
  writeJson(item, write, { sorted: true });
  return `sha256-${hash.update(held).digest('hex').slice(0, 32)}`;
}

/**
 * The trace in what somebody sent, if it is one: an object with an id and an operation or a service, also as the member
 * `cts` of an object. Null for anything else.
 */
export function traceOf(data: unknown): JsonObject | null {
  if (!isObject(data)) return null;
  if (isTrace(data)) return data;
  return isObject(data.cts) && isTrace(data.cts) ? data.cts : null;
}

/** Whether an object has an id, and an operation or a service. */
export function isTrace({ trace_id, trace_name, service_type }: JsonObject): boolean {
  return readField(trace_id) !== null && firstField(trace_name, service_type) !== null;
}

/** Characters. */
const LONGEST_ID = 200;
const HASHED_AT_ONCE = 16 * 1024;

function upper(field: Field): Field {
  return typeof field === 'string' ? field.toUpperCase() : field;
}

function lower(field: Field): Field {
  return typeof field === 'string' ? field.toLowerCase() : field;
}
