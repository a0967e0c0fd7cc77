import type { Catalogue, MetricDef } from './define.ts';
import { type Exemplar, type Exemplars, exemplarsOf } from './exemplars.ts';
import type { CounterHow, Distinct, Handle, Handles, Observed, Top } from './handles.ts';
import { allOther, givenUp, type LabelSet, roomFor } from './rows.ts';
import { type ExemplarRow, MOST_MINUTES, type Place, StagedCounter, StagedHistogram, StagedMaximum } from './staged.ts';
import { StagedDistinct, StagedTop } from './staged-values.ts';

/** Where staged numbers go in the end. */
export interface Sink {
  /** The exemplar is the newest event, where they are kept. */
  counter(
    def: MetricDef,
    labels: LabelSet,
    staged: Staged & { readonly value: number; readonly exemplar?: Exemplar | undefined },
  ): void;
  histogram(def: MetricDef, labels: LabelSet, staged: Staged & Observed): void;
  /** The greatest value of one minute since 1970; null for a minute without any. */
  maximum(
    def: MetricDef,
    labels: LabelSet,
    staged: Omit<Staged, 'step'> & { readonly slot: number; readonly value: number | null },
  ): void;
  /** Events whose values were too many to be counted aside. */
  limited?(def: MetricDef, events: number): void;
}

/** The handle of a metric, of the type that its declaration gives. */
export type HandleOf = <T>(def: MetricDef) => T;

/** What is told of all staged numbers. */
export interface Staged {
  readonly events: number;
  readonly step: number;
  /** These count as limited: labels of theirs are `other` by now, as a rule since they fell over the limit. */
  readonly isOver: boolean;
}

export interface StageOptions {
  /** Most new series of one metric; what comes after shares one with all labels `other`, as it will where it ends up. */
  readonly limitOf: (def: MetricDef) => number;
  /** Whether a series is there already, where it ends up: it then counts for itself, however many are new. */
  readonly isKnown: (def: MetricDef, labels: LabelSet) => boolean;
  readonly areNative: boolean;
  /** Whether exemplars are kept; never with `history`. */
  readonly areExemplified?: boolean;
  /** Whether it is all of history that is wanted, and not only what is shown now. */
  readonly history: boolean;
  /** Where values that are counted, and not shown one by one, go in the end; absent where nobody will see them. */
  readonly sketches?: Sketched;
}

/** The handles by which these are counted where they are shown, and the clock there, in milliseconds since 1970. */
export interface Sketched {
  readonly handleOf: HandleOf;
  readonly clock: { readonly time: number };
}

/**
 * Counts aside: nothing is seen of it until it is merged, and if that must not be, it is dropped. Kept ways to its series
 * (`series`) are good until then; with `history`, for ever. Gauges, and what scrapers are owed, are not staged: they tell
 * of now.
 *
 * `step` may be moved while counting; each number then goes on with the step that it was counted in.
 */
export class Stage<C extends Catalogue> {
  readonly handles: Handles<C>;
  step = 0;
  readonly #options: StageOptions;
  readonly #counters = new Map<string, StagedCounter>();
  readonly #histograms = new Map<string, StagedHistogram>();
  readonly #maxima = new Map<string, StagedMaximum>();
  readonly #tops = new Map<string, StagedTop>();
  readonly #distincts = new Map<string, StagedDistinct>();
  readonly #exemplars = new Map<MetricDef, Exemplars>();
  /** Series that were made since it was last empty. */
  #made = 0;
  /** New series by metric. */
  readonly #count = new Map<MetricDef, number>();
  /** What was counted in steps before. */
  #earlier: ((sink: Sink) => void)[] = [];

  constructor(catalogue: C, options: StageOptions) {
    this.#options = options;
    const handles = Object.entries(catalogue).map(([key, def]) => [key, this.#handle(def)] as const);
    // The handle of each entry is made from its own declaration, which the mapped type cannot follow.
    this.handles = Object.fromEntries(handles) as unknown as Handles<C>;
  }

  /** Gives all that was counted to where it counts. */
  merge(sink: Sink): void {
    for (const give of this.#earlier) give(sink);
    for (const kept of [this.#counters, this.#histograms, this.#maxima, this.#tops, this.#distincts])
      for (const one of kept.values()) one.give(sink);
    this.drop();
  }

  /** Forgets all that was counted. */
  drop(): void {
    this.#earlier = [];
    for (const kept of [this.#counters, this.#histograms, this.#maxima]) {
      if (this.#options.history) for (const one of kept.values()) one.reset();
      else kept.clear();
    }
    if (this.#options.history) return;
    this.#tops.clear();
    this.#distincts.clear();
    this.#count.clear();
    for (const exemplars of this.#exemplars.values()) exemplars.clear();
    this.#made = 0;
  }

  /** Told by a series before it goes on in another step. */
  passed(give: (sink: Sink) => void): void {
    this.#earlier.push(give);
  }

  #handle(def: MetricDef): Handle<MetricDef> {
    switch (def.type) {
      case 'counter': {
        const make = (at: Place) => new StagedCounter(this, at, this.#exemplified(def));
        const series = (labels: LabelSet, how?: CounterHow) => this.#of(this.#counters, { def, labels, ...how }, make);
        return { series, inc: (labels: LabelSet, by = 1) => series(labels).inc(by) };
      }
      case 'histogram': {
        const { areNative } = this.#options;
        const make = (at: Place) => new StagedHistogram(this, at, { areNative, exemplified: this.#exemplified(def) });
        const series = (labels: LabelSet) => this.#of(this.#histograms, { def, labels }, make);
        return {
          series,
          observe: (labels: LabelSet, value: number) => series(labels).observe(value),
          add: (labels: LabelSet, observed: Observed) => series(labels).add(observed),
        };
      }
      case 'maximum': {
        const most = this.#options.history ? Number.POSITIVE_INFINITY : MOST_MINUTES;
        const make = (at: Place) => new StagedMaximum(at, most);
        const series = (labels: LabelSet) => this.#of(this.#maxima, { def, labels }, make);
        // A time without a value is nobody's, and takes no place from a series.
        const times = { def, labels: allOther(def, {}), isOver: true };
        return {
          series,
          advance: (time: number) => kept(this.#maxima, `${def.name} times`, () => make(times)).advance(time),
        };
      }
      case 'top': {
        const { sketches } = this.#options;
        if (!sketches) return unstaged(def);
        const target = sketches.handleOf<Top<MetricDef>>(def);
        const make = (labels: LabelSet, n: number) => new StagedTop(def, target.series(labels, n), sketches.clock);
        return { series: (labels: LabelSet, n: number) => kept(this.#tops, keyOf(def, labels), () => make(labels, n)) };
      }
      case 'distinct': {
        const { sketches } = this.#options;
        if (!sketches) return unstaged(def);
        const target = sketches.handleOf<Distinct<MetricDef>>(def);
        const make = (labels: LabelSet) => new StagedDistinct(target.series(labels), sketches.clock);
        return { series: (labels: LabelSet) => kept(this.#distincts, keyOf(def, labels), () => make(labels)) };
      }
      default:
        return unstaged(def);
    }
  }

  /** Where the next series of a metric keeps its exemplars, if it has any. */
  #exemplified(def: MetricDef): ExemplarRow | null {
    const { areExemplified, history } = this.#options;
    if (!def.exemplar || !areExemplified || history) return null;
    const exemplars = this.#exemplars.get(def) ?? exemplarsOf(def);
    this.#exemplars.set(def, exemplars);
    return { exemplars, row: this.#made++ };
  }

  #of<T>(all: Map<string, T>, { def, labels, isLimited = false }: Wanted, make: (at: Place) => T): T {
    const key = isLimited ? overKey(def, labels) : keyOf(def, labels);
    const known = all.get(key);
    if (known) return known;
    if (this.#isThere(def, labels)) return kept(all, key, () => make({ def, labels, isOver: isLimited }));
    for (const less of givenUp(def, labels)) {
      const found = all.get(overKey(def, less));
      if (found) return found;
      if (this.#isThere(def, less))
        return kept(all, overKey(def, less), () => make({ def, labels: less, isOver: true }));
    }
    // What has none of its own; its key is like no other.
    const others = allOther(def, labels);
    return kept(all, overKey(def, others), () => make({ def, labels: others, isOver: true }));
  }

  /** Whether there is a series, or room for one: then it counts as new. */
  #isThere(def: MetricDef, labels: LabelSet): boolean {
    const { limitOf, isKnown } = this.#options;
    if (isKnown(def, labels)) return true;
    const count = this.#count.get(def) ?? 0;
    if (count >= roomFor(def, labels, limitOf(def))) return false;
    this.#count.set(def, count + 1);
    return true;
  }
}

/** A series that is asked for. */
interface Wanted extends CounterHow {
  readonly def: MetricDef;
  readonly labels: LabelSet;
}

function kept<T>(all: Map<string, T>, key: string, make: () => T): T {
  const made = all.get(key) ?? make();
  all.set(key, made);
  return made;
}

/** Of series that count as limited. */
function overKey(def: MetricDef, labels: LabelSet): string {
  return `over ${keyOf(def, labels)}`;
}

function keyOf({ name, labels }: MetricDef, values: LabelSet): string {
  return JSON.stringify([name, ...labels.map((label) => values[label] ?? '')]);
}

/** What is not staged is not counted at all. */
function unstaged({ type }: MetricDef): Handle<MetricDef> {
  const nothing = () => {};
  if (type === 'gauge') return { set: nothing, replace: nothing };
  if (type === 'topError') return null;
  if (type === 'since') return { series: () => ({ alive: true, inc: nothing }) };
  const series = { track: () => NO_ENTRY, hash: () => 0, add: nothing, absorb: nothing };
  return { series: () => series };
}

// Nothing looks into it.
const NO_ENTRY = {} as never;
