/** Any text for HTML. Control characters are seen instead of obeyed. */
export function escapeHtml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replace(/[\0-\x1f\x7f]/g, (char) => String.fromCharCode(char === '\x7f' ? 0x2421 : 0x2400 + char.charCodeAt(0)))
      .replace(/[\x80-\x9f]/g, '\ufffd')
      .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
  );
}

/** Text that comes from elsewhere: what is written from right to left in it cannot turn its neighbours around. */
export function foreign(text: string): string {
  return `<bdi>${escapeHtml(text)}</bdi>`;
}

/** A long name that may be broken after each `_`. */
export function breakable(name: string): string {
  return foreign(name).replaceAll('_', '_<wbr>');
}

/** `12,345`, or with decimals `12,345.6`. */
export function count(value: number, decimals = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** `5 s`, `3 min`, `2 h`, `4 d`: of milliseconds. */
export function age(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 1000));
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.round(whole / 60)} min`;
  if (whole < 172_800) return `${Math.round(whole / 3_600)} h`;
  return `${Math.round(whole / 86_400)} d`;
}

/** A short time: `44 ms`, `1.5 s`, then as `age`. */
export function seconds(value: number): string {
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  return value < 10 ? `${value.toFixed(1)} s` : age(value * 1000);
}

/** `512 B`, `1.5 KiB`, `20 MiB`: of bytes. */
export function bytes(value: number): string {
  const power = Math.min(UNITS.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${count(scaled, power === 0 || scaled >= 10 || Number.isInteger(scaled) ? 0 : 1)} ${UNITS[power]}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A point in time, in UTC as nobody knows where the reader is: `2026-11-21 11:50:54 UTC`. */
export function moment(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}
