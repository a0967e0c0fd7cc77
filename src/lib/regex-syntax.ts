import {
  type Accepts,
  charClass,
  escapedSet,
  foreign,
  next,
  only,
  peek,
  type Reading,
  take,
  takeWhile,
} from './regex-sets.ts';

/** A regular expression as a tree. */
export type Regex =
  | { readonly type: 'char'; readonly accepts: Accepts }
  | { readonly type: 'assert'; readonly kind: Assertion }
  | { readonly type: 'sequence'; readonly parts: readonly Regex[] }
  | { readonly type: 'choice'; readonly parts: readonly Regex[] }
  | { readonly type: 'repeat'; readonly part: Regex; readonly least: number; readonly most: number };

/** `start` is `^`, `end` is `$`, `word` is `\b`, `inside` is `\B`. */
export type Assertion = 'start' | 'end' | 'word' | 'inside';

const longest = 10_000;
const deepest = 100;
const mostRepeats = 1000;
/** One after the other, as in `a+*`. */
const mostQuantifiers = 4;

/**
 * Parses the common part of the syntaxes of Rust's crate `regex` (https://docs.rs/regex, "Syntax") and Go's RE2: literals,
 * `.`, classes, `\d \w \s \p{…}` with their Unicode meaning of Rust, escapes, groups, alternatives, repetitions, `^ $ \b`.
 * Null for what is beyond it or is no regular expression: flags such as `(?i)`, operations on classes, look-around.
 */
export function parseRegex(source: string): Regex | null {
  if (source.length > longest) return null;
  const reading: Reading = { chars: [...source], at: 0, depth: 0 };
  try {
    const regex = choice(reading);
    return reading.at === reading.chars.length ? regex : null;
  } catch (error) {
    if (error === foreign) return null;
    throw error;
  }
}

function choice(reading: Reading): Regex {
  reading.depth++;
  if (reading.depth > deepest) throw foreign;
  const parts = [sequence(reading)];
  while (take(reading, '|')) parts.push(sequence(reading));
  reading.depth--;
  return parts.length === 1 && parts[0] ? parts[0] : { type: 'choice', parts };
}

function sequence(reading: Reading): Regex {
  const parts: Regex[] = [];
  for (let next = peek(reading); next !== '' && next !== '|' && next !== ')'; next = peek(reading)) {
    parts.push(repeated(reading, atom(reading)));
  }
  return { type: 'sequence', parts };
}

function repeated(reading: Reading, atom: Regex): Regex {
  let part = atom;
  for (let count = 0; count <= mostQuantifiers; count++) {
    const bounds = quantifier(reading);
    if (bounds === null) return part;
    // Lazy or greedy makes no difference to whether the whole matches.
    take(reading, '?');
    part = { type: 'repeat', part, least: bounds[0], most: bounds[1] };
  }
  throw foreign;
}

function quantifier(reading: Reading): readonly [number, number] | null {
  if (take(reading, '*')) return [0, Number.POSITIVE_INFINITY];
  if (take(reading, '+')) return [1, Number.POSITIVE_INFINITY];
  if (take(reading, '?')) return [0, 1];
  if (!take(reading, '{')) return null;
  const [least, comma, most] = [number(reading), take(reading, ','), number(reading)];
  if (least === null || !take(reading, '}') || (!comma && most !== null)) throw foreign;
  const bounds = [least, most ?? (comma ? Number.POSITIVE_INFINITY : least)] as const;
  if (bounds[0] > bounds[1] || bounds[0] > mostRepeats) throw foreign;
  return bounds;
}

function number(reading: Reading): number | null {
  const digits = takeWhile(reading, /[0-9]/);
  return digits === '' ? null : Number(digits);
}

function atom(reading: Reading): Regex {
  const char = next(reading);
  if (char === '(') return group(reading);
  if (char === '[') return { type: 'char', accepts: charClass(reading) };
  if (char === '.') return { type: 'char', accepts: (codePoint) => codePoint !== 10 };
  if (char === '^') return { type: 'assert', kind: 'start' };
  if (char === '$') return { type: 'assert', kind: 'end' };
  if (char === '\\') return escaped(reading);
  if ('*+?{'.includes(char)) throw foreign;
  return { type: 'char', accepts: only(char) };
}

function group(reading: Reading): Regex {
  if (take(reading, '?')) {
    const isNamed = take(reading, 'P') ? next(reading) === '<' || fail() : take(reading, '<');
    if (isNamed) {
      if (takeWhile(reading, /[\p{L}\p{N}_.[\]]/u) === '' || !take(reading, '>')) throw foreign;
    } else if (!take(reading, ':')) throw foreign;
  }
  const inner = choice(reading);
  if (!take(reading, ')')) throw foreign;
  return inner;
}

const assertions: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'start'],
  ['z', 'end'],
  ['b', 'word'],
  ['B', 'inside'],
]);

function escaped(reading: Reading): Regex {
  const kind = assertions.get(peek(reading));
  if (kind === undefined) return { type: 'char', accepts: escapedSet(reading) };
  reading.at++;
  // `\b{start}` and its like.
  if (peek(reading) === '{') throw foreign;
  return { type: 'assert', kind };
}

function fail(): never {
  throw foreign;
}
