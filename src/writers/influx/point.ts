import type { Data, Event } from '../../core/event.ts';
import { boundValue } from '../../core/metrics/labels.ts';
import { dataOf } from '../event-data.ts';
import { eventNumbers, mainCounter } from '../main-counter.ts';
import { gatewayPoint } from './gateway.ts';
import { encodeLine, type FieldValue, type Point } from './line.ts';
import { eventNs } from './timestamp.ts';

/** How events become points. */
export interface PointOptions {
  /** `gateway`: as the log gateway wrote them, where it knew such records; all other events are written as `event`. */
  readonly points: 'event' | 'gateway';
  /** Adds `id`, `actor`, `target` and `client`; VictoriaMetrics would make each a series of zeros. */
  readonly strings: boolean;
}

/** An event as a line of line protocol; null if nothing of it can be written. The same event always gives the same line. */
export function encodeEvent(event: Event, options: PointOptions): string | null {
  const point = (options.points === 'gateway' ? gatewayPoint(event) : null) ?? eventPoint(event, options);
  return encodeLine(point);
}

/** Measurement and tags are those of the event's main counter; fields are `count`, which is 1, and its numbers. */
export function eventPoint(event: Event, { strings }: Pick<PointOptions, 'strings'>): Point {
  const { name, labels } = mainCounter(event);
  const tags = new Map([...labels].map(([label, value]) => [label, boundValue(value)] as const));
  const fields = new Map<string, FieldValue>([['count', 1n]]);
  const { integers, floats } = eventNumbers(event);
  for (const field of integers) {
    const value = integerOf(dataOf(event, field));
    if (value !== null) fields.set(field, value);
  }
  for (const field of floats) {
    const value = dataOf(event, field);
    if (typeof value === 'number') fields.set(field, value);
  }
  if (strings) {
    for (const [field, value] of stringFields(event)) if (value) fields.set(field, value);
  }
  return { measurement: name, tags, fields, time: eventNs(event) };
}

/** A whole number from 0 up, as a number or as digits: nanoseconds of a long time are not exact as a number. */
export function integerOf(value: Data | undefined): bigint | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;
  return typeof value === 'string' && /^[0-9]{1,18}$/.test(value) ? BigInt(value) : null;
}

function stringFields({ id, actor, target, data }: Event): readonly (readonly [string, string | undefined])[] {
  return [
    ['id', id],
    ['actor', actor?.name ?? actor?.id],
    ['target', target?.name ?? target?.id],
    ['client', actor?.address ?? (typeof data.client === 'string' ? data.client : undefined)],
  ];
}
