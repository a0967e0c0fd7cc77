import type { MetricDef } from '../metrics/define.ts';
import { type Label, labelText } from '../metrics/labels.ts';
import { allOther, declared, givenUp, type LabelSet, roomFor } from '../metrics/rows.ts';
import type { Sink, Staged } from '../metrics/stage.ts';
import { type Combine, type Step, StepStore, type StepStoreOptions } from './store.ts';

/** A series of the past. */
export interface PastSeries {
  readonly number: number;
  readonly def: MetricDef;
  /** Between the braces. */
  readonly labels: string;
}

export interface PastOptions extends Omit<StepStoreOptions, 'combine'> {
  /** Most series of a metric, not counting those that take what is over it. */
  readonly limitOf: (def: MetricDef) => number;
  /** Most series of all metrics together; any number, if left out. */
  readonly most?: number;
}

/** What was counted, by metric, series and step; of `maximum` metrics, by minute. */
export class Past {
  readonly #store: StepStore;
  readonly #limitOf: (def: MetricDef) => number;
  readonly #most: number;
  /** By the metric's definition, then label text. */
  readonly #families = new Map<MetricDef, Map<string, PastSeries>>();
  readonly #series: PastSeries[] = [];
  /** The first step of each series; Infinity for one that is only known. */
  readonly #firsts: number[] = [];
  /** Metrics of which something was counted that belongs to no event, and so to no time. */
  readonly #timeless = new Set<MetricDef>();
  readonly #limited = new Map<string, number>();
  #first = Number.POSITIVE_INFINITY;
  /** Sources that count here. */
  #sinks = 0;

  constructor({ limitOf, most = Number.POSITIVE_INFINITY, ...options }: PastOptions) {
    this.#limitOf = limitOf;
    this.#most = most;
    this.#store = new StepStore({
      ...options,
      combine: (number) => (this.#series[number]?.def.type === 'maximum' ? greater : sum),
    });
  }

  /** Where a source counts whose series all have these labels. */
  sink(constant: readonly Label[]): Sink {
    this.#sinks += 1;
    const add = (def: MetricDef, labels: LabelSet, step: Step, staged: Pick<Staged, 'events' | 'isOver'>) => {
      this.#add(this.#of(def, labels, constant, staged), step);
    };
    return {
      counter: (def, labels, staged) => {
        const { step, value, events } = staged;
        if (events === 0) this.#of(def, labels, constant, staged);
        else if (step > 0) add(def, labels, { step, values: Float64Array.of(value) }, staged);
        else this.#timeless.add(def);
      },
      histogram: (def, labels, staged) => {
        const { step, counts } = staged;
        if (step > 0) add(def, labels, { step, values: counts }, staged);
        else this.#timeless.add(def);
      },
      // Minutes are its steps. That there was one without a value tells nothing here.
      maximum: (def, labels, staged) => {
        const { slot, value } = staged;
        if (value !== null) add(def, labels, { step: slot, values: Float64Array.of(value) }, staged);
      },
    };
  }

  /** Brings to disk what is too much for memory; throws if that is full. */
  relieve(): void {
    this.#store.relieve();
  }

  /** Metrics of events with their series, each metric once. */
  *families(): Generator<readonly [def: MetricDef, series: Iterable<PastSeries>]> {
    for (const [def, series] of this.#families) if (!this.#timeless.has(def)) yield [def, series.values()];
  }

  /** Number of series. */
  get size(): number {
    let size = 0;
    for (const [def, series] of this.#families) if (!this.#timeless.has(def)) size += series.size;
    return size;
  }

  /** The first step in which anything was counted; Infinity if there is none. */
  get first(): number {
    return this.#first;
  }

  /** Events by the metric whose limit they fell over. */
  get limited(): ReadonlyMap<string, number> {
    return this.#limited;
  }

  /** The first step of a series, Infinity if nothing came to it. */
  firstOf({ number }: PastSeries): number {
    return this.#firsts[number]!;
  }

  /** The steps of a series in which something came, in their order. */
  steps({ number }: PastSeries): Iterable<Step> {
    return this.#store.steps(number);
  }

  close(): void {
    this.#store.close();
  }

  /** How many series there may be before one with these labels is born. */
  #roomFor(def: MetricDef, labels: LabelSet): number {
    // Each source has a series for what has lost all labels, which of some metrics is within the limit.
    return def.gives ? roomFor(def, labels, this.#limitOf(def) - this.#sinks) : this.#limitOf(def);
  }

  #add({ number, def }: PastSeries, step: Step): void {
    this.#store.add(number, step);
    if (step.step < this.#firsts[number]!) this.#firsts[number] = step.step;
    if (def.type !== 'maximum' && step.step < this.#first) this.#first = step.step;
  }

  #of(
    def: MetricDef,
    labels: LabelSet,
    constant: readonly Label[],
    { events, isOver }: Pick<Staged, 'events' | 'isOver'>,
  ): PastSeries {
    let family = this.#families.get(def);
    if (!family) {
      family = new Map();
      this.#families.set(def, family);
    }
    const textOf = (shown: LabelSet) => labelText([...declared(def.labels, shown), ...constant]);
    const isFree = (shown: LabelSet, text: string) =>
      family.has(text) || (family.size < this.#roomFor(def, shown) && this.#series.length < this.#most);
    let text = textOf(labels);
    const isFull = !isFree(labels, text);
    if (isFull) {
      const less = [...givenUp(def, labels)].find((shown) => isFree(shown, textOf(shown)));
      text = textOf(less ?? allOther(def, labels));
    }
    if ((isFull || isOver) && events > 0) this.#limited.set(def.name, (this.#limited.get(def.name) ?? 0) + events);
    const known = family.get(text);
    if (known) return known;
    const series = { number: this.#series.length, def, labels: text };
    this.#series.push(series);
    this.#firsts.push(Number.POSITIVE_INFINITY);
    family.set(text, series);
    return series;
  }
}

const sum: Combine = (into, more, at) => {
  for (let i = 0; i < more.length; i++) into[at + i]! += more[i]!;
};

const greater: Combine = (into, more, at) => {
  for (let i = 0; i < more.length; i++) into[at + i] = Math.max(into[at + i]!, more[i]!);
};
