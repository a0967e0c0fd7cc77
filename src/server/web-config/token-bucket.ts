import type { RateLimit } from './settings.ts';

/**
 * A function that says whether a request may pass: the bucket holds `burst` of them, is full at first, and gets one
 * back each `intervalMs`. `now` gives milliseconds that never go back.
 */
export function tokenBucket({ intervalMs, burst }: RateLimit, now: () => number): () => boolean {
  let tokens = burst;
  let last = now();
  return function take() {
    const time = now();
    tokens = Math.min(burst, tokens + (time - last) / intervalMs);
    last = time;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
