/** Events a second over the last minute, in buckets of ten seconds. */
export interface Rate {
  add(events: number): void;
  perSecond(): number;
}

const BUCKET_MS = 10_000;
const BUCKETS = 6;

/** A rate that begins at 0 now. */
export function createRate(now: () => number): Rate {
  const counts = new Array<number>(BUCKETS + 1).fill(0);
  const began = now();
  let current = Math.floor(began / BUCKET_MS);

  function turn(): void {
    const bucket = Math.floor(now() / BUCKET_MS);
    for (let i = Math.max(current + 1, bucket - BUCKETS); i <= bucket; i++) counts[i % counts.length] = 0;
    current = Math.max(current, bucket);
  }

  return {
    add: (events) => {
      turn();
      counts[current % counts.length]! += events;
    },
    perSecond: () => {
      turn();
      const seconds = Math.min(now() - began, BUCKETS * BUCKET_MS + (now() % BUCKET_MS)) / 1000;
      return seconds > 0 ? counts.reduce((sum, count) => sum + count, 0) / Math.max(1, seconds) : 0;
    },
  };
}
