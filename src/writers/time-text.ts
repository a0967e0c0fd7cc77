/** RFC 3339 with milliseconds; a time outside what a date can be is shown as its first or last moment. */
export function timeText(time: number): string {
  const earliest = Date.parse('0000-01-01T00:00:00.000Z');
  const latest = Date.parse('9999-12-31T23:59:59.999Z');
  return new Date(Number.isFinite(time) ? Math.min(Math.max(time, earliest), latest) : 0).toISOString();
}
