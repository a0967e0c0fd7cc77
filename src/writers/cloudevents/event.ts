import type { Event } from '../../core/event.ts';
import type { AttributeValue, CloudEvent } from '../../lib/cloud-events/types.ts';
import { datasetOf, textOf } from '../event-data.ts';
import { type Attribute, coreAttributes, ownExtensions } from './attributes.ts';
import { foreignAttributes, foreignEvent } from './foreign.ts';
import { toJson } from './json.ts';
import { traceText } from './limit.ts';
import type { Overrides } from './overrides.ts';
import { traceAttributes, traceData } from './trace.ts';

export interface EventSettings {
  /** Of events that have no source of their own; null for one by their section. */
  readonly source: string | null;
  readonly overrides: Overrides;
}

/**
 * An event as a CloudEvent: a trace of CTS as its consumers know it, a CloudEvent that was received as it came, any other as
 * `TYPE.KIND` of `/trailgauge/SECTION` with the whole event as its data. The same each time.
 */
export function cloudEvent(event: Event, { source, overrides }: EventSettings): CloudEvent {
  const section = source ?? `/trailgauge/${event.source.toWellFormed().split('/').map(encodeURIComponent).join('/')}`;
  if (!foreignAttributes(event) && datasetOf(event) === 'cts') return traceEvent(event, section, overrides);
  const { attributes, data } = eventOf(event, section);
  return { attributes: new Map([...attributes, ...overrides]), data };
}

function eventOf(event: Event, section: string): CloudEvent {
  const received = foreignAttributes(event);
  if (received) return foreignEvent(event, received);
  const dataset = datasetOf(event);
  const kind = textOf(event.data.kind) || event.action;
  const identity = {
    source: section,
    type: kind === '' ? dataset : `${dataset}.${kind}`,
    subject: event.target?.id ?? '',
  };
  const attributes = present([...coreAttributes(event, identity), ...ownExtensions(event)]);
  return { attributes, data: toJson(event) };
}

function traceEvent(event: Event, section: string, overrides: Overrides): CloudEvent {
  const attributes = new Map([...present(traceAttributes(event, section)), ...overrides]);
  const trace = traceData(event);
  if (!trace) return { attributes, data: toJson(event) };
  return { attributes, data: traceText(trace, Buffer.byteLength(JSON.stringify([...attributes]))) };
}

function present(attributes: readonly Attribute[]): ReadonlyMap<string, AttributeValue> {
  return new Map(attributes.filter((attribute): attribute is [string, AttributeValue] => attribute[1] != null));
}
