import type { DistinctSeries, TopSeries } from '../../core/metrics/handles.ts';
import type { FilterShape } from './filters.ts';

/** Counts the values of one pattern of a filter; null for what is not wanted. */
export interface PatternCounter {
  readonly top: TopSeries | null;
  readonly distinct: DistinctSeries | null;
}

/** A value of a pattern, ready to be counted again and again. */
export interface PatternValue {
  count(time: number | null): void;
}

const NOTHING: readonly PatternValue[] = [];

/** The values of a match as they are counted: transformed, without those that are dropped, or empty. */
export function patternValues(
  values: readonly string[],
  { counters, transforms }: FilterShape,
): readonly PatternValue[] {
  const found: PatternValue[] = [];
  for (const [index, value] of values.entries()) {
    const counter = counters[index];
    const transform = transforms[index];
    if (!counter || transform === false) continue;
    const shown = transform ? transform(value) : value;
    if (shown !== '') found.push(new CountedValue(counter, shown));
  }
  return found.length === 0 ? NOTHING : found;
}

class CountedValue implements PatternValue {
  readonly #counter: PatternCounter;
  readonly #entry: ReturnType<TopSeries['track']> | null;
  readonly #hash: number;

  constructor(counter: PatternCounter, value: string) {
    this.#counter = counter;
    this.#entry = counter.top?.track(value) ?? null;
    this.#hash = counter.distinct?.hash(value) ?? 0;
  }

  count(time: number | null): void {
    const { top, distinct } = this.#counter;
    if (top && this.#entry) top.add(this.#entry, time);
    distinct?.add(this.#hash, time);
  }
}
