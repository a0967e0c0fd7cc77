import { isIP } from 'node:net';
import type { Data, Event, Party } from '../../core/event.ts';
import { usableTime } from '../../lib/delivery.ts';
import { isWithinDepth, type JsonObject, objectAt, textAt } from '../../lib/json-value.ts';
import type { CloudTrailRecord } from './record.ts';

/** What an event is made of. */
export interface EventParts {
  readonly record: CloudTrailRecord;
  /** Name of the source. */
  readonly source: string;
  /** When the record's object was last modified, or when it was pushed, in milliseconds since 1970. */
  readonly arrival: number;
  /** Labels of `cloudtrail_events_total`. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Records may be nested deeper than writers can follow; those hand on the text. */
export const DEEPEST_RAW = 64;

/**
 * A record as writers take it. Its `data`: `dataset`, `timestamp` as told (absent if it cannot be used), `labels`, `region`,
 * `controls`, and `raw`, the record as read.
 */
export function toEvent({ record, source, arrival, labels }: EventParts): Event {
  const { id, raw, text, eventName, outcome, controls } = record;
  const time = usableTime(record.time, arrival);
  const actor = actorOf(raw);
  const scope = textAt(raw, 'recipientAccountId') || textAt(objectAt(raw, 'userIdentity'), 'accountId');
  const region = textAt(raw, 'awsRegion');
  return {
    id,
    time: time ?? arrival,
    source,
    action: eventName,
    outcome,
    ...(actor && { actor }),
    target: targetOf(raw),
    ...(scope !== '' && { scope: { type: 'account', id: scope } }),
    data: {
      dataset: 'cloudtrail',
      ...(time !== null && { timestamp: textAt(raw, 'eventTime') }),
      labels,
      ...(region !== '' && { region }),
      ...(controls.length > 0 && { controls }),
      // What JSON.parse gave can be said in JSON.
      raw: isWithinDepth(raw, DEEPEST_RAW) ? (raw as Data) : text,
    },
  };
}

/** Who called, and from where; texts are empty where nothing is told. */
interface Caller {
  readonly id: string;
  readonly name: string;
  /** The role where a session of one called, of which there are very many; else the same as the id. */
  readonly user: string;
  /** Null where no address is told, but perhaps a service. */
  readonly address: string | null;
}

/** Who called, as the record tells. */
export function callerOf(raw: JsonObject): Caller {
  const identity = objectAt(raw, 'userIdentity');
  const said = textAt(raw, 'sourceIPAddress');
  const issuer = objectAt(objectAt(identity, 'sessionContext'), 'sessionIssuer');
  const name = textAt(identity, 'userName') || textAt(issuer, 'userName');
  const id = ID_KEYS.map((key) => textAt(identity, key)).find(Boolean) || name;
  return { id, name, user: textAt(issuer, 'arn') || id, address: isIP(said) === 0 ? null : said };
}

const ID_KEYS = ['arn', 'principalId', 'invokedBy', 'accessKeyId'];

function actorOf(raw: JsonObject): Party | null {
  const { id, name, address } = callerOf(raw);
  const said = textAt(raw, 'sourceIPAddress');
  // Calls from one service to another name it where the address would be.
  if (id === '')
    return said === '' ? null : { type: address ? 'address' : 'service', id: said, ...(address && { address }) };
  const type = textAt(objectAt(raw, 'userIdentity'), 'type') || 'unknown';
  return { type, id, ...(name !== '' && { name }), ...(address && { address }) };
}

function targetOf(raw: JsonObject): Party {
  const first: unknown = Array.isArray(raw.resources) ? raw.resources[0] : null;
  const resource = objectAt({ first }, 'first');
  const id = textAt(resource, 'ARN') || textAt(resource, 'arn');
  if (id === '') return { type: 'service', id: textAt(raw, 'eventSource') };
  return { type: textAt(resource, 'type') || 'resource', id };
}
