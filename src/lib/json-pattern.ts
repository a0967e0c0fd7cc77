/** What a member holds; a `text` is without any escape. */
export type Kind = 'text' | 'escaped' | 'number' | 'word';

/** A wanted member in an expression: of its groups the next one. */
export interface Slot {
  readonly place: number;
  readonly kind: Kind;
}

/** The source of a regular expression, and what its groups hold. */
export interface Pattern {
  readonly pattern: string;
  readonly slots: readonly Slot[];
}

export interface PatternOptions {
  readonly line: string;
  /**
   * Another line with the same names: texts that both begin with are likely to come again, and a text that is expected
   * is gone over some five times as fast as any other. Null for none.
   */
  readonly like: string | null;
  /** Places of the wanted members, by `pathText`. */
  readonly wanted: ReadonlyMap<string, number>;
  /** Objects with members that vary, by `pathText`. */
  readonly maps: ReadonlySet<string>;
}

/**
 * The expression for all JSON objects with the same names in the same order as this one; none but sound ones fit. Null if
 * the line is not an object, holds lists, or is not written as a program does that writes no blanks.
 */
export function patternOf(options: PatternOptions): Pattern | null {
  return new Learner(options).pattern();
}

/** A path as a key. */
export function pathText(path: readonly string[]): string {
  return JSON.stringify(path);
}

/**
 * The inside of a string, and a number, as RFC 8259 has them. No text fits in more than one way. Four characters at once
 * take two thirds of the time that they take one by one.
 */
const CHARACTER = '[^"\\\\\\0-\\x1f]';
const PLAIN_TEXT = `(?:${CHARACTER.repeat(4)})*${CHARACTER}{0,3}`;
const TEXT = `${PLAIN_TEXT}(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})${CHARACTER}*)*`;
const NUMBER = '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?';
const WORD = 'true|false|null';

const DEEPEST = 8;
const MOST_MEMBERS = 64;
/** Pairs of a map that are expected. */
const MOST_PAIRS = 24;
/** Characters of texts that are expected. */
const SHORTEST = 4;
const LONGEST = 256;
/** Most characters of an expression: longer ones are not compiled as well. */
const MOST_PATTERN = 16 * 1024;

const STRING = new RegExp(`"${TEXT}"`, 'y');
const BARE = new RegExp(`(?:${NUMBER}|${WORD})(?=[,}])`, 'y');
const WHOLE_MAP = new RegExp(mapPattern(pairPattern(TEXT, [], [])), 'y');
const PAIR = new RegExp(`"(${TEXT})":"(${TEXT})"`, 'g');
const PLAIN = /^[A-Za-z0-9_. @:-]{1,64}$/;

/** Makes the expression for lines like one. */
class Learner {
  readonly #line: string;
  readonly #like: unknown;
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #maps: ReadonlySet<string>;
  readonly #slots: Slot[] = [];
  #pattern = '';
  #at = 0;
  #members = 0;

  constructor({ line, like, wanted, maps }: PatternOptions) {
    this.#line = line;
    this.#like = like === null ? null : JSON.parse(like);
    this.#wanted = wanted;
    this.#maps = maps;
  }

  pattern(): Pattern | null {
    if (this.#line[0] !== '{' || !this.#object([]) || this.#at !== this.#line.length) return null;
    if (this.#pattern.length > MOST_PATTERN) return null;
    return { pattern: this.#pattern, slots: this.#slots };
  }

  #object(path: readonly string[]): boolean {
    if (path.length >= DEEPEST) return false;
    const names = new Set<string>();
    this.#at += 1;
    this.#pattern += '\\{';
    if (this.#line[this.#at] === '}') return this.#close();
    for (;;) {
      const name = this.#take(STRING)?.slice(1, -1);
      this.#members += 1;
      // Of a name that is there twice the last one counts: that is left to JSON.parse, and so are names that need care.
      if (name === undefined || !PLAIN.test(name) || names.has(name) || this.#members > MOST_MEMBERS) return false;
      if (this.#line[this.#at++] !== ':') return false;
      names.add(name);
      this.#pattern += `"${literal(name)}":`;
      if (!this.#value([...path, name])) return false;
      if (this.#line[this.#at] !== ',') return this.#line[this.#at] === '}' && this.#close();
      this.#at += 1;
      this.#pattern += ',';
    }
  }

  #close(): true {
    this.#at += 1;
    this.#pattern += '\\}';
    return true;
  }

  #value(path: readonly string[]): boolean {
    const first = this.#line[this.#at];
    if (first === '{') return this.#maps.has(pathText(path)) ? this.#map(path) : this.#object(path);
    if (first === '"') return this.#text(path);
    const bare = this.#take(BARE);
    if (bare === null) return false;
    const isWord = /^[tfn]/.test(bare);
    this.#pattern += this.#group(isWord ? WORD : NUMBER, path, isWord ? 'word' : 'number');
    return true;
  }

  #text(path: readonly string[]): boolean {
    // It could be taken for the text of one.
    if (this.#maps.has(pathText(path))) return false;
    const text = this.#take(STRING)?.slice(1, -1);
    if (text === undefined) return false;
    // What is not wanted may have escapes, as any text.
    const isPlain = this.#wanted.has(pathText(path)) && !text.includes('\\');
    const inner = `${expected(text, this.#likely(path))}${isPlain ? PLAIN_TEXT : TEXT}`;
    this.#pattern += `"${this.#group(inner, path, isPlain ? 'text' : 'escaped')}"`;
    return true;
  }

  #map(path: readonly string[]): boolean {
    const begin = this.#at;
    const names = [...this.#wanted.keys()].map((text) => JSON.parse(text) as readonly string[]);
    const wanted = names.filter(
      (inner) => inner.length === path.length + 1 && path.every((name, at) => name === inner[at]),
    );
    const name = wanted[0]?.at(-1);
    // Of one with other members than texts, what is wanted has a place of its own.
    if (this.#take(WHOLE_MAP) === null) return name === undefined && this.#object(path);
    const text = this.#line.slice(begin, this.#at);
    if (name !== undefined) return this.#mapWith(path, name, text);
    this.#pattern += mapPattern(pairPattern(TEXT, this.#pairs(path, text), []));
    return true;
  }

  /** A map of which a member is wanted: all pairs before and behind it, and all of a map without it, have other names. */
  #mapWith(path: readonly string[], name: string, text: string): boolean {
    const isOther = (pair: Pair) => pair.name.toLowerCase() !== name.toLowerCase();
    const pairs = this.#pairs(path, text);
    const at = pairs.findIndex((pair) => pair.name === name);
    const before = pairPattern(PLAIN_TEXT, pairs.slice(0, Math.max(at, 0)).filter(isOther), [anyCase(name)]);
    const behind = pairPattern(PLAIN_TEXT, pairs.slice(at + 1).filter(isOther), [anyCase(name)]);
    const having = `\\{(?:${before},)*"${literal(name)}":"(${PLAIN_TEXT})"(?:,${behind})*\\}`;
    const pattern = at < 0 ? mapPattern(behind) : having;
    if (!new RegExp(`^${pattern}$`).test(text)) return false;
    if (at >= 0) this.#slots.push({ place: this.#wanted.get(pathText([...path, name]))!, kind: 'text' });
    this.#pattern += pattern;
    return true;
  }

  /** The pairs of a map whose names can be expected to come again. */
  #pairs(path: readonly string[], text: string): readonly Pair[] {
    const pairs: Pair[] = [];
    for (const [, name = '', value = ''] of text.matchAll(PAIR)) {
      if (!PLAIN.test(name) || pairs.some((pair) => pair.name === name)) continue;
      if (pairs.length < MOST_PAIRS) pairs.push({ name, begin: expected(value, this.#likely([...path, name])) });
    }
    return pairs;
  }

  /** What the other line has there. */
  #likely(path: readonly string[]): unknown {
    return path.reduce<unknown>(
      (value, name) => (Object.hasOwn(Object(value), name) ? (value as Record<string, unknown>)[name] : undefined),
      this.#like,
    );
  }

  #group(inner: string, path: readonly string[], kind: Kind): string {
    const place = this.#wanted.get(pathText(path));
    if (place === undefined) return `(?:${inner})`;
    this.#slots.push({ place, kind });
    return `(${inner})`;
  }

  /** Takes what fits here. */
  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line);
    if (!found) return null;
    this.#at += found[0].length;
    return found[0];
  }
}

/** A member of a map, and the expression for what its text is expected to begin with. */
interface Pair {
  readonly name: string;
  readonly begin: string;
}

/** A pair of texts: one of the expected ones, or any that has neither their names nor those of `others`. */
function pairPattern(name: string, pairs: readonly Pair[], others: readonly string[]): string {
  const names = [...others, ...pairs.map((pair) => literal(pair.name))];
  const not = names.length === 0 ? '' : `(?!(?:${names.join('|')})":)`;
  const begins = pairs.map((pair) => `${literal(pair.name)}":"${pair.begin}`);
  return `"(?:${[...begins, `${not}${name}":"`].join('|')})${TEXT}"`;
}

/** A map of such pairs: a comma is behind each but the last. */
function mapPattern(pair: string): string {
  return `\\{(?:${pair}(?:,(?=")|(?=\\})))*\\}`;
}

/** Fits what a text begins with, in so far as another one does too, and nothing where a text begins otherwise. */
function expected(text: string, like: unknown): string {
  if (typeof like !== 'string') return '';
  let end = 0;
  while (end < LONGEST && end < text.length && text[end] === like[end] && EXPECTED.test(text[end]!)) end += 1;
  if (end < SHORTEST) return '';
  const begin = literal(text.slice(0, end));
  return `(?:${begin}|(?!${begin}))`;
}

const EXPECTED = /^[ !#-[\]-~]$/;

function literal(text: string): string {
  return text.replace(/[^A-Za-z0-9 _]/g, '\\$&');
}

function anyCase(name: string): string {
  return literal(name).replace(/[A-Za-z]/g, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
}
