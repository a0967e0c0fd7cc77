/** Whether a code point is one of a set. */
export type Accepts = (codePoint: number) => boolean;

/** A regular expression while it is read. */
export interface Reading {
  readonly chars: readonly string[];
  at: number;
  depth: number;
}

/** Thrown at what is beyond the syntax. */
export const foreign = Symbol('foreign');

/** A class after its `[`: items, ranges and `[:alpha:]`; no other classes in it, no operations such as `&&`. */
export function charClass(reading: Reading): Accepts {
  const isNegated = take(reading, '^');
  const items: Accepts[] = [];
  for (let isFirst = true; isFirst || peek(reading) !== ']'; isFirst = false) {
    const pair = peek(reading) + (reading.chars[reading.at + 1] ?? '');
    if (pair === '&&' || pair === '~~' || pair === '--') throw foreign;
    items.push(pair.startsWith('[') ? posixClass(reading) : classItem(reading));
  }
  reading.at++;
  return (codePoint) => items.some((accepts) => accepts(codePoint)) !== isNegated;
}

/** What stands after a backslash, as the set of characters that it means. */
export function escapedSet(reading: Reading): Accepts {
  const literal = escapedChar(reading);
  if (literal !== null) return (codePoint) => codePoint === literal;
  const letter = next(reading);
  const isNegated = letter !== letter.toLowerCase();
  const accepts = namedSet(reading, letter.toLowerCase());
  return isNegated ? (codePoint) => !accepts(codePoint) : accepts;
}

/** The set of one character. */
export function only(char: string): Accepts {
  const wanted = char.codePointAt(0);
  return (codePoint) => codePoint === wanted;
}

/** Letters, marks, digits, connectors: `\w`, and what `\b` looks at. */
export function isWord(codePoint: number): boolean {
  if (codePoint < 128) return asciiWord.test(String.fromCharCode(codePoint));
  return unicodeWord.test(String.fromCodePoint(codePoint));
}

export function peek(reading: Reading): string {
  return reading.chars[reading.at] ?? '';
}

export function next(reading: Reading): string {
  const char = reading.chars[reading.at++];
  if (char === undefined) throw foreign;
  return char;
}

export function take(reading: Reading, char: string): boolean {
  if (reading.chars[reading.at] !== char) return false;
  reading.at++;
  return true;
}

export function takeWhile(reading: Reading, set: RegExp): string {
  const from = reading.at;
  while (reading.at < reading.chars.length && set.test(peek(reading))) reading.at++;
  return reading.chars.slice(from, reading.at).join('');
}

function classItem(reading: Reading): Accepts {
  const low = classChar(reading);
  if (peek(reading) !== '-' || reading.chars[reading.at + 1] === ']') return low.accepts;
  reading.at++;
  if (peek(reading) === '[') throw foreign;
  const high = classChar(reading);
  if (low.char === null || high.char === null || low.char > high.char) throw foreign;
  const [from, to] = [low.char, high.char];
  return (codePoint) => codePoint >= from && codePoint <= to;
}

interface ClassChar {
  readonly accepts: Accepts;
  /** Null if it is a set of several, which cannot bound a range. */
  readonly char: number | null;
}

function classChar(reading: Reading): ClassChar {
  const char = next(reading);
  if (char !== '\\') return { accepts: only(char), char: char.codePointAt(0) ?? null };
  if (/[bBAz]/.test(peek(reading))) throw foreign;
  const literal = escapedChar(reading);
  if (literal === null) return { accepts: escapedSet(reading), char: null };
  return { accepts: (codePoint) => codePoint === literal, char: literal };
}

const posix: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /[0-9A-Za-z]/],
  ['alpha', /[A-Za-z]/],
  ['digit', /[0-9]/],
  ['lower', /[a-z]/],
  ['punct', /[!-/:-@[-`{-~]/],
  ['space', /[\t-\r ]/],
  ['upper', /[A-Z]/],
  ['word', /\w/],
  ['xdigit', /[0-9A-Fa-f]/],
]);

function posixClass(reading: Reading): Accepts {
  const [name = ''] = /^\[:[a-z]+:\]/.exec(reading.chars.slice(reading.at, reading.at + 12).join('')) ?? [];
  const set = posix.get(name.slice(2, -2));
  // Rust nests classes, RE2 takes the bracket for itself.
  if (set === undefined) throw foreign;
  reading.at += name.length;
  return matching(set);
}

function namedSet(reading: Reading, letter: string): Accepts {
  if (letter === 'd') return matching(/\p{Nd}/u);
  if (letter === 's') return matching(/\p{White_Space}/u);
  if (letter === 'w') return isWord;
  if (letter !== 'p') throw foreign;
  const isBraced = take(reading, '{');
  const name = isBraced ? takeWhile(reading, /[A-Za-z_]/) : next(reading);
  if (isBraced ? !take(reading, '}') : !/^[A-Z]$/.test(name)) throw foreign;
  for (const property of [name, `Script=${name}`]) {
    try {
      return matching(new RegExp(`\\p{${property}}`, 'u'));
    } catch {
      // Names of scripts are properties of their own in Rust.
    }
  }
  throw foreign;
}

const controls: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
]);
const hexDigits: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/** The one character that an escape means; null, and nothing is read, if it means a set. */
function escapedChar(reading: Reading): number | null {
  const char = peek(reading);
  if (/[dDsSwWpP]/.test(char)) return null;
  reading.at++;
  const digits = hexDigits.get(char);
  if (digits !== undefined) return hex(reading, digits);
  const control = controls.get(char);
  if (control !== undefined) return control;
  // Letters, digits, `<` and `>` mean other things here or there.
  if (!/^[!-/:;=?@[-`{-~ ]$/.test(char)) throw foreign;
  return char.charCodeAt(0);
}

function hex(reading: Reading, digits: number): number {
  let text = '';
  if (take(reading, '{')) {
    text = takeWhile(reading, /[0-9A-Fa-f]/);
    if (!take(reading, '}')) throw foreign;
  } else {
    for (let count = 0; count < digits; count++) text += next(reading);
  }
  const codePoint = /^[0-9A-Fa-f]{1,8}$/.test(text) ? Number.parseInt(text, 16) : Number.POSITIVE_INFINITY;
  if (codePoint > 0x10ffff) throw foreign;
  return codePoint;
}

function matching(set: RegExp): Accepts {
  return (codePoint) => set.test(String.fromCodePoint(codePoint));
}

const asciiWord = /\w/;
const unicodeWord = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
