import type { MetricDef } from './define.ts';
import type { Exemplar, Exemplars } from './exemplars.ts';
import type { CounterSeries, HistogramSeries, MaximumSeries, Observed } from './handles.ts';
import { firstSlot, slotOf } from './maxima.ts';
import { NativeHistogram } from './native.ts';
import { bucketOf } from './registry.ts';
import type { LabelSet } from './rows.ts';
import type { Sink } from './stage.ts';

/** A series, or that of all that fell over the limit. */
export interface Place {
  readonly def: MetricDef;
  readonly labels: LabelSet;
  readonly isOver: boolean;
}

/** Minutes of one series that are kept where only the last hour of them counts. */
export const MOST_MINUTES = 240;

/** The step that is being counted in. */
export interface Steps {
  readonly step: number;
  passed(give: (sink: Sink) => void): void;
}

/** Where a series keeps its exemplars. */
export interface ExemplarRow {
  readonly exemplars: Exemplars;
  readonly row: number;
}

/** A counter, counted aside. */
export class StagedCounter implements CounterSeries {
  readonly #steps: Steps;
  readonly #at: Place;
  readonly #exemplified: ExemplarRow | null;
  #step: number;
  #value = 0;
  #events = 0;
  #isGiven = false;

  constructor(steps: Steps, at: Place, exemplified: ExemplarRow | null) {
    this.#steps = steps;
    this.#at = at;
    this.#exemplified = exemplified;
    this.#step = steps.step;
  }

  inc(by = 1, events = 1): void {
    if (this.#step !== this.#steps.step) this.#turn();
    this.#value += by;
    this.#events += events;
  }

  exemplify(exemplar: Exemplar): void {
    this.#exemplified?.exemplars.note(this.#exemplified.row, 0, exemplar);
  }

  give(sink: Sink): void {
    // A series that was asked for is there, even at 0.
    if (this.#events > 0 || !this.#isGiven) this.#giver()(sink);
    this.#isGiven = true;
  }

  reset(): void {
    this.#value = 0;
    this.#events = 0;
  }

  #turn(): void {
    if (this.#events > 0) this.#steps.passed(this.#giver());
    this.#step = this.#steps.step;
    this.reset();
  }

  #giver(): (sink: Sink) => void {
    const { def, labels, isOver } = this.#at;
    const exemplar = this.#exemplified?.exemplars.of(this.#exemplified.row, 0);
    const staged = { value: this.#value, events: this.#events, step: this.#step, isOver, exemplar };
    return (sink) => sink.counter(def, labels, staged);
  }
}

/** A histogram, counted aside. */
export class StagedHistogram implements HistogramSeries {
  readonly #steps: Steps;
  readonly #at: Place;
  readonly #buckets: readonly number[];
  readonly #areNative: boolean;
  readonly #exemplified: ExemplarRow | null;
  #step: number;
  #events = 0;
  #counts: Float64Array;
  #native: NativeHistogram | null = null;

  constructor(
    steps: Steps,
    at: Place,
    { areNative, exemplified }: { readonly areNative: boolean; readonly exemplified: ExemplarRow | null },
  ) {
    this.#steps = steps;
    this.#at = at;
    this.#exemplified = exemplified;
    this.#buckets = at.def.buckets ?? [];
    this.#areNative = areNative;
    this.#step = steps.step;
    this.#counts = new Float64Array(this.#buckets.length + 2);
  }

  observe(value: number): void {
    if (this.#step !== this.#steps.step) this.#turn();
    const buckets = this.#buckets;
    this.#counts[bucketOf(buckets, value)]! += 1;
    this.#counts[buckets.length + 1]! += value;
    this.#events += 1;
    if (this.#areNative) this.#ownNative().observe(value);
  }

  exemplify(exemplar: Exemplar): void {
    const exemplified = this.#exemplified;
    exemplified?.exemplars.note(exemplified.row, bucketOf(this.#buckets, exemplar.value), exemplar);
  }

  add({ counts, native }: Observed): void {
    if (this.#step !== this.#steps.step) this.#turn();
    for (let i = 0; i < counts.length; i++) this.#counts[i]! += counts[i]!;
    for (let i = 0; i <= this.#buckets.length; i++) this.#events += counts[i]!;
    if (native && this.#areNative) this.#ownNative().add(native);
  }

  give(sink: Sink): void {
    if (this.#events > 0) this.#giver()(sink);
  }

  reset(): void {
    if (this.#events === 0) return;
    this.#events = 0;
    this.#counts = new Float64Array(this.#counts.length);
    this.#native = null;
  }

  #ownNative(): NativeHistogram {
    this.#native ??= new NativeHistogram();
    return this.#native;
  }

  #turn(): void {
    if (this.#events > 0) this.#steps.passed(this.#giver());
    this.#step = this.#steps.step;
    this.reset();
  }

  #giver(): (sink: Sink) => void {
    const { def, labels, isOver } = this.#at;
    const staged = {
      counts: this.#counts,
      native: this.#native,
      events: this.#events,
      step: this.#step,
      isOver,
      exemplars: exemplarsIn(this.#exemplified, this.#buckets.length + 1),
    };
    return (sink) => sink.histogram(def, labels, staged);
  }
}

/** A maximum, counted aside. It has steps of its own: minutes. */
export class StagedMaximum implements MaximumSeries {
  readonly #at: Place;
  /** By minute. */
  readonly #minutes = new Map<number, Minute>();
  readonly #most: number;
  #slot = Number.NaN;
  #minute: Minute = { value: null, events: 0 };

  /** Of more minutes than `most`, those that are long past the window may be forgotten. */
  constructor(at: Place, most: number) {
    this.#at = at;
    this.#most = most;
  }

  observe(value: number, time: number, events = 1): void {
    this.advance(time);
    const minute = this.#minute;
    if (minute.value === null || value > minute.value) minute.value = value;
    minute.events += events;
  }

  advance(time: number): void {
    const slot = slotOf(time);
    if (slot === this.#slot || Number.isNaN(slot)) return;
    this.#slot = slot;
    this.#minute = this.#minutes.get(slot) ?? { value: null, events: 0 };
    this.#minutes.set(slot, this.#minute);
    if (this.#minutes.size > this.#most) this.#forget();
  }

  give(sink: Sink): void {
    const { def, labels, isOver } = this.#at;
    for (const [slot, { value, events }] of this.#minutes) sink.maximum(def, labels, { slot, value, events, isOver });
  }

  reset(): void {
    this.#minutes.clear();
    this.#slot = Number.NaN;
  }

  #forget(): void {
    const first = firstSlot(Math.max(...this.#minutes.keys()));
    for (const slot of this.#minutes.keys()) if (slot < first) this.#minutes.delete(slot);
  }
}

/** What one minute had: its greatest value, null where there was an event without any, and events with a value. */
interface Minute {
  value: number | null;
  events: number;
}

function exemplarsIn(exemplified: ExemplarRow | null, buckets: number): readonly Exemplar[] {
  if (!exemplified) return [];
  const { exemplars, row } = exemplified;
  return Array.from({ length: buckets }, (_, bucket) => exemplars.of(row, bucket)).filter((one) => one !== undefined);
}
