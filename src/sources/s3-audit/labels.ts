import type { Data, Outcome } from '../../core/event.ts';
import { countOf } from './fields.ts';

/** Stands for every value that has no business being a label. */
export const OTHER = 'other';

/** The label `api`: the name of an operation as the store writes it, or `other`. */
export function apiLabel(name: Data | undefined): string {
  return typeof name === 'string' ? apis.of(name) : OTHER;
}

/** The label `bucket`: empty for calls that are about none. Ceph puts a tenant and a colon before the name. */
export function bucketLabel(name: Data | undefined): string {
  if (name === undefined || name === null || name === '' || name === '-') return '';
  return typeof name === 'string' ? buckets.of(name) : OTHER;
}

/** The label `code`: an HTTP status of three digits, or `other` for any other one and for none. */
export function codeLabel(status: Data | undefined): string {
  if (typeof status === 'number') return CODES[status - FIRST_CODE] ?? OTHER;
  return typeof status === 'string' && CODE.test(status) ? status : OTHER;
}

/** The label `event` of console and IAM events, where there is a value at all. */
export function eventLabel(name: Data | undefined): string {
  return typeof name === 'string' && EVENT.test(name) ? name : OTHER;
}

/**
 * How a request ended, by its label `code`. With 499 the client went away: that is no error of anybody, and no success
 * either.
 */
export function requestOutcome(code: string): Outcome {
  if (code === OTHER || code === '499') return 'unknown';
  if (code === '401' || code === '403') return 'denied';
  return code < '400' ? 'ok' : 'failed';
}

/** How a console event ended: 0 is success, 1 to 16 are codes of gRPC, 100 and more are HTTP. */
export function consoleOutcome(status: Data | undefined): Outcome {
  if (status === undefined || status === null || status === '') return 'unknown';
  const code = countOf(status);
  if (code === null) return 'failed';
  if (code === 0 || (code >= 100 && code <= 399)) return 'ok';
  return DENIED.includes(code) ? 'denied' : 'failed';
}

/** Tells texts that may be labels from others, and remembers those that it has seen. */
class Labels {
  readonly #pattern: RegExp;
  readonly #known = new Map<string, string>();

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  /** The text itself, or `other`. */
  of(text: string): string {
    if (text.length > LONGEST) return OTHER;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (!this.#pattern.test(text)) return OTHER;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    // A copy: a text that was cut out of a line holds all of it.
    const own = Buffer.from(text).toString();
    this.#known.set(own, own);
    return own;
  }
}

const LONGEST = 255;
const MOST_KNOWN = 1_000;
const apis = new Labels(/^[A-Za-z0-9_.:-]{1,64}$/);
const buckets = new Labels(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$/);
const CODE = /^[1-5][0-9]{2}$/;
const EVENT = /^[A-Za-z0-9_.:/ -]{1,64}$/;

const FIRST_CODE = 100;
/** The texts of 100 to 599: no request makes a new one. */
const CODES: readonly string[] = Array.from({ length: 500 }, (_, index) => String(FIRST_CODE + index));

/** PermissionDenied and Unauthenticated of gRPC, Unauthorized and Forbidden of HTTP. */
const DENIED: readonly number[] = [7, 16, 401, 403];
