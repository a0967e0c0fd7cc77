/** Numbers from 0 up to, not including, 1. */
export type Random = () => number;

/** The same numbers for the same seed, on every machine (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws an index of `weights`, each as often as its weight says. */
export function drawing(weights: readonly number[], random: Random): () => number {
  let sum = 0;
  const ends = Float64Array.from(weights, (weight) => (sum += weight));
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Weights after Zipf: the second comes half as often as the first, the third a third as often. */
export function zipf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 1 / (index + 1));
}
