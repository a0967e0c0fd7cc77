import type { Event } from '../core/event.ts';
import { textOf } from './event-data.ts';

/**
 * The CloudEvents type of a trace of CTS: `service.trace type.resource type.name` in lower case; what is missing in between
 * leaves two dots.
 */
export function traceType({ action, data }: Event): string {
  const parts = [data.service, data.traceType, data.resourceType, action];
  const joined = parts.map((part) => textOf(part).toLowerCase()).join('.');
  let end = joined.length;
  while (joined[end - 1] === '.') end--;
  return joined.slice(0, end) || 'cts.trace';
}
