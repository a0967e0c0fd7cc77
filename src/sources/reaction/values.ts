import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type { PatternSetting } from './settings.ts';

/** Whether a pattern can have matched a text. */
export type ValueTest = (text: string) => boolean;

/**
 * The test for the values of a pattern: addresses and networks for the IP types (with `ipv4mask` and `ipv6mask` reaction
 * logs networks), else what the whole regex matches, or anything where we cannot read the regex or know none. Where
 * engines differ it rather allows too much: then a text is not decided, instead of decided wrongly. Takes linear time.
 */
export function valueTest(pattern: PatternSetting | undefined): ValueTest {
  if (pattern === undefined) return anything;
  const known = tests.get(pattern);
  if (known !== undefined) return known;
  let compiled: ValueTest | undefined;
  const test: ValueTest = (text) => {
    compiled ??= compile(pattern);
    return compiled(text);
  };
  tests.set(pattern, test);
  return test;
}

/** Many actions share a pattern, and few need to test its values. */
const tests = new WeakMap<PatternSetting, ValueTest>();

const require = createRequire(import.meta.url);

/** Regexes that compile to more instructions allow anything: their tests could take long. */
const MOST_INSTRUCTIONS = 2000;
/** What Rust, of reaction 2, reads otherwise than RE2: operations and classes within a class; `\<`, `\>`, `\b{start}`. */
const AMBIGUOUS = /\[\^?\]?(?:\\.|[^\]\\]|\[:\^?[a-z]+:\])*?(?:&&|--|~~|\[(?!:))|\\[<>]|\\[bB]\{/s;
/** Classes that hold all of Unicode in Rust, and ASCII in RE2. */
const UNICODE_CLASS = /\\[dswp]/i;
const UNUSUAL = /[^ -~]/;

function anything(): boolean {
  return true;
}

function compile({ kind, regex }: PatternSetting): ValueTest {
  if (kind !== 'regex') return (text) => isNetwork(text, kind);
  if (regex === null || AMBIGUOUS.test(regex)) return anything;
  // Takes a while to load, and most configurations never need it.
  const { RE2JS } = require('re2js') as typeof import('re2js');
  try {
    // Whether a word ends at the edge of a value depends on what stood beside it.
    const compiled = RE2JS.compile(regex.replace(/\\./gs, (pair) => (/b/i.test(pair) ? '(?:)' : pair)));
    if (compiled.matcher('').programSize() > MOST_INSTRUCTIONS) return anything;
    const isAscii = !UNICODE_CLASS.test(regex);
    return (text) => (!isAscii && UNUSUAL.test(text)) || compiled.testExact(text);
  } catch {
    return anything;
  }
}

function isNetwork(text: string, kind: 'ip' | 'ipv4' | 'ipv6'): boolean {
  const slash = text.indexOf('/');
  const version = isIP(slash < 0 ? text : text.slice(0, slash));
  // Node.js takes `fe80::1%eth0` for an address, too.
  if (version === 0 || text.includes('%') || (kind !== 'ip' && kind !== `ipv${version}`)) return false;
  if (slash < 0) return true;
  const length = text.slice(slash + 1);
  return /^(?:0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
}
