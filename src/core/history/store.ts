import { RunFile } from './runs.ts';

/** Numbers of one series in one step. */
export interface Step {
  readonly step: number;
  readonly values: Float64Array;
}

/** How the numbers of a step that come one after the other become one: puts `more` into `into`, from place `at` on. */
export type Combine = (into: Float64Array, more: Float64Array, at: number) => void;

export interface StepStoreOptions {
  /** How the numbers of a series are put together. */
  readonly combine: (series: number) => Combine;
  /** Where to put what does not fit in memory. */
  readonly folder: string;
  /** Bytes that are kept in memory, more or less; 8 MiB unless told otherwise. */
  readonly memory?: number;
}

const MEMORY = 8 * 1024 * 1024;
/** Bytes that a step and a series take beside their numbers. */
const STEP_BYTES = 48;
const SERIES_BYTES = 400;

/**
 * Numbers by series and step, given in any order and taken back in theirs. What does not fit in memory lies in a temporary
 * file meanwhile. A series has the same amount of numbers in each step.
 */
export class StepStore {
  readonly #combine: (series: number) => Combine;
  readonly #most: number;
  readonly #runs: RunFile;
  #memory = new Map<number, Column>();
  #bytes = 0;

  constructor({ combine, folder, memory = MEMORY }: StepStoreOptions) {
    this.#combine = combine;
    this.#most = memory;
    this.#runs = new RunFile(folder);
  }

  add(series: number, { step, values }: Step): void {
    let column = this.#memory.get(series);
    if (!column) {
      column = new Column(values.length);
      this.#memory.set(series, column);
      this.#bytes += SERIES_BYTES;
    }
    if (column.add(step, values, this.#combine(series))) this.#bytes += STEP_BYTES + values.byteLength;
  }

  /** Brings to disk what is too much for memory; throws if that is full. */
  relieve(): void {
    if (this.#bytes < this.#most) return;
    for (const [series, column] of this.#memory) this.#runs.write(series, column.rows());
    this.#memory = new Map();
    this.#bytes = 0;
  }

  /** The steps of a series in their order, as they are when the first one is asked for. */
  *steps(series: number): Generator<Step> {
    const combine = this.#combine(series);
    const waiting = this.#runs.of(series);
    const column = this.#memory.get(series);
    if (column) waiting.push(column.rows());
    waiting.sort((one, other) => other.first - one.first);
    // Only runs that overlap are looked at together: as a rule there is one.
    let active: Cursor[] = [];
    for (;;) {
      let step = Math.min(...active.map((cursor) => cursor.step));
      for (let next = waiting.at(-1); next && next.first <= step; next = waiting.at(-1)) {
        active.push(new Cursor(next));
        step = next.first;
        waiting.pop();
      }
      if (active.length === 0) return;
      let values: Float64Array | null = null;
      for (const cursor of active) {
        if (cursor.step !== step) continue;
        if (values) combine(values, cursor.values(), 0);
        else values = cursor.values();
        cursor.next();
      }
      if (active.some((cursor) => cursor.step === Number.POSITIVE_INFINITY)) {
        active = active.filter((cursor) => cursor.step < Number.POSITIVE_INFINITY);
      }
      if (values) yield { step, values };
    }
  }

  close(): void {
    this.#runs.close();
    this.#memory.clear();
  }
}

/** Steps of one series in their order: rows of the step and its numbers. */
export interface Run {
  readonly first: number;
  readonly rows: number;
  /** Numbers of a row. */
  readonly width: number;
  /** Some rows from this one on, at least one. */
  read(row: number): Float64Array;
}

/** Looks at one row of a run after the other. */
class Cursor {
  /** Infinity behind the last one. */
  step: number;
  readonly #run: Run;
  #row = 0;
  #read: Float64Array;
  #at = 0;

  constructor(run: Run) {
    this.#run = run;
    this.#read = run.read(0);
    this.step = run.first;
  }

  /** A copy. */
  values(): Float64Array {
    return this.#read.slice(this.#at + 1, this.#at + this.#run.width);
  }

  next(): void {
    this.#row += 1;
    this.#at += this.#run.width;
    if (this.#row === this.#run.rows) {
      this.step = Number.POSITIVE_INFINITY;
      return;
    }
    if (this.#at === this.#read.length) {
      this.#read = this.#run.read(this.#row);
      this.#at = 0;
    }
    this.step = this.#read[this.#at]!;
  }
}

/** The steps of one series that are in memory. */
class Column {
  readonly #width: number;
  /** Which place a step has. */
  readonly #places = new Map<number, number>();
  #numbers: Float64Array;

  constructor(width: number) {
    this.#width = width;
    this.#numbers = new Float64Array(4 * width);
  }

  /** True if the step is a new one. */
  add(step: number, values: Float64Array, combine: Combine): boolean {
    const known = this.#places.get(step);
    if (known !== undefined) {
      combine(this.#numbers, values, known * this.#width);
      return false;
    }
    const place = this.#places.size;
    this.#places.set(step, place);
    if ((place + 1) * this.#width > this.#numbers.length) {
      const more = new Float64Array(2 * this.#numbers.length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers.set(values, place * this.#width);
    return true;
  }

  rows(): Run {
    const width = this.#width + 1;
    const steps = Float64Array.from(this.#places.keys()).sort();
    const rows = new Float64Array(steps.length * width);
    for (let row = 0; row < steps.length; row++) {
      const from = this.#places.get(steps[row]!)! * this.#width;
      rows[row * width] = steps[row]!;
      rows.set(this.#numbers.subarray(from, from + this.#width), row * width + 1);
    }
    return { first: steps[0]!, rows: steps.length, width, read: (row) => rows.subarray(row * width) };
  }
}
