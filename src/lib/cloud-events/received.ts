import { isObject, isWithinDepth, type JsonObject, parseJson } from '../json-value.ts';
import { parseRfc3339 } from '../time.ts';
import { REQUIRED } from './names.ts';
import { isJsonType, SPEC_VERSION } from './types.ts';

/** A CloudEvent that came in, in whichever form; version 1.0 of the specification. */
export interface ReceivedEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** Milliseconds since 1970, or null if it is not told. */
  readonly time: number | null;
  /** All context attributes by their names, those above included. */
  readonly attributes: ReadonlyMap<string, string>;
  /** What its data say in JSON; else their text, or their bytes in base64 (`isBase64`); undefined for none. */
  readonly data: unknown;
  readonly isBase64: boolean;
}

/** What is no CloudEvent. `why` is for people, and holds nothing of what came. */
export interface Refusal {
  /** `malformed`: no JSON, or no UTF-8. `shape`: not what a CloudEvent has to be. */
  readonly rejected: 'malformed' | 'shape';
  readonly why: string;
}

export type Received = ReceivedEvent | Refusal;

/** An event without its attributes having been looked at. */
export interface Parts {
  readonly attributes: ReadonlyMap<string, string>;
  readonly data: unknown;
  readonly isBase64?: boolean;
}

/** Names of attributes; the specification wants no more than 20 characters, and takes more. */
export const ATTRIBUTE_NAME = /^[a-z0-9]{1,64}$/;
/** Most attributes of an event. */
const MOST_ATTRIBUTES = 100;
/** Most characters of an attribute. */
const LONGEST_ATTRIBUTE = 16_384;
/** How deep data may be nested; who goes through it may recurse. */
const DEEPEST = 1_000;
const TEXTS: ReadonlySet<string> = new Set([...REQUIRED, 'subject', 'time', 'datacontenttype']);

export function malformed(why: string): Refusal {
  return { rejected: 'malformed', why };
}

export function badShape(why: string): Refusal {
  return { rejected: 'shape', why };
}

/** Whether something that came in is no event. */
export function isRefusal(received: Received): received is Refusal {
  return 'rejected' in received;
}

/** The event of these parts, if its attributes are as they have to be. */
export function checked({ attributes, data, isBase64 = false }: Parts): Received {
  if (attributes.size > MOST_ATTRIBUTES)
    return badShape(`found ${attributes.size} attributes, wanted at most ${MOST_ATTRIBUTES}`);
  for (const value of attributes.values())
    if (value.length > LONGEST_ATTRIBUTE)
      return badShape(`found an attribute of ${value.length} characters, wanted at most ${LONGEST_ATTRIBUTE}`);
  if (attributes.get('specversion') !== SPEC_VERSION) return badShape(`found no specversion ${SPEC_VERSION}`);
  for (const name of REQUIRED) if (!attributes.get(name)) return badShape(`found no ${name}, or an empty one`);
  const stamp = attributes.get('time');
  const time = stamp === undefined ? null : parseRfc3339(stamp);
  if (stamp !== undefined && time === null) return badShape('found a time that is not of RFC 3339');
  const [id = '', source = '', type = ''] = ['id', 'source', 'type'].map((name) => attributes.get(name));
  return { id, source, type, time, attributes, data, isBase64 };
}

/** An event in the JSON format of CloudEvents, parsed: its structured form, or a member of a batch. */
export function structured(value: unknown): Received {
  if (!isObject(value)) return badShape('found a CloudEvent that is no JSON object');
  if (!isWithinDepth(value, DEEPEST)) return badShape(`found JSON that is nested deeper than ${DEEPEST}`);
  const attributes = new Map<string, string>();
  for (const [name, given] of Object.entries(value)) {
    if (name === 'data' || given === null || !ATTRIBUTE_NAME.test(name)) continue;
    const isText = typeof given === 'string';
    if (TEXTS.has(name) && !isText) return badShape(`found a ${name} that is no text`);
    // An empty subject says as much as none.
    if (name === 'subject' && given === '') continue;
    if (isText || typeof given === 'number' || typeof given === 'boolean') attributes.set(name, String(given));
  }
  const data = dataOf(value, attributes.get('datacontenttype'));
  return 'rejected' in data ? data : checked({ attributes, ...data });
}

type DataParts = Omit<Parts, 'attributes'>;

function dataOf({ data, data_base64: packed }: JsonObject, type: string | undefined): DataParts | Refusal {
  if (packed === undefined || packed === null) {
    const inner = typeof data === 'string' && isJson(type) ? parseJson(data) : undefined;
    // Some senders put their JSON into a text.
    return { data: isPlainStructure(inner) ? inner : (data ?? undefined) };
  }
  if (data !== undefined && data !== null) return badShape('found data beside data_base64, wanted one of them');
  if (typeof packed !== 'string' || !BASE64.test(packed)) return badShape('found a data_base64 that is not base64');
  return bytesAsData(Buffer.from(packed, 'base64'), type);
}

/** What bytes of a content type say; refused if they have to be JSON, and are none. */
export function bytesAsData(bytes: Buffer, type: string | undefined): DataParts | Refusal {
  if (bytes.length === 0) return { data: undefined };
  const text = utf8(bytes);
  if (isJson(type)) {
    const value = text === null ? undefined : parseJson(text);
    if (value !== undefined && isWithinDepth(value, DEEPEST)) return { data: value };
    if (value === undefined && type !== undefined)
      return malformed('found data that are not the JSON they are said to be');
  }
  return text === null ? { data: bytes.toString('base64'), isBase64: true } : { data: text };
}

/** Text, or null for bytes that are not UTF-8; without a byte order mark. */
export function utf8(bytes: Buffer): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Without a content type, the format of CloudEvents means JSON. */
function isJson(type: string | undefined): boolean {
  return type === undefined || isJsonType(type);
}

function isPlainStructure(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isWithinDepth(value, DEEPEST);
}
