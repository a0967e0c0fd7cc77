import type { Data } from '../../core/event.ts';
import { countOf } from './fields.ts';

/**
 * Nanoseconds of a duration that MinIO tells twice, as `…InNS` (digits) and as text, or once, by its age; null if
 * neither can be read.
 */
export function durationNs(inNs: Data | undefined, text: Data | undefined): number | null {
  return countOf(inNs) ?? (typeof text === 'string' ? parseGoDuration(text) : null);
}

/**
 * Nanoseconds of a duration as Go writes it: one or more decimals, each with its unit (`2.143308ms`, `1h2m3s`).
 * Parts of a nanosecond are dropped. Null for a sign, a number without unit, nothing, and for 2^53 ns (104 days) and
 * more, which could not be kept exactly.
 */
export function parseGoDuration(text: string): number | null {
  if (text === '' || text.length > LONGEST) return null;
  let total = 0;
  let at = 0;
  while (at < text.length) {
    const point = digitsEnd(text, at);
    const hasPoint = text.charCodeAt(point) === DOT;
    const end = hasPoint ? digitsEnd(text, point + 1) : point;
    const unit = unitAt(text, end);
    // As with Go, digits may be missing on one side of the point (`.5s`, `5.s`), not on both.
    if (unit === null || end - at < (hasPoint ? 2 : 1)) return null;
    total += numberOf(text, at, point) * unit.times * power(unit.tens) + fractionNs(text, point + 1, end, unit);
    at = end + unit.length;
  }
  return Number.isSafeInteger(total) ? total : null;
}

/** `times` × 10^`tens` nanoseconds, written in `length` characters. */
interface Unit {
  readonly times: number;
  readonly tens: number;
  readonly length: number;
}

const LONGEST = 64;
const DOT = 0x2e;
/** More digits behind the point say nothing that a nanosecond could show. */
const PLACES = 12;
const POWERS: readonly number[] = Array.from({ length: PLACES + 1 }, (_, tens) => 10 ** tens);

const HOURS: Unit = { times: 36, tens: 11, length: 1 };
const MINUTES: Unit = { times: 6, tens: 10, length: 1 };
const SECONDS: Unit = { times: 1, tens: 9, length: 1 };
const MILLISECONDS: Unit = { times: 1, tens: 6, length: 2 };
const MICROSECONDS: Unit = { times: 1, tens: 3, length: 2 };
const NANOSECONDS: Unit = { times: 1, tens: 0, length: 2 };

function unitAt(text: string, at: number): Unit | null {
  const secondsFollow = text[at + 1] === 's';
  switch (text[at]) {
    case 'h':
      return HOURS;
    case 'm':
      return secondsFollow ? MILLISECONDS : MINUTES;
    case 's':
      return SECONDS;
    // The micro sign and the Greek letter.
    case 'u':
    case '\u00b5':
    case '\u03bc':
      return secondsFollow ? MICROSECONDS : null;
    case 'n':
      return secondsFollow ? NANOSECONDS : null;
    default:
      return null;
  }
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(++at));
  return at;
}

function numberOf(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) number = number * 10 + (text.charCodeAt(at) - 0x30);
  return number;
}

/** In whole numbers all the way: 0.143308 × 1,000,000 is not quite 143,308 in floating point. */
function fractionNs(text: string, from: number, end: number, { times, tens }: Unit): number {
  if (end <= from) return 0;
  const places = Math.min(end - from, PLACES);
  const number = numberOf(text, from, from + places) * times;
  return places <= tens ? number * power(tens - places) : Math.floor(number / power(places - tens));
}

function power(tens: number): number {
  return POWERS[tens] ?? Number.NaN;
}
