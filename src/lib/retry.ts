import { backoffMs } from './backoff.ts';

/** How long to wait between tries where the far end refuses until a person has changed something. */
export const HOLD_MS = 30_000;

/** How waits grow, in milliseconds: each doubles from its first to its most. */
export interface Pace {
  /** Between tries of what may go by and by. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Where a person has to change something. */
  readonly holdMs: number;
  readonly maxHoldMs: number;
}

/** What is usual: 1 s to 60 s, and always 30 s where somebody has to put something right. */
export const USUAL_PACE: Pace = { firstMs: 1_000, maxMs: 60_000, holdMs: HOLD_MS, maxHoldMs: HOLD_MS };

/** What a wait depends on. */
export interface WaitOptions {
  /** `USUAL_PACE`, unless given. */
  readonly pace?: Pace;
  /** The least that the far end asked for (`Retry-After`), in milliseconds. */
  readonly atLeastMs?: number | null;
  readonly random?: () => number;
}

/** What an HTTP status asks for: `again` after a wait, `hold` until somebody has put it right, null for all else. */
export type Postponed = 'again' | 'hold' | null;

/**
 * Milliseconds to wait before try number `attempt` (0 is the first repeat): 1 s, doubling to 60 s, up to a fifth more or
 * less by chance, and never less than the far end asked for.
 */
export function retryWaitMs(attempt: number, options: WaitOptions = {}): number {
  const { pace = USUAL_PACE, atLeastMs, random = Math.random } = options;
  const full = backoffMs(attempt, { firstMs: pace.firstMs, maxMs: pace.maxMs, random: () => 0 });
  return Math.max(full * (0.8 + 0.4 * random()), atLeastMs ?? 0);
}

/** The waits of one thing that is tried again and again. */
export interface Waits {
  /** Milliseconds until the next try, after one that came to nothing: its `waitMs` is what the far end asked for. */
  next(failure: { readonly hold: boolean; readonly waitMs: number }): number;
  /** Something went through. */
  reset(): void;
}

/** Begins with the shortest waits. */
export function startWaits(pace: Pace = USUAL_PACE, random: () => number = Math.random): Waits {
  let tries = 0;
  let holds = 0;
  return {
    next: ({ hold, waitMs }) => {
      const attempt = tries++;
      if (hold) return backoffMs(holds++, { firstMs: pace.holdMs, maxMs: pace.maxHoldMs, random: () => 0 });
      holds = 0;
      return retryWaitMs(attempt, { pace, atLeastMs: waitMs, random });
    },
    reset: () => {
      tries = 0;
      holds = 0;
    },
  };
}

/**
 * What to do about a request that was answered with this status, whoever answered: a gateway in between says the same.
 * A refusal of the sender (401, 403), of the place (404), or of the way of asking (3xx, 405, …) concerns no single
 * event, so nothing may be dropped for it; 400, 413 and 422 speak of the body, and are left to who knows what was in it.
 */
export function postponed(status: number): Postponed {
  if (status >= 200 && status < 300) return null;
  if (status === 400 || status === 413 || status === 422) return null;
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'again';
  return 'hold';
}
