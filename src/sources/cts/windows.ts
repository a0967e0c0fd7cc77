/** A stretch of time, half-open: from `from` up to, but not including, `to`, in milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Where the reading stands; what a restart goes on from. Times are in milliseconds since 1970, by the service's clock. */
export interface CtsPosition {
  /** Everything that could be seen before this has been read. */
  readonly cursor: number;
  /** Nothing before this is asked for. */
  readonly floor: number;
  /** What could not be read, and is counted as a gap, in their order. */
  readonly passed: readonly Window[];
}

export interface PollTimes {
  /** The service's clock when the poll begins. */
  readonly now: number;
  readonly overlapMs: number;
  readonly retentionMs: number;
}

/** Hours that were missed are read one by one. */
const CHUNK_MS = 3_600_000;

/** What the next walk reads, and where the cursor stands after it. */
export interface NextWindow {
  readonly window: Window;
  readonly cursor: number;
  /** There is more to catch up with. */
  readonly more: boolean;
}

/** How exactly it is known when the service lets go of traces, in milliseconds. */
const EXPIRY_MS = 10_000;

/** The window after a position: up to now, or an hour of what was missed, the oldest first. */
export function nextWindow({ cursor, floor }: CtsPosition, { now, overlapMs, retentionMs }: PollTimes): NextWindow {
  const from = Math.max(floor, cursor - overlapMs, Math.min(cursor, now - retentionMs));
  if (now - from <= CHUNK_MS + overlapMs) return { window: { from, to: now + 1 }, cursor: now, more: false };
  const to = Math.max(cursor, from) + CHUNK_MS;
  return { window: { from, to }, cursor: to, more: true };
}

/** Seconds that are gone for good, as the service keeps traces only so long: those from the cursor to where it keeps them. */
export function expiredSeconds({ cursor }: CtsPosition, { now, retentionMs }: Omit<PollTimes, 'overlapMs'>): number {
  const expiredMs = now - retentionMs - cursor;
  return expiredMs > EXPIRY_MS ? expiredMs / 1000 : 0;
}

/** What is left of a window without the stretches in it that cannot be read. */
export function withoutPassed(window: Window, passed: readonly Window[]): readonly Window[] {
  const left: Window[] = [];
  let { from } = window;
  for (const gap of passed) {
    if (gap.to <= from || gap.from >= window.to) continue;
    if (gap.from > from) left.push({ from, to: gap.from });
    from = gap.to;
  }
  if (from < window.to) left.push({ from, to: window.to });
  return left;
}

/** One more stretch that cannot be read; those before `from` are of no concern any more. */
export function addPassed(passed: readonly Window[], gaps: readonly Window[], from: number): readonly Window[] {
  return [...passed, ...gaps].filter(({ to }) => to > from).sort((a, b) => a.from - b.from);
}
