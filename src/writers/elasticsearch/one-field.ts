import type { Data } from '../../core/event.ts';

/** Most levels of a `flattened` field, unless its mapping says otherwise. Lists are counted too here, to be short. */
const LEVELS = 20;

/**
 * Most bytes of path and value together: `flat_object` makes one term of them and of its own name, which may have 32,766,
 * and knows no `ignore_above`.
 */
const TERM_BYTES = 32_000;

/**
 * Whether a record can be one field, `raw`: Elasticsearch refuses a document whose `flattened` field has too many levels or
 * a NUL in a key, OpenSearch one whose `flat_object` has a long text. Both were seen to (8.18, 2.19).
 */
export function fitsOneField(record: Data): boolean {
  return fits(record, TERM_BYTES, LEVELS);
}

function fits(value: Data, room: number, levels: number): boolean {
  if (typeof value === 'string') return value.length * 3 <= room || Buffer.byteLength(value) <= room;
  if (typeof value !== 'object' || value === null) return room >= LONGEST_NUMBER;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((element: Data) => fits(element, room, levels - 1));
  const members = value as { readonly [key: string]: Data };
  for (const key of Object.keys(members)) {
    if (key.includes('\0') || !fits(members[key] ?? null, room - Buffer.byteLength(key) - 1, levels - 1)) return false;
  }
  return true;
}

/** Characters, `-1.2345678901234567e-300`. */
const LONGEST_NUMBER = 24;
