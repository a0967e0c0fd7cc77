import type { Refused, Written } from '../core/writer.ts';
import { HOLD_MS } from '../lib/retry.ts';

/** Why the rest has to wait. */
export interface Postponed {
  /** The least wait, in milliseconds. */
  readonly waitMs: number;
  /** Somebody has to put something right first. */
  readonly hold: boolean;
  readonly text: string;
}

/** Collects what becomes of some events; events are known by their places. */
export interface Tally {
  done(indexes: Iterable<number>): void;
  refuse(refused: Refused): void;
  /** So many of those that are done were refused after all, and it is not known which. */
  drop(count: number): void;
  /** What became of all: those of which nothing was said wait, if there is a reason. */
  written(postponed: Postponed | null): Written;
}

/** Begins with nothing. */
export function startTally(): Tally {
  const settled: number[] = [];
  const dead: Refused[] = [];
  let dropped = 0;
  return {
    done: (indexes) => {
      for (const index of indexes) settled.push(index);
    },
    refuse: (refused) => {
      settled.push(refused.index);
      dead.push(refused);
    },
    drop: (count) => {
      dropped += count;
    },
    written: (postponed) => {
      const told = { dead, ...(dropped > 0 && { dropped }) };
      return postponed ? { kind: 'later', settled, ...told, ...postponed } : { kind: 'done', ...told };
    },
  };
}

/** Nothing goes until somebody has put it right. */
export function held(text: string): Postponed {
  return { waitMs: HOLD_MS, hold: true, text };
}

/** No answer came: the message of the error tells why. */
export function unanswered(error: unknown): Postponed {
  return { waitMs: 0, hold: false, text: messageOf(error) };
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
