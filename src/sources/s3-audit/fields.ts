import type { Data } from '../../core/event.ts';

/** A JSON object that somebody else wrote: any name may be there, with anything behind it. */
export interface Fields {
  readonly [name: string]: Data;
}

/** Whether a value is an object with names, which an array is not. */
export function isFields(value: Data | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text, or an empty one for whatever else. */
export function textOf(value: Data | undefined): string {
  return typeof value === 'string' ? value : '';
}

/**
 * A whole number from 0 that is kept exactly (below 2^53), given as a number or as 1 to 16 digits; null for whatever
 * else. MinIO writes -1 for what it does not know.
 */
export function countOf(value: Data | undefined): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  if (typeof value !== 'string' || value.length === 0 || value.length > 16) return null;
  let count = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return null;
    count = count * 10 + digit;
  }
  return Number.isSafeInteger(count) ? count : null;
}

/** The header of a name, or else the first of that name in any other case, of which `read` makes something; else null. */
export function headerOf<T>(
  headers: Data | undefined,
  name: string,
  read: (value: Data | undefined) => T | null,
): T | null {
  if (!isFields(headers)) return null;
  const found = Object.hasOwn(headers, name) ? read(headers[name]) : null;
  if (found !== null) return found;
  const lower = name.toLowerCase();
  for (const key in headers) {
    // Most names are of another length, and are not made lower case for nothing.
    if (key.length !== name.length || key.toLowerCase() !== lower) continue;
    const other = read(headers[key]);
    if (other !== null) return other;
  }
  return null;
}
