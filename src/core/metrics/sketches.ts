import type { Cell, SavedCells } from '../cells.ts';
import type { DistinctSeries, TopSeries } from './handles.ts';
import { type Label, suffixLabels, suffixText, withLabel } from './labels.ts';
import { DistinctValues } from './sketch/distinct.ts';
import { hashText, type Seed } from './sketch/hash.ts';
import { TopValues } from './sketch/top.ts';
import type { Piece } from './sketch/window.ts';

/** Sketches that one metric may have; what comes after shares one with all labels `other`. */
export const SKETCH_LIMIT = 200;

/** The most frequent values of what these labels say. */
export interface Frequent {
  readonly labels: readonly Label[];
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

/** Counts the values of one set of labels, over a window of time. */
interface Sketch {
  changes(): Iterable<Piece>;
  restore(pieces: Iterable<Piece>): void;
  /** What is shown: label texts and values. */
  rows(text: string, now: number): Iterable<readonly [text: string, value: number]>;
  /** Number of rows that are shown. */
  count(now: number): number;
  /** Whether nothing is left in the window. */
  isEmpty(now: number): boolean;
  /** The most by which a shown value may be too high. */
  error(now: number): number;
  /** Up to n values that are shown, the most frequent first. */
  frequent(n: number, now: number): Frequent['values'];
}

/** The clock of who adds to sketches, in milliseconds since 1970. */
interface Clock {
  readonly time: number;
}

/** What is asked of the registry when something is taken back. */
interface Restoring extends Clock {
  isOwner(owner: string): boolean;
}

/** Where it is noted that something was added. */
interface Note {
  dirty: boolean;
}

/** A sketch with the kept text of its labels. */
export interface Labelled<S> {
  readonly owner: string;
  readonly text: string;
  readonly sketch: S;
}

/** The sketches of one metric, by the kept text of their labels; `S` is the kind of them. */
export class Sketches<S extends Sketch = Sketch> {
  /** Whether anything may have been added since it was last taken. */
  dirty = false;
  /** Number of rows, and of errors, when they were last counted. */
  shown = 0;
  shownErrors = 0;
  readonly #make: () => S;
  readonly #sketches = new Map<string, Labelled<S>>();
  /** Names of what is on disk and of no use any more. */
  #gone: Cell[] = [];

  constructor(make: () => S) {
    this.#make = make;
  }

  /** The sketch with these labels, or, where there are too many, the one that stands for all others. */
  get(owner: string, labels: readonly Label[], others: readonly Label[]): Labelled<S> {
    const text = suffixText(labels);
    const known = this.#sketches.get(text);
    if (known) return known;
    if (this.#sketches.size >= SKETCH_LIMIT && labels !== others) return this.get(owner, others, others);
    const made = { owner, text, sketch: this.#make() };
    this.#sketches.set(text, made);
    this.dirty = true;
    return made;
  }

  /** What is shown of all of them: label texts and values. */
  *rows(now: number): Generator<readonly [text: string, value: number]> {
    for (const [text, { sketch }] of this.#sketches) yield* sketch.rows(text, now);
  }

  /** By how much values may be too high, for those sketches that are not exact. */
  *errors(now: number): Generator<readonly [text: string, value: number]> {
    for (const [text, { sketch }] of this.#sketches) {
      const error = sketch.error(now);
      if (error > 0) yield [text, error];
    }
  }

  /** The first rows of each sketch that has any: its own labels, and values with their counts. */
  *frequent(n: number, now: number): Generator<Frequent> {
    for (const [text, { sketch }] of this.#sketches) {
      const values = sketch.frequent(n, now);
      if (values.length > 0) yield { labels: suffixLabels(text, 'allow-utf-8'), values };
    }
  }

  /** Counts what is shown now: at each event, that would cost too much. */
  recount(now: number): void {
    this.shown = 0;
    this.shownErrors = 0;
    for (const { sketch } of this.#sketches.values()) {
      this.shown += sketch.count(now);
      if (sketch.error(now) > 0) this.shownErrors += 1;
    }
  }

  /** What changed since it was last taken. */
  *take(name: string): Generator<Cell> {
    if (!this.dirty) return;
    this.dirty = false;
    yield* this.#gone;
    this.#gone = [];
    for (const [text, { owner, sketch }] of this.#sketches) {
      for (const [key, value] of sketch.changes()) yield [['sketch', name, owner, text, key], value];
    }
  }

  /**
   * Takes back what was saved for owners that are there. Of what has left the window by now nothing is kept: labels that
   * nobody asks for any more would take the room of others.
   */
  restore(saved: SavedCells, name: string, there: Restoring): void {
    const pieces = new Map<string, { readonly owner: string; readonly pieces: Piece[] }>();
    for (const [[owner, text, key], value] of saved.under('sketch', name)) {
      if (!there.isOwner(String(owner))) continue;
      const found = pieces.get(String(text)) ?? { owner: String(owner), pieces: [] };
      pieces.set(String(text), found);
      found.pieces.push([String(key), value]);
    }
    for (const [text, { owner, pieces: all }] of pieces) {
      const sketch = this.#make();
      sketch.restore(all);
      if (!sketch.isEmpty(there.time)) {
        this.#sketches.set(text, { owner, text, sketch });
        continue;
      }
      for (const [key] of all) this.#gone.push([['sketch', name, owner, text, key], undefined]);
      this.dirty = true;
    }
  }
}

/** The most frequent values. */
export class TopSketch implements Sketch {
  readonly #values = new TopValues();
  /** The label that holds the value. */
  readonly #holder: string;
  /** Values that are shown. */
  #n = 0;

  constructor(holder = 'value') {
    this.#holder = holder;
  }

  /** The label text of a value, where the sketch has this one. */
  rowText(text: string, value: string): string {
    return withLabel(text, [this.#holder, value]);
  }

  /** A kept way to it; from now on `n` values are shown. */
  series(n: number, clock: Clock, note: Note): TopSeries {
    const values = this.#values;
    this.#n = n;
    return {
      track: (value) => values.track(value),
      add: (entry, time, times) => {
        values.addTracked(entry, time ?? clock.time, clock.time, times);
        note.dirty = true;
      },
    };
  }

  changes(): Iterable<Piece> {
    return this.#values.changes();
  }

  restore(pieces: Iterable<Piece>): void {
    this.#values.restore(pieces);
  }

  *rows(text: string, now: number): Generator<readonly [text: string, value: number]> {
    if (this.#n === 0) return;
    for (const { value, count } of this.#values.top(this.#n, now)) yield [this.rowText(text, value), count];
  }

  frequent(n: number, now: number): Frequent['values'] {
    return this.#values.top(Math.min(n, this.#n), now).map(({ value, count }) => ({ value, count }));
  }

  count(now: number): number {
    return Math.min(this.#n, this.#values.size(now));
  }

  isEmpty(now: number): boolean {
    return this.#values.size(now) === 0;
  }

  error(now: number): number {
    // Most are exact, and that is quickly known.
    return this.#n === 0 || this.#values.floor(now) === 0
      ? 0
      : Math.max(0, ...this.#values.top(this.#n, now).map(({ error }) => error));
  }
}

/** The number of different values. */
export class DistinctSketch implements Sketch {
  readonly #values: DistinctValues;
  #isShown = false;

  constructor(seed: Seed) {
    this.#values = new DistinctValues({ seed });
  }

  /** A kept way to it; from now on it is shown. */
  series(clock: Clock, note: Note): DistinctSeries {
    const values = this.#values;
    const { seed } = values;
    this.#isShown = true;
    return {
      hash: (value) => hashText(value, seed),
      add: (hash, time) => {
        values.add(hash, time ?? clock.time, clock.time);
        note.dirty = true;
      },
      absorb: (others, time) => {
        values.absorb(others, time ?? clock.time, clock.time);
        note.dirty = true;
      },
    };
  }

  changes(): Iterable<Piece> {
    return this.#values.changes();
  }

  restore(pieces: Iterable<Piece>): void {
    this.#values.restore(pieces);
  }

  count(now: number): number {
    return this.#isShown && !this.isEmpty(now) ? 1 : 0;
  }

  isEmpty(now: number): boolean {
    return this.#values.count(now) === 0;
  }

  *rows(text: string, now: number): Generator<readonly [text: string, value: number]> {
    const count = this.#isShown ? this.#values.count(now) : 0;
    if (count > 0) yield [text, count];
  }

  error(): number {
    return 0;
  }

  frequent(): Frequent['values'] {
    return [];
  }
}
