/** An object that was parsed from JSON: only its own, known members may be asked for. */
export interface JsonObject {
  readonly [name: string]: unknown;
}

/** What a text says in JSON; undefined if it is none. V8 parses without recursion, so depth does no harm here. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object: no list, no null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that is an object, or null. */
export function objectAt(object: JsonObject | null, name: string): JsonObject | null {
  const value = object?.[name];
  return isObject(value) ? value : null;
}

/** A member that is text; empty if it is absent or anything else. */
export function textAt(object: JsonObject | null, name: string): string {
  const value = object?.[name];
  return typeof value === 'string' ? value : '';
}

/**
 * Whether lists and objects lie in each other at most this deep (1: holds neither). What others do with a value may
 * recurse: `JSON.stringify` does, and msgpack.
 */
export function isWithinDepth(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      if (depth === most) return false;
      for (const inner of Object.values(one)) next.push(inner);
    }
    level = next;
  }
  return true;
}
