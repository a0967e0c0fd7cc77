import type { DistinctSeries, TopSeries } from '../../core/metrics/handles.ts';
import type { FilterShape } from './filters.ts';

/** Counts the values of one pattern of a filter; null for what is not wanted. */
export interface PatternCounter {
  readonly top: TopSeries | null;
  readonly distinct: DistinctSeries | null;
}

/** A value of a pattern of a filter, ready to be counted again and again. */
export class PatternValue {
  readonly #counter: PatternCounter;
  readonly #entry: ReturnType<TopSeries['track']> | null;
  readonly #hash: number;

  constructor(counter: PatternCounter, value: string) {
    this.#counter = counter;
    this.#entry = counter.top?.track(value) ?? null;
    this.#hash = counter.distinct?.hash(value) ?? 0;
  }

  /** Counts it so many times, at a time in milliseconds since 1970; null is now. */
  count(time: number | null, times: number): void {
    const { top, distinct } = this.#counter;
    if (top && this.#entry) top.add(this.#entry, time, times);
    distinct?.add(this.#hash, time);
  }
}

/** The values of a match as they are counted: transformed, without those that are dropped, or empty. */
export function patternValues(
  values: readonly string[],
  { counters, transforms }: FilterShape,
): readonly PatternValue[] {
  const found: PatternValue[] = [];
  for (const [index, value] of values.entries()) {
    const counter = counters[index];
    const transform = transforms[index];
    if (!(counter?.top || counter?.distinct) || transform === false) continue;
    const shown = transform ? transform(value) : value;
    if (shown !== '') found.push(new PatternValue(counter, shown));
  }
  return found.length === 0 ? NOTHING : found;
}

const NOTHING: readonly PatternValue[] = [];
