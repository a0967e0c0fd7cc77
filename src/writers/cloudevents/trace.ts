import type { Event } from '../../core/event.ts';
import { isObject, parseJson } from '../../lib/json-value.ts';
import { type DataMap, isMap, textOf } from '../event-data.ts';
import { traceType } from '../trace-type.ts';
import { type Attribute, coreAttributes, ownExtensions } from './attributes.ts';

/**
 * Attributes of a CTS trace, as they always were: consumers know `source`, `type` and the extensions by these names.
 * `status`, `code`, `resourceid`, `region`, `domain` and `tenant` are there in any case, empty if they are not known.
 */
export function traceAttributes(event: Event, section: string): readonly Attribute[] {
  const { data, target, scope } = event;
  const text = (name: string) => textOf(data[name]);
  const resourceId = text('resourceId');
  return [
    ...coreAttributes(event, {
      source: text('origin') || section,
      type: traceType(event),
      subject: text('resourceName') || resourceId || target?.name || target?.id || '',
    }),
    ['status', text('rating')],
    ['code', text('code')],
    ['resourceid', resourceId],
    ['region', text('region')],
    ['domain', text('account')],
    ['tenant', scope?.type === 'project' ? scope.id : ''],
    ...ownExtensions(event),
  ];
}

/** The trace as it came, or null if there is none: `user` an object, and the rating under both of its names. */
export function traceData({ data }: Event): DataMap | null {
  const raw = typeof data.raw === 'string' ? parseJson(data.raw) : data.raw;
  if (!isObject(raw)) return null;
  const rating = textOf(data.rating);
  // It was read from JSON, here or by its source.
  const trace = raw as DataMap;
  const user = userOf(trace.user);
  return { ...trace, ...(user && { user }), trace_rating: rating, trace_status: rating };
}

/** Text that is JSON is what it says, other text is a name; null where it stays as it is. */
function userOf(user: DataMap[string] | undefined): DataMap | null {
  const text = typeof user === 'string' ? user.trim() : '';
  if (text === '') return null;
  if (!text.startsWith('{')) return { name: text };
  const parsed = parseJson(text);
  return isMap(parsed) ? parsed : null;
}
