/**
 * An attribute as the value of a header (HTTP binding of CloudEvents, section 3.1.3.2): `%XX` in upper case for the UTF-8
 * bytes of each character outside U+0021-U+007E, of space, `"` and `%`. Half a surrogate pair becomes U+FFFD.
 */
export function encodeHeader(text: string): string {
  if (/^[!#$&-~]*$/.test(text)) return text;
  let value = '';
  for (const byte of Buffer.from(text, 'utf8')) value += isPlain(byte) ? String.fromCharCode(byte) : hexOf(byte);
  return value;
}

/**
 * The attribute that a header's value stands for; null if it is not UTF-8. The value is as `node:http` gives it, one
 * character for each byte, so that text which was sent without any encoding is understood too. Quotes around it and
 * the backslashes within go first, then `%XX` is decoded once; a `%` without two digits stays as it is.
 */
export function decodeHeader(value: string): string | null {
  const bytes = Buffer.from(unquoted(value), 'latin1');
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] === PERCENT ? hexAt(bytes, at + 1) : null;
    // What is decoded is never longer than what it came from.
    bytes[length++] = byte ?? bytes[at] ?? 0;
    if (byte !== null) at += 2;
  }
  try {
    return UTF8.decode(bytes.subarray(0, length));
  } catch {
    return null;
  }
}

/** A byte order mark is a character like any other here. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PERCENT = 0x25;

function isPlain(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== PERCENT;
}

function hexOf(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function hexAt(bytes: Buffer, at: number): number | null {
  const digits = bytes.toString('latin1', at, at + 2);
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : null;
}

function unquoted(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  return value.slice(1, -1).replace(/\\(.)/gs, '$1');
}
