import type { Event } from '../../core/event.ts';
import { type DataMap, dataOf, datasetOf, isMap, recordOf } from '../event-data.ts';
import type { Document } from './bulk.ts';
import { eventDocument } from './document.ts';

/**
 * An event as the bulk sink sent it (`documents: sink`), so that searches made for it go on: the record as it stands. A
 * log event of CloudWatch has the keys of its message at the top, with those of the delivery over them; what they cover
 * is kept under `original`. An event that holds no record is written as `documents: event` does.
 */
export function sinkDocument(event: Event): Document {
  if (datasetOf(event) === 'cloudwatch') return logEventDocument(event);
  const raw = recordOf(event);
  if (isMap(raw)) return raw;
  if (typeof raw === 'string') return { message: raw };
  return eventDocument(event);
}

/** What CloudWatch tells of the delivery, by the bulk sink's name and ours. */
const ENVELOPE = [
  ['messageType', 'message_type'],
  ['owner', 'owner'],
  ['logGroup', 'log_group'],
  ['logStream', 'log_stream'],
  ['subscriptionFilters', 'subscription_filters'],
] as const;

function logEventDocument(event: Event): Document {
  const message = messageOf(event);
  const lines = new Map<string, unknown>([
    ['id', event.id.slice(event.id.lastIndexOf(' ') + 1)],
    ['timestamp', event.time],
    ...Object.entries(message),
  ]);
  const original = new Map<string, unknown>();
  for (const [name, ours] of ENVELOPE) {
    const value = dataOf(event, ours);
    if (value === undefined) continue;
    if (Object.hasOwn(message, name)) original.set(name, message[name]);
    lines.set(name, value);
  }
  if (original.size > 0) {
    if (lines.has('original')) original.set('original', lines.get('original'));
    lines.set('original', Object.fromEntries(original));
  }
  return Object.fromEntries(lines);
}

/** The keys of the message; text, lists and numbers become `message`. */
function messageOf({ data: { raw, message } }: Event): DataMap {
  if (isMap(raw)) return raw;
  const text = message ?? raw;
  return text === undefined ? {} : { message: text };
}
