/** How far in the future, in milliseconds, a time may lie and still be believed: clocks differ. */
export const FUTURE_MS = 3_600_000;

/**
 * The time of a record if it can be used, in milliseconds since 1970: told, and at most an hour after the record's
 * arrival (when its object was last modified, or when it was pushed). Null otherwise.
 */
export function usableTime(time: number | null, arrival: number): number | null {
  return time !== null && time <= arrival + FUTURE_MS ? time : null;
}

/** Seconds from a usable time to the arrival; clocks that differ do not make them negative. */
export function lagSeconds(usable: number, arrival: number): number {
  return Math.max(0, arrival - usable) / 1000;
}
