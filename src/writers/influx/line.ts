/** Longest string field, in bytes of UTF-8: InfluxDB refuses those above 64 KB. */
export const STRING_FIELD_LIMIT = 64_000;

/** Largest integer field, of 64 bits. */
const INT64_MAX = 2n ** 63n - 1n;

/** A field's value; a number is a float, a bigint an integer, whatever the number. */
export type FieldValue = number | bigint | boolean | string;

/** One point. Its identity is measurement, tags and time: a second one of the same identity replaces the first. */
export interface Point {
  readonly measurement: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly fields: ReadonlyMap<string, FieldValue>;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

/**
 * A point in line protocol, without the newline after it; null if nothing of it can be written: no name, or no field.
 *
 * Tags and fields are sorted by name. Left out are empty tags, and fields that no server takes (NaN, infinite, wider
 * than 64 bits). Names, tags and strings stay on their line, as VictoriaMetrics splits lines before it reads quotes, and
 * text from outside could go on as a point of its own.
 */
export function encodeLine({ measurement, tags, fields, time }: Point): string | null {
  const name = encodeName(measurement.replace(/^[#_]/, 'm$&'), MEASUREMENT);
  if (name === '') return null;
  const tagTexts = encodePairs(tags, (value) => encodeName(value, TAG));
  const fieldTexts = encodePairs(fields, encodeField);
  if (fieldTexts.length === 0) return null;
  return `${[name, ...tagTexts].join(',')} ${fieldTexts.join(',')} ${time}`;
}

/** The beginning of a text that takes at most so many bytes of UTF-8; no character is cut in two. */
export function cutBytes(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= limit) return text;
  let end = limit;
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** What is escaped. */
const MEASUREMENT = /[, ]/g;
const TAG = /[,= ]/g;

/** Pairs as `name=value`, sorted by name; of names that become one, the first stays. */
function encodePairs<T>(pairs: ReadonlyMap<string, T>, encode: (value: T) => string | null): readonly string[] {
  const texts = new Map<string, string>();
  for (const [key, value] of pairs) {
    const name = encodeName(key, TAG);
    const text = encode(value);
    if (name !== '' && text !== null && text !== '' && !texts.has(name)) texts.set(name, text);
  }
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `${name}=${text}`);
}

/**
 * A name or tag value. A backslash at its end would escape what follows, and before an escaped character some servers
 * (VictoriaMetrics) take it as escaping the escape: both become `_`. All others stand for themselves.
 */
function encodeName(text: string, special: RegExp): string {
  return text
    .toWellFormed()
    .replace(/[\r\n\t\v\f]/g, ' ')
    .replace(/\\(?=[,= ]|$)/g, '_')
    .replace(special, '\\$&');
}

function encodeField(value: FieldValue): string | null {
  switch (typeof value) {
    case 'bigint':
      return value > INT64_MAX || value < -INT64_MAX - 1n ? null : `${value}i`;
    case 'number':
      return Number.isFinite(value) ? String(value) : null;
    case 'boolean':
      return String(value);
    case 'string':
      return `"${encodeString(value)}"`;
  }
}

function encodeString(value: string): string {
  return cutBytes(value.toWellFormed(), STRING_FIELD_LIMIT)
    .replace(/[\r\n]/g, ' ')
    .replace(/["\\]/g, '\\$&');
}
