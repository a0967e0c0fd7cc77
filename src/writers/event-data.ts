import type { Data, Event } from '../core/event.ts';

/** An object of `Data`. */
export type DataMap = { readonly [key: string]: Data };

/** The type of a source: `cts` of `cts/prod`. */
export function sourceType(source: string): string {
  return source.split('/', 1)[0] ?? source;
}

/** What an event is of: the `dataset` in its data, as a record may come in by another way than its own source; else its source's type. */
export function datasetOf({ source, data }: Event): string {
  return typeof data.dataset === 'string' && data.dataset !== '' ? data.dataset : sourceType(source);
}

/** The value of this name in the data of an event, or of the same name in camel case. */
export function dataOf({ data }: Event, name: string): Data | undefined {
  if (Object.hasOwn(data, name)) return data[name];
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(data, camel) ? data[camel] : undefined;
}

/** The record as the origin wrote it: an object, or its text where it is nested too deep or is none. */
export function recordOf({ data }: Event): Data | undefined {
  return data.raw ?? data.record;
}

export function isMap(value: unknown): value is DataMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What lies at a place in a value, if anything does. */
export function at(value: Data | undefined, ...path: readonly string[]): Data | undefined {
  let found = value;
  for (const name of path) found = isMap(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return found;
}

/** Text as it is, a number or a boolean as text, all else empty. */
export function textOf(value: Data | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
