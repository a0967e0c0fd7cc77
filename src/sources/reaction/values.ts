import { isIP } from 'node:net';
import { compileLinear, type Work } from '../../lib/linear-regex.ts';
import type { PatternSetting } from './settings.ts';

/** Which texts a pattern can have matched. */
export interface Values {
  /**
   * Every `end`, ascending, for which `text.slice(from, end)` can be a value; null if `work` was used up. At most
   * `longestSearched` characters should be asked for: the work grows with them.
   */
  ends(text: string, from: number, work: Work): readonly number[] | null;
}

/** Texts that are longer than this are not searched for values. */
export const longestSearched = 4096;

/**
 * The values of a pattern: addresses and networks for the IP types (with `ipv4mask` and `ipv6mask` reaction logs
 * networks), else what the whole regex matches, or anything where we cannot read the regex or know none.
 */
export function valuesOf(pattern: PatternSetting | undefined): Values {
  if (pattern === undefined) return anything;
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const values = compile(pattern);
  compiled.set(pattern, values);
  return values;
}

/** Many actions share a pattern. */
const compiled = new WeakMap<PatternSetting, Values>();

const anything: Values = { ends: anyEnds };

function compile({ kind, regex }: PatternSetting): Values {
  if (kind !== 'regex') return { ends: (text, from, work) => addressEnds(text, from, { kind, work }) };
  const linear = regex === null ? null : compileLinear(regex);
  if (linear === null) return anything;
  return { ends: (text, from, work) => linear.ends(text, from, text.length, work) };
}

function anyEnds(text: string, from: number, work: Work): readonly number[] | null {
  work.left -= text.length - from;
  if (work.left < 0) return null;
  const ends: number[] = [];
  for (let end = from; end <= text.length; end++) {
    const isWithinPair = end > from && isSurrogate(text, end - 1, 0xd800) && isSurrogate(text, end, 0xdc00);
    if (!isWithinPair) ends.push(end);
  }
  return ends;
}

function isSurrogate(text: string, at: number, first: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= first && unit < first + 0x400;
}

/** The longest: eight groups of IPv6 with an IPv4 address at the end, and `/128`. */
const longestNetwork = 49;
const addressCharacters = /[0-9A-Fa-f:./]*/y;

function addressEnds(
  text: string,
  from: number,
  { kind, work }: { kind: 'ip' | 'ipv4' | 'ipv6'; work: Work },
): readonly number[] | null {
  addressCharacters.lastIndex = from;
  const run = addressCharacters.exec(text.slice(0, from + longestNetwork))?.[0].length ?? 0;
  // A test costs as much as some steps of a regex.
  work.left -= 10 * run;
  if (work.left < 0) return null;
  const ends: number[] = [];
  for (let end = from + 2; end <= from + run; end++) if (isNetwork(text.slice(from, end), kind)) ends.push(end);
  return ends;
}

function isNetwork(text: string, kind: 'ip' | 'ipv4' | 'ipv6'): boolean {
  const slash = text.indexOf('/');
  const version = isIP(slash < 0 ? text : text.slice(0, slash));
  if (version === 0 || (kind !== 'ip' && kind !== `ipv${version}`)) return false;
  if (slash < 0) return true;
  const length = text.slice(slash + 1);
  return /^(?:0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
}
