/** How a wait grows: from `firstMs`, doubling to `maxMs`, each shortened at random by up to half. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly random?: () => number;
}

/** Milliseconds to wait before try number `attempt` (0 is the first repeat). */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const full = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt, 30));
  return full * (1 - (options.random ?? Math.random)() / 2);
}
