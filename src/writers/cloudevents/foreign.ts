import type { Event } from '../../core/event.ts';
import { type AttributeValue, type CloudEvent, isJsonType } from '../../lib/cloud-events/types.ts';
import { isWithinDepth, parseJson } from '../../lib/json-value.ts';
import { type DataMap, isMap } from '../event-data.ts';
import { toJson } from './json.ts';

/** The attributes of a CloudEvent that was received, or null if the event is none. */
export function foreignAttributes({ data }: Event): DataMap | null {
  return data.kind === 'cloudevent' && isMap(data.attributes) ? data.attributes : null;
}

/** It goes on as it came: with its own identity, its own extensions and its data. */
export function foreignEvent(event: Event, attributes: DataMap): CloudEvent {
  const known = new Map<string, AttributeValue>();
  for (const [name, value] of Object.entries(attributes)) {
    const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    const isNothing = name === 'subject' && value === '';
    if (isScalar && !isNothing && NAME.test(name) && name !== 'data') known.set(name, value);
  }
  const data = dataOf(event, String(known.get('datacontenttype') ?? JSON_TYPE));
  if (data !== null && !known.has('datacontenttype'))
    known.set('datacontenttype', typeof data === 'string' ? JSON_TYPE : BYTES_TYPE);
  return { attributes: known, data };
}

/** Longer than the specification wants, as events that are received may have such. */
const NAME = /^[a-z0-9]{1,64}$/;
const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';

/** Raw data are at most so deep; deeper ones are their JSON text. */
const DEEPEST_RAW = 64;

function dataOf({ data: { raw, encoding } }: Event, contentType: string): CloudEvent['data'] {
  if (raw === undefined || raw === null) return null;
  if (typeof raw !== 'string') return toJson(raw);
  if (encoding === 'base64') return Buffer.from(raw, 'base64');
  return isJsonType(contentType) && isWithinDepth(parseJson(raw), DEEPEST_RAW) ? JSON.stringify(raw) : raw;
}
