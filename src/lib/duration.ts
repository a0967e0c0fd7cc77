const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** What a duration looks like, for error messages. */
export const DURATION_WISH = 'a duration such as 250ms, 60s, 5m, 36h or 7d';

/**
 * Milliseconds of a duration: `250ms`, `60s`, `5m`, `36h`, `7d`, or a bare number of seconds.
 * Null if the text is none, or is longer than a hundred years.
 */
export function parseDuration(value: string | number): number | null {
  const match = /^([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)?$/.exec(String(value).trim());
  if (!match) return null;
  const ms = Number(match[1]) * (UNITS.get(match[2] ?? 's') ?? 0);
  return ms <= 100 * 365 * 86_400_000 ? ms : null;
}

/** Milliseconds of a duration that was validated before; throws on anything else. */
export function durationMs(value: string | number): number {
  const ms = parseDuration(value);
  if (ms === null) throw new Error(`found ${JSON.stringify(value)}, wanted ${DURATION_WISH}`);
  return ms;
}
