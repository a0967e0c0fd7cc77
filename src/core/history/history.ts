import type { MetricDef } from '../metrics/define.ts';
import { type Label, labelText } from '../metrics/labels.ts';
import { declared, type LabelSet, OTHER } from '../metrics/rows.ts';
import type { Sink } from '../metrics/stage.ts';
import { type Combine, type Step, StepStore } from './store.ts';

/** A series of the past. */
export interface PastSeries {
  readonly number: number;
  readonly def: MetricDef;
  /** Between the braces. */
  readonly labels: string;
}

export interface PastOptions {
  readonly limitOf: (def: MetricDef) => number;
}

/** What was counted, by metric, series and step. */
export class Past {
  readonly #store: StepStore;
  readonly #limitOf: (def: MetricDef) => number;
  /** By the metric's definition, then label text. */
  readonly #families: Map<MetricDef, Map<string, PastSeries>>;
  readonly #series: PastSeries[];
  /** Events without a time, which are in no step. */
  untimed = 0;
  /** The first step in which something was counted. */
  first = Number.POSITIVE_INFINITY;

  private constructor(store: StepStore, series: PastSeries[], { limitOf }: PastOptions) {
    this.#store = store;
    this.#series = series;
    this.#limitOf = limitOf;
    this.#families = new Map();
  }

  static async create(options: PastOptions): Promise<Past> {
    const series: PastSeries[] = [];
    const store = await StepStore.create((number) => (series[number]?.def.type === 'maximum' ? greater : sum));
    return new Past(store, series, options);
  }

  /** Where a source counts whose series all have these labels. */
  sink(constant: readonly Label[]): Sink {
    const add = (def: MetricDef, labels: LabelSet, step: Step) => {
      this.#store.add(this.#of(def, labels, constant).number, step);
      if (def.type !== 'maximum') this.first = Math.min(this.first, step.step);
    };
    return {
      counter: (def, labels, { step, value, events }) => {
        if (events > 0) add(def, labels, { step, values: Float64Array.of(value) });
        else this.#of(def, labels, constant);
      },
      histogram: (def, labels, { step, counts }) => add(def, labels, { step, values: counts }),
      // Minutes are its steps. That there was one without a value tells nothing here.
      maximum: (def, labels, { slot, value }) => {
        if (value !== null) add(def, labels, { step: slot, values: Float64Array.of(value) });
      },
    };
  }

  /** Brings to disk what is too much for memory. */
  relieve(): Promise<void> {
    return this.#store.relieve();
  }

  /** Metrics with their series, each metric once. */
  *families(): Generator<readonly [def: MetricDef, series: Iterable<PastSeries>]> {
    for (const [def, series] of this.#families) yield [def, series.values()];
  }

  /** Number of series. */
  get size(): number {
    return this.#series.length;
  }

  /** The steps of a series in which something came, in their order. */
  steps({ number }: PastSeries): Iterable<Step> {
    return this.#store.steps(number);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #of(def: MetricDef, labels: LabelSet, constant: readonly Label[]): PastSeries {
    let family = this.#families.get(def);
    if (!family) {
      family = new Map();
      this.#families.set(def, family);
    }
    const text = labelText([...declared(def.labels, labels), ...constant]);
    const known = family.get(text);
    if (known) return known;
    const isFull = family.size >= this.#limitOf(def) && def.labels.some((name) => labels[name] !== OTHER);
    if (isFull) return this.#of(def, Object.fromEntries(def.labels.map((name) => [name, OTHER])), constant);
    const series = { number: this.#series.length, def, labels: text };
    this.#series.push(series);
    family.set(text, series);
    return series;
  }
}

const sum: Combine = (into, more) => {
  for (let i = 0; i < into.length; i++) into[i]! += more[i]!;
};

const greater: Combine = (into, more) => {
  for (let i = 0; i < into.length; i++) into[i] = Math.max(into[i]!, more[i]!);
};
