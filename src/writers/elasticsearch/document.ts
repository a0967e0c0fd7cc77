import type { Data, Event, Outcome, Party } from '../../core/event.ts';
import { dataOf, datasetOf, recordOf, textOf } from '../event-data.ts';
import { mainCounter } from '../main-counter.ts';
import { timeText } from '../time-text.ts';
import type { Document } from './bulk.ts';
import { fitsOneField } from './one-field.ts';

/**
 * An event as a document (`documents: event`), named after the Elastic Common Schema. What the event has not is left out,
 * and nothing tells when it was sent, so that the same event is always the same document.
 */
export function eventDocument(event: Event): Document {
  const { id, source, action, outcome, actor, target, data } = event;
  const record = recordOf(event);
  // The mapping of `raw` takes objects alone, and not all of them.
  const original = typeof record === 'string' ? record : asText(record);
  return compact({
    '@timestamp': timeText(event.time),
    event: compact({ id, dataset: datasetOf(event), action, outcome: OUTCOMES[outcome], original }),
    trailgauge: { source, outcome },
    user: compact({ name: actor?.name ?? (actor && actor.type !== 'address' ? actor.id : undefined) }),
    source: compact({ ip: actor?.address ?? textOf(data.client) }),
    target: target && partyOf(target),
    cloud: cloudOf(event),
    aws: compact({ cloudwatch: cloudwatchOf(event) }),
    labels: Object.fromEntries(mainCounter(event).labels),
    message: textOf(data.message),
    raw: original === undefined ? record : undefined,
  });
}

/** The text of a record that cannot be one field; undefined for one that can. */
function asText(record: Data | undefined): string | undefined {
  if (record === undefined || fitsOneField(record)) return undefined;
  try {
    return JSON.stringify(record);
  } catch {
    // RangeError: nested too deep for that, too.
    return undefined;
  }
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  ok: 'success',
  denied: 'failure',
  failed: 'failure',
  unknown: 'unknown',
};

function partyOf({ type, id, name }: Party): Document {
  return compact({ type, id, name });
}

/** Whose account or project it was, and where. */
function cloudOf(event: Event): Document {
  const { scope } = event;
  const named = (type: string) => compact({ id: scope?.type === type ? scope.id : undefined });
  return compact({ account: named('account'), project: named('project'), region: textOf(event.data.region) });
}

/** Where a log event of CloudWatch comes from. */
function cloudwatchOf(event: Event): Document {
  if (datasetOf(event) !== 'cloudwatch') return {};
  const names = ['log_group', 'log_stream', 'owner'];
  return compact(Object.fromEntries(names.map((name) => [name, textOf(dataOf(event, name))])));
}

/** Without what is not there: absent, null, empty text, empty object. A record is left as it is, even an empty one. */
function compact(parts: Document): Document {
  return Object.fromEntries(
    Object.entries(parts).filter(([key, value]) => value != null && value !== '' && (key === 'raw' || !isEmpty(value))),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
