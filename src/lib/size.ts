const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

/** What a size looks like, for error messages. */
export const SIZE_WISH = 'a size such as 512KiB, 64MiB or 1GB';

/** Bytes of a size: a bare number, or one with a decimal (`kB MB GB TB`) or binary (`KiB MiB GiB TiB`) unit. */
export function parseSize(value: string | number): number | null {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([kMGTKi]{0,2}B?)$/.exec(String(value).trim());
  const unit = match ? UNITS.get(match[2] ?? '') : undefined;
  if (!match || unit === undefined) return null;
  const bytes = Math.floor(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Bytes of a size that was validated. */
export function sizeBytes(value: string | number): number {
  const bytes = parseSize(value);
  if (bytes === null) throw new Error(`found ${JSON.stringify(value)}, wanted ${SIZE_WISH}`);
  return bytes;
}
