import { parseRfc3339 } from '../../lib/time.ts';

/**
 * Milliseconds since 1970 of a stamp, whole; null if it cannot be read. Numbers, and digits in a text, are seconds,
 * milliseconds, microseconds or nanoseconds by their size. Texts are RFC 3339, or `2016/12/08 11:07:28 GMT+08:00` as the
 * console and the files of a tracker have it. What is before 1973 is no time that a trace can have.
 */
export function readTime(value: unknown): number | null {
  if (typeof value === 'number') return epochMs(value);
  if (typeof value !== 'string' || value.length > LONGEST) return null;
  const text = value.trim();
  if (DIGITS.test(text)) return epochMs(Number(text));
  const time = parseRfc3339(text) ?? parseGmt(text);
  return time !== null && time >= 1e11 && time < 1e14 ? Math.floor(time) : null;
}

const LONGEST = 100;
const DIGITS = /^[0-9]{1,20}(?:\.[0-9]{1,9})?$/;
const GMT =
  /^([0-9]{4})([/-])([0-9]{2})\2([0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?) ?GMT(?:([+-])([0-9]{1,2}):?([0-9]{2})?)?$/;

function epochMs(value: number): number | null {
  if (!(value >= 1e8 && value < 1e20)) return null;
  if (value < 1e11) return Math.round(value * 1e3);
  if (value < 1e14) return Math.floor(value);
  return Math.floor(value / (value < 1e17 ? 1e3 : 1e6));
}

function parseGmt(text: string): number | null {
  const found = GMT.exec(text);
  if (!found) return null;
  const [, year, , month, day, clock, sign, hours = '', minutes = '00'] = found;
  const zone = sign ? `${sign}${hours.padStart(2, '0')}:${minutes}` : 'Z';
  return parseRfc3339(`${year}-${month}-${day}T${clock}${zone}`);
}
