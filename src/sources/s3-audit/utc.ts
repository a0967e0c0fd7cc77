/**
 * Milliseconds since 1970 of `2024-01-15T09:05:11.232759412Z`, the one form in which nearly all records tell their time,
 * a tenth as dear as a general parser; rounded to microseconds as `parseRfc3339` does. Null for any other form (also
 * years before 100, leap seconds, what is no date), which may still be a time.
 */
export function parseUtc(text: string): number | null {
  const end = text.length - 1;
  if (end < SECONDS_END || text.charCodeAt(end) !== UPPER_Z) return null;
  const minute = text.startsWith(lastMinute) ? lastMs : minuteOf(text);
  const second = digits(text, MINUTES_END, SECONDS_END);
  if (minute === null || !(second <= 59)) return null;
  const fraction = end === SECONDS_END ? 0 : fractionMs(text, end);
  return Number.isNaN(fraction) ? null : minute + second * 1_000 + fraction;
}

const MINUTES_END = '2024-01-15T09:05:'.length;
const SECONDS_END = '2024-01-15T09:05:11'.length;

/** Most records are of the same minute as the one before. */
let lastMinute = '\0';
let lastMs = 0;

/** The beginning of the minute that a text begins with; null if it begins with none. */
function minuteOf(text: string): number | null {
  if (!hasMarks(text)) return null;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  // What is no number is not greater than anything.
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return null;
  if (!(hour <= 23 && minute <= 59)) return null;
  lastMs = Date.UTC(year, month - 1, day, hour, minute);
  lastMinute = text.slice(0, MINUTES_END);
  return lastMs;
}

const DASH = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const UPPER_T = 0x54;
const UPPER_Z = 0x5a;
const DAYS: readonly number[] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const POWERS: readonly number[] = Array.from({ length: 10 }, (_, tens) => 10 ** tens);

function hasMarks(text: string): boolean {
  return (
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(10) === UPPER_T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON
  );
}

function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

function daysOf(year: number, month: number): number {
  if (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) return 29;
  return DAYS[month] ?? 0;
}

/** Of a point and 1 to 9 digits; NaN for whatever else. */
function fractionMs(text: string, end: number): number {
  const places = end - SECONDS_END - 1;
  if (text.charCodeAt(SECONDS_END) !== DOT || places < 1 || places > 9) return Number.NaN;
  const fraction = digits(text, SECONDS_END + 1, end) / (POWERS[places] ?? Number.NaN);
  return Math.round(fraction * 1e6) / 1e3;
}
