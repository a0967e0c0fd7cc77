import type { Data } from '../../core/event.ts';
import { parseRfc3339 } from '../../lib/time.ts';
import { parseUtc } from './utc.ts';

/** Milliseconds since 1970 of a time in a JSON record: RFC 3339, or as Go prints it; null for whatever else. */
export function parseEventTime(value: Data | undefined): number | null {
  if (typeof value !== 'string' || value.length > LONGEST) return null;
  return parseUtc(value) ?? parseRfc3339(value) ?? parseGoTime(value);
}

/**
 * Milliseconds since 1970 of `2024-01-31 23:20:41.102934812 +0000 UTC m=+1023.412`, the way Go prints a time: the
 * fraction has up to 9 digits or is absent, the reading of the monotonic clock (`m=`) too.
 */
export function parseGoTime(text: string): number | null {
  const found = GO_TIME.exec(text);
  return found ? parseRfc3339(`${found[1]}${found[2]}`) : null;
}

/** Milliseconds since 1970 of `02/Feb/2024:03:04:01 +0000`, the time of an access-log line; null if it is none. */
export function parseLogTime(text: string): number | null {
  const found = LOG_TIME.exec(text);
  if (!found) return null;
  const [, day, name = '', year, clock, zone] = found;
  const month = String(MONTHS.indexOf(name) + 1).padStart(2, '0');
  return parseRfc3339(`${year}-${month}-${day}T${clock}${zone}`);
}

const LONGEST = 100;
const GO_TIME =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?) ([+-][0-9]{4}) [A-Za-z0-9+-]{1,10}(?: m=[+-][0-9]{1,20}\.[0-9]{1,9})?$/;
const LOG_TIME = /^([0-9]{2})\/([A-Z][a-z]{2})\/([0-9]{4}):([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{4})$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
