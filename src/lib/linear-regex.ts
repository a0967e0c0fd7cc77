import { type Accepts, isWord } from './regex-sets.ts';
import { type Assertion, parseRegex, type Regex } from './regex-syntax.ts';

/**
 * A regular expression that is matched in time linear to the text. You would want it where the expression comes from a
 * configuration that was written for such an engine (Rust's, RE2), and the text from a stranger: with the engine of
 * JavaScript, a text of forty characters can keep `(a+)+b` busy for hours.
 */
export interface LinearRegex {
  /**
   * Every `end`, ascending, for which the expression matches all of `text.slice(from, end)`, where `end` is at most `to`.
   * What stands beside the slice is unknown: `^`, `$`, `\b` and `\B` hold at its edges.
   * Null if `work.left` (about one unit per character and state) was used up.
   */
  ends(text: string, from: number, to: number, work: Work): readonly number[] | null;
}

/** How much may still be done; counted down by what uses it. */
export interface Work {
  left: number;
}

/** Compiles it; null if it uses syntax that is not known here, or grows beyond two thousand states. */
export function compileLinear(source: string): LinearRegex | null {
  const regex = parseRegex(source);
  if (regex === null) return null;
  const program: Instruction[] = [];
  if (!emit(regex, program)) return null;
  program.push({ type: 'match' });
  return { ends: (text, from, to, work) => new Matching(program, text, work).ends(from, to) };
}

/** Instructions of Thompson's machine: each goes on at the next one, except for `jump`. */
type Instruction =
  | { readonly type: 'char'; readonly accepts: Accepts }
  | { readonly type: 'assert'; readonly kind: Assertion }
  | { readonly type: 'jump'; readonly targets: readonly number[] }
  | { readonly type: 'match' };

const mostStates = 2000;

/** Appends the instructions of a regex; false if there are too many. */
function emit(regex: Regex, program: Instruction[]): boolean {
  if (program.length >= mostStates) return false;
  if (regex.type === 'char') program.push({ type: 'char', accepts: withTable(regex.accepts) });
  else if (regex.type === 'assert') program.push(regex);
  else if (regex.type === 'sequence') return emitSequence(regex.parts, program);
  else if (regex.type === 'choice') return emitChoice(regex.parts, program);
  else return emitRepeat(regex, program);
  return true;
}

function emitSequence(parts: readonly Regex[], program: Instruction[]): boolean {
  // Even nothing takes a place: else a repeated nothing could keep the loops below busy without an end.
  if (parts.length === 0) program.push({ type: 'jump', targets: [program.length + 1] });
  return parts.every((part) => emit(part, program));
}

function emitChoice(parts: readonly Regex[], program: Instruction[]): boolean {
  const fork = program.push({ type: 'match' }) - 1;
  const starts: number[] = [];
  const exits: number[] = [];
  for (const part of parts) {
    starts.push(program.length);
    if (!emit(part, program)) return false;
    exits.push(program.push({ type: 'match' }) - 1);
  }
  program[fork] = { type: 'jump', targets: starts };
  for (const exit of exits) program[exit] = { type: 'jump', targets: [program.length] };
  return true;
}

function emitRepeat({ part, least, most }: Regex & { type: 'repeat' }, program: Instruction[]): boolean {
  for (let count = 0; count < least; count++) if (!emit(part, program)) return false;
  if (most === Number.POSITIVE_INFINITY) {
    const fork = program.push({ type: 'match' }) - 1;
    if (!emit(part, program)) return false;
    program.push({ type: 'jump', targets: [fork] });
    program[fork] = { type: 'jump', targets: [fork + 1, program.length] };
    return true;
  }
  const forks: number[] = [];
  for (let count = least; count < most; count++) {
    forks.push(program.push({ type: 'match' }) - 1);
    if (!emit(part, program)) return false;
  }
  for (const fork of forks) program[fork] = { type: 'jump', targets: [fork + 1, program.length] };
  return true;
}

/** Most text is ASCII: its 128 answers are worked out beforehand. */
function withTable(accepts: Accepts): Accepts {
  const table = Uint8Array.from({ length: 128 }, (_, codePoint) => Number(accepts(codePoint)));
  return (codePoint) => (codePoint < 128 ? table[codePoint] === 1 : accepts(codePoint));
}

/** One run of a program over a text. */
class Matching {
  readonly #program: readonly Instruction[];
  readonly #text: string;
  readonly #work: Work;
  /** Per instruction: the round in which it was reached last. */
  readonly #reached: Uint32Array;
  readonly #hasAssertions: boolean;
  #round = 0;

  constructor(program: readonly Instruction[], text: string, work: Work) {
    this.#program = program;
    this.#text = text;
    this.#work = work;
    this.#reached = new Uint32Array(program.length);
    this.#hasAssertions = program.some(({ type }) => type === 'assert');
  }

  ends(from: number, to: number): readonly number[] | null {
    const ends: number[] = [];
    let states: readonly number[] = [0];
    let at = from;
    // A slice that ends within a pair of surrogates is none.
    while (states.length > 0 && at <= to) {
      const here = this.#reach(states, { from, at, isEnd: !this.#hasAssertions });
      const ending = this.#hasAssertions ? this.#reach(states, { from, at, isEnd: true }) : here;
      if (ending.some((state) => this.#program[state]?.type === 'match')) ends.push(at);
      if (this.#work.left < 0) return null;
      const codePoint = this.#text.codePointAt(at);
      if (codePoint === undefined) break;
      states = this.#step(here, codePoint);
      at += codePoint > 0xffff ? 2 : 1;
    }
    return ends;
  }

  /** The states after one character. */
  #step(states: readonly number[], codePoint: number): readonly number[] {
    const next: number[] = [];
    for (const state of states) {
      const instruction = this.#program[state];
      if (instruction?.type === 'char' && instruction.accepts(codePoint)) next.push(state + 1);
    }
    return next;
  }

  /** All states that can be reached from these without reading a character. */
  #reach(states: readonly number[], place: Place): readonly number[] {
    this.#round++;
    const found: number[] = [];
    const waiting = [...states];
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      this.#work.left--;
      if (this.#reached[state] === this.#round) continue;
      this.#reached[state] = this.#round;
      const instruction = this.#program[state];
      if (instruction?.type === 'jump') waiting.push(...instruction.targets);
      else if (instruction?.type !== 'assert') found.push(state);
      else if (this.#holds(instruction.kind, place)) waiting.push(state + 1);
    }
    return found;
  }

  #holds(kind: Assertion, { from, at, isEnd }: Place): boolean {
    if (kind === 'start') return at === from;
    if (kind === 'end') return isEnd;
    if (at === from || isEnd) return true;
    const isBetween = isWord(this.#before(at)) !== isWord(this.#text.codePointAt(at) ?? 0);
    return isBetween === (kind === 'word');
  }

  #before(at: number): number {
    const low = this.#text.charCodeAt(at - 1);
    const isPair = at > 1 && low >= 0xdc00 && low <= 0xdfff;
    return (isPair ? this.#text.codePointAt(at - 2) : undefined) ?? low;
  }
}

interface Place {
  readonly from: number;
  readonly at: number;
  readonly isEnd: boolean;
}
