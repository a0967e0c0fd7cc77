import type { OwedSeries } from '../../core/metrics/handles.ts';
import type { Alignment } from './align.ts';
import type { ActionState, FilterState } from './filters.ts';
import type { Line } from './lines.ts';
import { parseLine, type ReactionLine } from './parse.ts';
import type { PatternValue } from './patterns.ts';
import type { Tuple } from './recent.ts';

/**
 * A parsed line, with what was found out about it the last time: most lines of a log stand in it many times, and are
 * parsed once. As there may be very many, the parts are let go of when nothing more will be asked of them. All fields
 * are there from the beginning, as objects of one shape are what the engine is fast with.
 */
export interface Observed {
  readonly kind: ReactionLine['kind'];
  /** Where lines have numbers and those like it are counted by it; else -1. */
  number: number;
  /** Whether it tells a failure. */
  readonly failed: boolean;
  /** Null when it has been let go of; then it can be parsed again. */
  line: ReactionLine | null;
  /** Hash of the arguments of a run, 0 before it is known. */
  hash: number;
  /** The configuration that what follows belongs to. */
  epoch: number;
  filter: FilterState | null;
  action: ActionState | null;
  /** Values of the patterns of a match as they are kept for later lines, null if they do not fit. */
  kept: Tuple | null;
  /** The same as they are counted one by one. */
  values: readonly PatternValue[];
  /** How many times a match is still to be counted, and how many of these its values have been already. */
  waiting: number;
  timed: number;
  /** What a run's arguments tell of them. */
  alignment: Alignment | null;
  owed: OwedSeries | null;
}

const NOTHING: readonly PatternValue[] = [];

/** A parsed line of which nothing is known yet. */
export function unobserved(line: ReactionLine): Observed {
  const { kind } = line;
  const failed = 'failed' in line && line.failed;
  return {
    kind,
    number: -1,
    failed,
    line,
    hash: 0,
    epoch: -1,
    filter: null,
    action: null,
    kept: null,
    values: NOTHING,
    waiting: 0,
    timed: 0,
    alignment: null,
    owed: null,
  };
}

/** The parsed line, parsed again if it was let go of. */
export function parsedLine(seen: Observed, raw: RawLine): ReactionLine {
  // What was parsed before is a line.
  seen.line ??= parseLine(raw.text, raw.v1) as ReactionLine;
  return seen.line;
}

/** Counts a match or a run that came so many times more. */
export function countMore({ filter, action, owed, values, timed }: Observed, times: number): void {
  if (times === 0) return;
  (action?.runs ?? filter?.matches)?.inc(times, times);
  owed?.inc(times, times);
  if (times > timed) for (const value of values) value.count(null, times - timed);
}

/** What is asked of the line that something was parsed from. */
export interface RawLine extends Pick<Line, 'text' | 'v1' | 'time'> {
  /** Where lines have numbers. */
  readonly number?: number;
}
