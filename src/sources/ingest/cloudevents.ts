import { hash } from 'node:crypto';
import type { Data, Event, Outcome, Party } from '../../core/event.ts';
import type { PushedAnswer, PushedHead } from '../../core/receiver.ts';
import { isRefusal, type Received, type ReceivedEvent } from '../../lib/cloud-events/received.ts';
import { formOf, readRequest } from '../../lib/cloud-events/request.ts';
import { usableTime } from '../../lib/delivery.ts';
import { isWithinDepth } from '../../lib/json-value.ts';
import { shown } from '../../lib/objects/shown.ts';
import type { IngestItem, Pushed, Verdict } from './item.ts';
import type { Format } from './receive.ts';

/** CloudEvents 1.0 over HTTP, in all three forms, and the handshake of HTTP webhooks. */
export function cloudEvents(now: () => number): Format {
  return {
    name: 'cloudevents',
    methods: ['POST', 'OPTIONS'],
    greet: (head) => (head.method === 'OPTIONS' ? handshake(head) : null),
    refuse: ({ headers }) => (formOf(headers) === null ? NO_EVENT : null),
    items: ({ headers }, body, verdict) => {
      const form = formOf(headers);
      if (form === null) return [];
      const arrival = now();
      return readRequest(form, headers, body).map((received) => itemOf(received, arrival, verdict));
    },
    answer: ({ good, bad }, items) => {
      if (good > 0 || bad === 0) return { status: 202 };
      // Of the only one, or of the first: enough to find the fault.
      const [first] = items;
      const isEvent = first !== undefined && !('rejected' in first.found);
      return { status: 400, body: isEvent ? `found no sound record in ${first.text}` : (first?.text ?? 'refused') };
    },
  };
}

/** An event, or what is none, on its way to be counted. */
export function itemOf(received: Received, arrival: number, verdict: Verdict): IngestItem {
  if (isRefusal(received)) return { found: received, text: received.why, verdict };
  const { source, id, type } = received;
  return { found: pushedOf(received, arrival), text: shown(`${type} ${id} of ${source}`, 200), verdict };
}

const NO_EVENT: PushedAnswer = {
  status: 415,
  body: 'wanted a CloudEvent: ce- headers, application/cloudevents+json or application/cloudevents-batch+json',
};

/** Whoever asks whether events may be sent here is told so (HTTP webhooks for event delivery, section 4). */
function handshake({ headers }: PushedHead): PushedAnswer {
  const origin = headers['webhook-request-origin'];
  const rate = headers['webhook-request-rate'];
  return {
    status: 200,
    headers: {
      Allow: 'POST',
      ...(typeof origin === 'string' && { 'WebHook-Allowed-Origin': origin }),
      ...(typeof origin === 'string' && rate !== undefined && { 'WebHook-Allowed-Rate': '*' }),
    },
  };
}

function pushedOf(event: ReceivedEvent, arrival: number): Pushed {
  const { source, id, attributes, data } = event;
  // The length keeps two pairs apart that would be one text.
  const identity = `${source.length} ${source} ${id}`;
  const time = usableTime(event.time, arrival);
  return {
    identity,
    data,
    time,
    attributes,
    arrival,
    event: (name) => toEvent(event, { name, identity, time: time ?? arrival }),
  };
}

/** Raw data may be nested deeper than writers can follow; those hand on the text. */
const DEEPEST_RAW = 64;

interface EventParts {
  /** Name of the section. */
  readonly name: string;
  readonly identity: string;
  readonly time: number;
}

/**
 * A CloudEvent of nobody we know, as writers take it. Its `id` holds both that tell CloudEvents apart, as that of the
 * event alone does not. Its `data`: `dataset`, `kind`, `origin` (the source it names), `attributes` (all of them), and
 * `raw`, what it carries; `encoding` is `base64` if that is neither JSON nor text.
 */
function toEvent(event: ReceivedEvent, { name, identity, time }: EventParts): Event {
  const { type, source, attributes, data, isBase64 } = event;
  const subject = attributes.get('subject');
  const actor = actorOf(attributes);
  return {
    id: `sha256-${hash('sha256', identity).slice(0, 32)}`,
    time,
    source: name,
    action: type,
    outcome: OUTCOMES.get(attributes.get('outcome') ?? '') ?? 'unknown',
    ...(actor && { actor }),
    ...(subject !== undefined && { target: { type: 'subject', id: subject, name: subject } }),
    data: {
      dataset: 'ingest',
      kind: 'cloudevent',
      origin: source,
      attributes: Object.fromEntries(attributes),
      // What JSON.parse gave can be said in JSON.
      ...(data !== undefined && { raw: isWithinDepth(data, DEEPEST_RAW) ? (data as Data) : JSON.stringify(data) }),
      ...(isBase64 && { encoding: 'base64' }),
    },
  };
}

function actorOf(attributes: ReadonlyMap<string, string>): Party | null {
  const id = attributes.get('authid');
  if (!id) return null;
  const address = attributes.get('sourceip');
  return { type: attributes.get('authtype') || 'unknown', id, ...(address && { address }) };
}

/** As our own writer says it. */
const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ['success', 'ok'],
  ['failure', 'failed'],
]);
