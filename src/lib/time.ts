import { parseDuration } from './duration.ts';

/** What a point in time looks like on the command line, for error messages. */
export const TIME_WISH = 'a time such as 2026-05-09T10:12:45Z, or a duration such as 36h (that long ago)';

const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})([.,][0-9]{1,9})?([Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])$/;

/** Milliseconds since 1970 of an RFC 3339 time (a blank for the `T` is taken too), or null. */
export function parseRfc3339(text: string): number | null {
  const found = RFC3339.exec(text);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
  // Only a few days are not in every month.
  if (day > 28 && new Date(Date.UTC(year + CENTURIES, month - 1, day)).getUTCDate() !== day) return null;
  const fraction = found[7] ? Number(`0.${found[7].slice(1)}`) : 0;
  const whole = Date.UTC(year + CENTURIES, month - 1, day, hour, minute, second) - CENTURIES_MS;
  return whole + Math.round(fraction * 1e6) / 1e3 - zoneMs(found[8] ?? 'Z');
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999; four centuries later the calendar is the same. */
const CENTURIES = 400;
const CENTURIES_MS = 146_097 * 86_400_000;

/** Milliseconds since 1970 of an RFC 3339 time, or of the moment a duration ago; null if the text is neither. */
export function parseTime(text: string, now: number): number | null {
  const ago = parseDuration(text);
  return ago === null ? parseRfc3339(text) : now - ago;
}

function zoneMs(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}
