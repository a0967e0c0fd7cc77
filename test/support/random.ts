/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  within(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** The seed of a test: `TRAILGAUGE_SEED`, else its own. Name the test after it, so that a failure tells it. */
export function seedOf(own: number): number {
  const given = Number(process.env.TRAILGAUGE_SEED);
  return process.env.TRAILGAUGE_SEED && Number.isSafeInteger(given) ? given : own;
}

/** The generator mulberry32. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const within = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    within,
    chance: (probability) => next() < probability,
    pick: (items) => items[within(0, items.length - 1)] ?? items[0],
  };
}
