import { type Kind, type Pattern, pathText, patternOf, type Slot } from './json-pattern.ts';

/** What is wanted of a line. */
export interface ShapeOptions {
  /** Paths of texts, numbers, booleans and nulls. Of all else it is only made sure that it is sound. */
  readonly wanted: readonly (readonly string[])[];
  /**
   * Paths of objects whose members vary from line to line, such as headers, and are texts. One member of each may be
   * wanted; a line that has it in another case, twice, or with escapes has no known shape.
   */
  readonly maps: readonly (readonly string[])[];
  /** What kind of line it is: those of one are likely to have the same shape. */
  readonly kindOf?: (line: string) => string;
}

/** A member that was read; undefined if the line has none. */
export type Member = string | number | boolean | null | undefined;

/** Shapes that are tried on a line, and characters of a line that is tried. */
const MOST_SHAPES = 12;
const LONGEST = 32 * 1024;
/** Kinds of lines of which it is kept what shape the last one had. */
const MOST_KINDS = 64;
/** Lines over which it is looked at whether shapes are of use, and of how many of them the shape is learned at most. */
const TRIAL = 2_000;
const MOST_LEARNED = 32;
/** Lines of one shape after which it is learned what they have in common, and after which it is looked at again. */
const FIRST_LINES = 16;
const MORE_LINES = 100_000;

/**
 * Reads a few members of JSON lines that look alike, some four times as fast as `JSON.parse` reads them whole: from a
 * line that was parsed it learns a regular expression for all lines with the same names in the same order. What it reads
 * is what `JSON.parse` would have given, and a line that is no JSON fits none of its expressions.
 */
export class ShapeReader {
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #maps: ReadonlySet<string>;
  readonly #kindOf: (line: string) => string;
  /** The most useful first, roughly. */
  #shapes: Shape[] = [];
  /** By the kind of line: what the last one of that kind had. */
  readonly #last = new Map<string, Shape>();
  /** Lines since it was last looked at whether this is of use: all, read ones, and learned ones. */
  #lines = 0;
  #found = 0;
  #learned = 0;
  /** Lines that are left alone. */
  #rest = 0;

  constructor({ wanted, maps, kindOf = () => '' }: ShapeOptions) {
    this.#kindOf = kindOf;
    this.#wanted = new Map(wanted.map((path, place) => [pathText(path), place]));
    this.#maps = new Set(maps.map(pathText));
  }

  /**
   * The wanted members of a line that has a known shape, in their order and good until the next one is read; null for any
   * other line.
   */
  read(line: string): readonly Member[] | null {
    if (this.#rest > 0) {
      this.#rest -= 1;
      return null;
    }
    if (line.length > LONGEST) return null;
    if (++this.#lines > TRIAL) this.#judge();
    // Where there is one only, it is tried anyway.
    const kind = this.#shapes.length > 1 ? this.#kindOf(line) : null;
    const last = kind === null ? undefined : this.#last.get(kind);
    const shape = last?.fits(line) ? last : this.#find(line, kind, last);
    if (!shape) return null;
    this.#found += 1;
    if (shape.lines === 0) return this.#relearned(shape, line).members();
    shape.lines -= 1;
    return shape.members();
  }

  #find(line: string, kind: string | null, last: Shape | undefined): Shape | null {
    const shapes = this.#shapes;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index]!;
      if (shape === last || !shape.fits(line)) continue;
      if (index > 0) {
        shapes[index] = shapes[index - 1]!;
        shapes[index - 1] = shape;
      }
      if (this.#last.size >= MOST_KINDS) this.#last.clear();
      if (kind !== null) this.#last.set(kind, shape);
      return shape;
    }
    return null;
  }

  /** Learns the shape of a line that `JSON.parse` took, and `read` did not know. */
  learn(line: string): void {
    if (this.#rest > 0 || line.length > LONGEST || this.#learned === MOST_LEARNED) return;
    this.#learned += 1;
    const shape = this.#shapeOf(line, null);
    if (!shape) return;
    if (this.#shapes.length >= MOST_SHAPES) this.#forget(this.#shapes.pop()!);
    this.#shapes.push(shape);
  }

  /** A shape that goes by what this line has in common with the one that it was learned from. */
  #relearned(before: Shape, line: string): Shape {
    const shape = this.#shapeOf(line, before.line);
    before.lines = MORE_LINES;
    if (!shape?.fits(line)) return before;
    shape.lines = MORE_LINES;
    this.#shapes[this.#shapes.indexOf(before)] = shape;
    this.#forget(before);
    return shape;
  }

  #forget(shape: Shape): void {
    for (const [kind, last] of this.#last) if (last === shape) this.#last.delete(kind);
  }

  #shapeOf(line: string, like: string | null): Shape | null {
    const found = patternOf({ line, like, wanted: this.#wanted, maps: this.#maps });
    return found && new Shape(line, found, this.#wanted.size);
  }

  /** Where lines are all different, to try costs more than it saves: then they are left alone for a while. */
  #judge(): void {
    if (this.#found < TRIAL / 2) {
      this.#rest = 20 * TRIAL;
      this.#shapes = [];
      this.#last.clear();
    }
    this.#lines = 0;
    this.#found = 0;
    this.#learned = 0;
  }
}

class Shape {
  /** What it was learned from. */
  readonly line: string;
  /** So many more lines until it is learned again. */
  lines = FIRST_LINES;
  readonly #pattern: RegExp;
  /** What the groups hold. */
  readonly #slots: readonly Slot[];
  readonly #members: Member[];
  #match: RegExpExecArray | null = null;

  constructor(line: string, { pattern, slots }: Pattern, places: number) {
    this.line = line;
    this.#pattern = new RegExp(`^${pattern}$`);
    this.#slots = slots;
    this.#members = new Array<Member>(places).fill(undefined);
  }

  fits(line: string): boolean {
    this.#match = this.#pattern.exec(line);
    return this.#match !== null;
  }

  /** Of the line that fitted last. */
  members(): readonly Member[] {
    const slots = this.#slots;
    const match = this.#match!;
    for (let index = 0; index < slots.length; index++) {
      const { place, kind } = slots[index]!;
      this.#members[place] = memberOf(match[index + 1]!, kind);
    }
    return this.#members;
  }
}

function memberOf(text: string, kind: Kind): Member {
  switch (kind) {
    case 'text':
      return text;
    case 'escaped':
      return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
    case 'number':
      return Number(text);
    case 'word':
      return text === 'null' ? null : text === 'true';
  }
}
