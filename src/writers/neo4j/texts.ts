import { createHash } from 'node:crypto';

/** Longest key, in characters; what an index takes is some eight times as much. */
const KEY_LIMIT = 1_000;
const KEY_KEPT = 900;

/** Longest text of a property that is indexed or names something. */
const NAME_LIMIT = 1_000;
const MESSAGE_LIMIT = 4_000;

/** The key of a node; of one that is too long the beginning, `#` and the SHA-256 of all of it. */
export function nodeKey(...parts: readonly string[]): string {
  const key = parts.join(':').toWellFormed();
  if (key.length <= KEY_LIMIT) return key;
  return `${key.slice(0, KEY_KEPT).toWellFormed()}#${createHash('sha256').update(key).digest('hex')}`;
}

/** A text that names something, or null for an empty one. */
export function nameText(text: string | undefined): string | null {
  return bounded(text, NAME_LIMIT);
}

/** A text for people, or null for an empty one. */
export function messageText(text: string | undefined): string | null {
  return bounded(text, MESSAGE_LIMIT);
}

function bounded(text: string | undefined, limit: number): string | null {
  if (text === undefined || text === '') return null;
  return (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`).toWellFormed();
}

/** Milliseconds since 1970 as the integer that Cypher wants; the driver sends numbers as floats. */
export function epochMs(time: number): bigint {
  // What a date can be.
  const limit = 8.64e15;
  return Number.isFinite(time) ? BigInt(Math.trunc(Math.min(Math.max(time, -limit), limit))) : 0n;
}

/** The order of text that rows are written in, the same in each process: two that write the same seldom lock each other. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
