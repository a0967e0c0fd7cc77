/** What is wanted of a line. */
export interface ShapeOptions {
  /** Paths of texts, numbers, booleans and nulls. Of all else it is only made sure that it is sound. */
  readonly wanted: readonly (readonly string[])[];
  /**
   * Paths of objects whose members vary from line to line, such as headers, and are texts. One member of each may be
   * wanted; a line that has it in another case, twice, or with escapes has no known shape.
   */
  readonly maps: readonly (readonly string[])[];
}

/** A member that was read. */
export type Member = string | number | boolean | null;

/** A line that was read. */
export interface ShapedLine {
  /** Of a place in `wanted`; undefined if the line has no such member. */
  member(place: number): Member | undefined;
}

/** The inside of a string, and a number, as RFC 8259 has them. No text fits in more than one way. */
const TEXT = '[^"\\\\\\x00-\\x1f]*(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\\\\x00-\\x1f]*)*';
const NUMBER = '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?';
const WORD = 'true|false|null';
const PLAIN_TEXT = '[^"\\\\\\x00-\\x1f]*';
const MAP = `\\{(?:"${TEXT}":"${TEXT}"(?:,"${TEXT}":"${TEXT}")*)?\\}`;

/** Shapes that are tried on a line, and characters of a line that is tried. */
const MOST_SHAPES = 12;
const LONGEST = 32 * 1024;
const DEEPEST = 8;
const MOST_MEMBERS = 64;
/** Lines over which it is looked at whether shapes are of use, and of how many of them the shape is learned at most. */
const TRIAL = 2_000;
const MOST_LEARNED = 32;

/**
 * Reads a few members of JSON lines that look alike, some three times as fast as `JSON.parse` reads them whole: from a
 * line that was parsed it learns a regular expression for all lines with the same names in the same order. What it reads
 * is what `JSON.parse` would have given, and a line that is no JSON fits none of its expressions.
 */
export class ShapeReader {
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #maps: ReadonlySet<string>;
  /** The most useful first, roughly. */
  #shapes: Shape[] = [];
  /** Lines since it was last looked at whether this is of use: all, read ones, and learned ones. */
  #lines = 0;
  #found = 0;
  #learned = 0;
  /** Lines that are left alone. */
  #rest = 0;

  constructor({ wanted, maps }: ShapeOptions) {
    this.#wanted = new Map(wanted.map((path, place) => [pathText(path), place]));
    this.#maps = new Set(maps.map(pathText));
  }

  /** The wanted members of a line that has a known shape, good until the next one is read; null for any other line. */
  read(line: string): ShapedLine | null {
    if (this.#rest > 0) {
      this.#rest -= 1;
      return null;
    }
    if (line.length > LONGEST) return null;
    if (++this.#lines > TRIAL) this.#judge();
    const shapes = this.#shapes;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index]!;
      if (!shape.fits(line)) continue;
      this.#found += 1;
      if (index > 0) {
        shapes[index] = shapes[index - 1]!;
        shapes[index - 1] = shape;
      }
      return shape;
    }
    return null;
  }

  /** Learns the shape of a line that `JSON.parse` took, and `read` did not know. */
  learn(line: string): void {
    if (this.#rest > 0 || line.length > LONGEST || this.#learned === MOST_LEARNED) return;
    this.#learned += 1;
    const shape = new Learner(line, this.#wanted, this.#maps).shape();
    if (!shape) return;
    if (this.#shapes.length >= MOST_SHAPES) this.#shapes.pop();
    this.#shapes.push(shape);
  }

  /** Where lines are all different, to try costs more than it saves: then they are left alone for a while. */
  #judge(): void {
    if (this.#found < TRIAL / 2) {
      this.#rest = 20 * TRIAL;
      this.#shapes = [];
    }
    this.#lines = 0;
    this.#found = 0;
    this.#learned = 0;
  }
}

type Kind = 'text' | 'number' | 'word';

/** A wanted member in the expression of a shape. */
interface Slot {
  readonly place: number;
  readonly kind: Kind;
}

class Shape implements ShapedLine {
  readonly #pattern: RegExp;
  /** By place: the number of the group, 0 for none, and what it holds. */
  readonly #groups: Uint8Array;
  readonly #kinds: readonly Kind[];
  #match: RegExpExecArray | null = null;

  constructor(pattern: string, slots: readonly Slot[], places: number) {
    this.#pattern = new RegExp(`^${pattern}$`);
    this.#groups = new Uint8Array(places);
    const kinds = new Array<Kind>(places).fill('text');
    for (const [index, { place, kind }] of slots.entries()) {
      this.#groups[place] = index + 1;
      kinds[place] = kind;
    }
    this.#kinds = kinds;
  }

  fits(line: string): boolean {
    this.#match = this.#pattern.exec(line);
    return this.#match !== null;
  }

  member(place: number): Member | undefined {
    const group = this.#groups[place]!;
    if (group === 0) return undefined;
    const text = this.#match![group]!;
    if (this.#kinds[place] !== 'text') return JSON.parse(text) as Member;
    // Most are without any escape.
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }
}

function pathText(path: readonly string[]): string {
  return JSON.stringify(path);
}

const STRING = new RegExp(`"${TEXT}"`, 'y');
const BARE = new RegExp(`(?:${NUMBER}|${WORD})(?=[,}])`, 'y');
const WHOLE_MAP = new RegExp(MAP, 'y');
const PLAIN = /^[A-Za-z0-9_. @:-]{1,64}$/;

/** Makes the expression for lines like one. */
class Learner {
  readonly #line: string;
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #maps: ReadonlySet<string>;
  readonly #slots: Slot[] = [];
  #pattern = '';
  #at = 0;
  #members = 0;

  constructor(line: string, wanted: ReadonlyMap<string, number>, maps: ReadonlySet<string>) {
    this.#line = line;
    this.#wanted = wanted;
    this.#maps = maps;
  }

  /** Null if the line is not an object, holds lists, or is not written as a program does that writes no blanks. */
  shape(): Shape | null {
    if (this.#line[0] !== '{' || !this.#object([]) || this.#at !== this.#line.length) return null;
    return new Shape(this.#pattern, this.#slots, this.#wanted.size);
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
      this.#pattern += `"${name.replace(/[.-]/g, '\\$&')}":`;
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
    if (first === '"') {
      // It could be taken for the text of one.
      if (this.#maps.has(pathText(path))) return false;
      this.#pattern += `"${this.#group(TEXT, path, 'text')}"`;
      return this.#take(STRING) !== null;
    }
    const bare = this.#take(BARE);
    if (bare === null) return false;
    const isWord = /^[tfn]/.test(bare);
    this.#pattern += this.#group(isWord ? WORD : NUMBER, path, isWord ? 'word' : 'number');
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
    if (name === undefined) this.#pattern += MAP;
    else return this.#mapWith(path, name, this.#line.slice(begin, this.#at));
    return true;
  }

  /** A map of which a member is wanted: all pairs before and behind it, and all of a map without it, have other names. */
  #mapWith(path: readonly string[], name: string, text: string): boolean {
    const literal = name.replace(/[.-]/g, '\\$&');
    const anyCase = literal.replace(/[A-Za-z]/g, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
    const other = `"(?!${anyCase}":)${PLAIN_TEXT}":"${TEXT}"`;
    const group = this.#group(PLAIN_TEXT, [...path, name], 'text');
    const having = `\\{(?:${other},)*"${literal}":"${group}"(?:,${other})*\\}`;
    const lacking = `\\{(?:${other}(?:,${other})*)?\\}`;
    const has = new RegExp(`^${having}$`).test(text);
    if (!has) {
      this.#slots.pop();
      if (!new RegExp(`^${lacking}$`).test(text)) return false;
    }
    this.#pattern += has ? having : lacking;
    return true;
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
