/** What is there and is no text: an object or a list, where a text, a number or a boolean was wanted. */
export const BAD = Symbol('bad');

/** A field as it was read; null where it is absent. */
export type Field = string | null | typeof BAD;

/**
 * A field as text: without spaces, tabs and line ends around it, numbers in plain decimal. Null, blank text and what is
 * missing is absent. Lone surrogates, which no UTF-8 can say, become U+FFFD.
 */
export function readField(value: unknown): Field {
  switch (typeof value) {
    case 'string':
      return trimmed(value.isWellFormed() ? value : value.toWellFormed()) || null;
    case 'number':
      return Number.isFinite(value) ? plainDecimal(value) : null;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? null : BAD;
    default:
      return null;
  }
}

/** The first of these that is not absent; what is bad is not. */
export function firstField(...values: readonly unknown[]): Field {
  for (const value of values) {
    const field = readField(value);
    if (field !== null) return field;
  }
  return null;
}

/** A field where only text is of use. */
export function textOf(field: Field): string | null {
  return field === BAD ? null : field;
}

function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

/** JavaScript writes very large and very small numbers with an exponent. */
function plainDecimal(value: number): string {
  const text = String(value);
  const e = text.indexOf('e');
  if (e < 0) return text;
  const sign = text.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = text.slice(sign.length, e).split('.');
  const digits = whole + fraction;
  // Places before the point.
  const point = whole.length + Number(text.slice(e + 1));
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? `${sign}${digits}${'0'.repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
