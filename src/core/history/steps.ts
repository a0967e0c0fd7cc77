import type { Sink } from '../metrics/stage.ts';

/**
 * The past, in the order in which it is read: where its numbers go, and the length of the steps that they are counted in.
 * Step `n` has the events before `n * stepMs` that are not in one before; step 0 is of what is counted for no event.
 */
export interface History {
  readonly sink: Sink;
  readonly stepMs: number;
  /** So many events have no time, and are in no step. */
  onUntimed(events: number): void;
  /** Told after each batch; waited for. */
  settled(): Promise<void>;
}

/** The step of an event of this time, in milliseconds since 1970; null for one without, and that is told. */
export function stepOf({ stepMs, onUntimed }: History, time: number | null): number | null {
  // A step ends before its own time: what comes at midnight belongs to the new day.
  if (time !== null) return Math.floor(time / stepMs) + 1;
  onUntimed(1);
  return null;
}
