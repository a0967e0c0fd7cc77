import type { ValueTest } from './values.ts';

/** A piece of a template: literal text, or the index of a pattern. */
export type Token = string | number;

/** One value per pattern; `undefined` where it is not known. */
export type Found = readonly (string | undefined)[];

/** How much may still be done, in characters that are tested; counted down by what uses it. */
export interface Work {
  left: number;
}

/** The work that the search in one text may take: a few milliseconds. Ordinary texts need some hundred. */
export const MOST_WORK = 50_000;

/** Longer texts are not searched. */
const LONGEST_SEARCHED = 4096;

/** What is known before a text is split. */
export interface Known {
  readonly found: Found;
  /** In the order of the patterns. */
  readonly tests: readonly ValueTest[];
  readonly work: Work;
}

/** Cuts a text such as `--from=<ip>` at the patterns in it. */
export function tokenize(text: string, patterns: readonly string[]): readonly Token[] {
  const tokens: Token[] = [];
  let literal = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const index = patterns.findIndex((name) => text.startsWith(`<${name}>`, at));
    if (index < 0) {
      at++;
      continue;
    }
    if (at > literal) tokens.push(text.slice(literal, at));
    tokens.push(index);
    at += (patterns[index]?.length ?? 0) + 2;
    literal = at;
  }
  if (literal < text.length) tokens.push(text.slice(literal));
  return tokens;
}

/** Is the text what the template gives with these values? */
export function renders(tokens: readonly Token[], values: readonly string[], text: string): boolean {
  let at = 0;
  for (const token of tokens) {
    const piece = typeof token === 'string' ? token : values[token];
    if (piece === undefined || !text.startsWith(piece, at)) return false;
    at += piece.length;
  }
  return at === text.length;
}

/**
 * The values from which a template gave a text: those found before, and the ones that follow. `none` if no values can
 * have given it, `several` if more than one set of values can have, or if it would be too much work to know. A single
 * unknown place is decided by what stands around it; with several, each value must be allowed by its pattern.
 */
export function split(template: readonly Token[], text: string, known: Known): Found | 'none' | 'several' {
  const { found } = known;
  if (template.length === 1) return splitAlone(template[0]!, text, found);
  const tokens = fill(template, found);
  const [first = ''] = tokens;
  const last = tokens.at(-1) ?? '';
  const unknown = tokens.filter((token) => typeof token === 'number');
  const [only] = unknown;
  if (only === undefined) return text === first ? found : 'none';
  if (unknown.length === 1) {
    const before = typeof first === 'string' ? first : '';
    const after = typeof last === 'string' ? last : '';
    if (!isBetween(text, before, after)) return 'none';
    return found.with(only, text.slice(before.length, text.length - after.length));
  }
  if (!holdsLiterals(tokens, text)) return 'none';
  if (text.length > LONGEST_SEARCHED) return 'several';
  return new Search(tokens, text, known).result();
}

/** Most arguments are nothing but literal text, or nothing but a pattern. */
function splitAlone(token: Token, text: string, found: Found): Found | 'none' {
  const wanted = typeof token === 'number' ? found[token] : token;
  if (wanted === text) return found;
  return typeof token === 'number' && wanted === undefined ? found.with(token, text) : 'none';
}

/** Known values become literal text, and neighbouring literals one. */
function fill(template: readonly Token[], found: Found): readonly Token[] {
  const tokens: Token[] = [];
  for (const token of template) {
    const piece = typeof token === 'number' ? (found[token] ?? token) : token;
    const before = tokens.at(-1);
    if (typeof piece === 'string' && typeof before === 'string') tokens[tokens.length - 1] = before + piece;
    else tokens.push(piece);
  }
  return tokens;
}

function isBetween(text: string, before: string, after: string): boolean {
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

/** Do the literals stand in the text one after the other, the outer ones at its ends? */
function holdsLiterals(tokens: readonly Token[], text: string): boolean {
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    if (typeof token !== 'string') continue;
    const isLast = index === tokens.length - 1;
    const place = isLast ? text.length - token.length : index === 0 ? 0 : text.indexOf(token, at);
    if (place < at || !text.startsWith(token, place)) return false;
    at = place + token.length;
  }
  return true;
}

/** Looks for two different ways to cut the text; most often there is one. */
class Search {
  readonly #tokens: readonly Token[];
  readonly #text: string;
  readonly #tests: readonly ValueTest[];
  readonly #current: (string | undefined)[];
  readonly #work: Work;
  /** Places (token and offset) from which there is no way to the end; null where that depends on the way there. */
  readonly #deadEnds: Set<number> | null;
  readonly #ways: Found[] = [];

  constructor(tokens: readonly Token[], text: string, { found, tests, work }: Known) {
    this.#tokens = tokens;
    this.#text = text;
    this.#tests = tests;
    this.#work = work;
    this.#current = [...found];
    const unknown = tokens.filter((token) => typeof token === 'number');
    this.#deadEnds = new Set(unknown).size === unknown.length ? new Set() : null;
  }

  result(): Found | 'none' | 'several' {
    this.#walk(0, 0);
    if (this.#work.left < 0 || this.#ways.length > 1) return 'several';
    return this.#ways[0] ?? 'none';
  }

  #walk(index: number, at: number): void {
    const place = index * (this.#text.length + 1) + at;
    this.#work.left--;
    if (this.#isOver || this.#deadEnds?.has(place)) return;
    const before = this.#ways.length;
    const token = this.#tokens[index];
    const literal = typeof token === 'number' ? this.#current[token] : token;
    if (literal !== undefined) {
      if (this.#text.startsWith(literal, at)) this.#walk(index + 1, at + literal.length);
    } else if (typeof token === 'number') this.#walkThrough(token, index, at);
    else if (at === this.#text.length) this.#ways.push([...this.#current]);
    if (this.#ways.length === before) this.#deadEnds?.add(place);
  }

  #walkThrough(pattern: number, index: number, at: number): void {
    for (const end of this.#ends(this.#tokens[index + 1], at)) {
      const value = this.#text.slice(at, end);
      this.#work.left -= value.length + 1;
      if (this.#isOver) break;
      if (this.#tests[pattern]?.(value) !== true) continue;
      this.#current[pattern] = value;
      this.#walk(index + 1, end);
    }
    this.#current[pattern] = undefined;
  }

  /** Where a value can end that begins at `at` and is followed by a token, or by the end of the text. */
  *#ends(next: Token | undefined, at: number): Generator<number> {
    const text = this.#text;
    const literal = typeof next === 'number' ? this.#current[next] : next;
    if (next === undefined) yield text.length;
    else if (literal !== undefined && literal !== '') {
      for (let end = text.indexOf(literal, at); end >= 0; end = text.indexOf(literal, end + 1)) yield end;
    } else {
      // Never within a pair of surrogates.
      for (let end = at; end <= text.length; end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1) yield end;
    }
  }

  get #isOver(): boolean {
    return this.#work.left < 0 || this.#ways.length > 1;
  }
}
