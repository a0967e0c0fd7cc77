import type { Event, Outcome } from '../../core/event.ts';
import { type AttributeValue, SPEC_VERSION } from '../../lib/cloud-events/types.ts';
import { textOf } from '../event-data.ts';
import { timeText } from '../time-text.ts';

/** Name and value of an attribute; a value that is null or undefined is left out, an empty one is not. */
export type Attribute = readonly [name: string, value: AttributeValue | null | undefined];

/** What is known of an event before its extensions. */
export interface Identity {
  readonly source: string;
  readonly type: string;
  /** Empty for none. */
  readonly subject: string;
}

/** The attributes of the specification, of an event whose data are JSON. */
export function coreAttributes({ id, time }: Event, { source, type, subject }: Identity): readonly Attribute[] {
  return [
    ['specversion', SPEC_VERSION],
    ['id', id],
    ['source', source],
    ['type', type],
    ['subject', subject === '' ? null : subject],
    ['time', timeText(time)],
    ['datacontenttype', 'application/json'],
  ];
}

/**
 * Extensions of ours, as far as they are known: `recordedtime`, `outcome`, `authtype` (`user`, `system` or `unknown`),
 * `authid`, `sourceip`.
 */
export function ownExtensions(event: Event): readonly Attribute[] {
  const { actor, outcome, data } = event;
  // Who is nobody in particular is called by what it is.
  const isNamed = actor && actor.type !== 'address' && actor.id !== actor.type;
  return [
    ['recordedtime', typeof data.recorded === 'number' ? timeText(data.recorded) : null],
    ['outcome', OUTCOMES[outcome]],
    ['authtype', actor && (AUTH_TYPES.get(actor.type) ?? 'user')],
    ['authid', isNamed ? actor.id : null],
    ['sourceip', actor?.address ?? (textOf(data.client) || null)],
  ];
}

/** By the type of an actor; all others are somebody. */
const AUTH_TYPES: ReadonlyMap<string, string> = new Map([
  ['system', 'system'],
  ['service', 'system'],
  ['AWSService', 'system'],
  ['unknown', 'unknown'],
  // Nothing but an address is known.
  ['address', 'unknown'],
]);

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  ok: 'success',
  denied: 'failure',
  failed: 'failure',
  unknown: 'unknown',
};
