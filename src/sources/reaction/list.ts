/** A list of quoted strings, decoded, and where the text after its closing bracket begins. */
export interface QuotedList {
  readonly values: readonly string[];
  readonly end: number;
}

/** Pieces of longer texts are detached, as they may be kept for long. */
export const LONG_TEXT = 4_096;

/** The same text with memory of its own: a piece that is cut from a text keeps the whole of it alive. */
export function detached(text: string): string {
  return Buffer.from(text).toString();
}

/**
 * Reads `["a", "b"]` or `["a" "b"]` beginning at the bracket, with the escapes of Rust's debug format.
 * Null if it does not end properly, or holds anything but quoted strings.
 */
export function readQuotedList(text: string, start: number): QuotedList | null {
  const values: string[] = [];
  let at = start + 1;
  for (;;) {
    let code = text.charCodeAt(at);
    while (code === SPACE || code === COMMA) code = text.charCodeAt(++at);
    if (code === CLOSE) return { values: text.length > LONG_TEXT ? values.map(detached) : values, end: at + 1 };
    if (code !== QUOTE) return null;
    const close = closingQuote(text, at + 1);
    if (close < 0) return null;
    const inner = text.slice(at + 1, close);
    values.push(inner.includes('\\') ? unescapeRust(inner) : inner);
    at = close + 1;
  }
}

/**
 * Decodes the escapes of Rust's debug format: `\" \\ \' \n \r \t \0`, `\u{1..6 hex}`, and `\xHH` for raw bytes, which
 * together are read as UTF-8. An unknown escape stays as it is; an impossible code point becomes U+FFFD.
 */
export function unescapeRust(text: string): string {
  return text.replace(ESCAPES, (found: string) => {
    if (found.startsWith('\\x')) return Buffer.from(found.replaceAll('\\x', ''), 'hex').toString('utf8');
    if (found.startsWith('\\u')) return codePoint(Number.parseInt(found.slice(3, -1), 16));
    return SIMPLE.get(found.charAt(1)) ?? found;
  });
}

const SPACE = 0x20;
const COMMA = 0x2c;
const QUOTE = 0x22;
const CLOSE = 0x5d;

/** A run of `\xHH` is one piece, as several bytes may make one character. */
const ESCAPES = /(?:\\x[0-9A-Fa-f]{2})+|\\u\{[0-9A-Fa-f]{1,6}\}|\\[^xu]/g;

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ["'", "'"],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['0', '\0'],
]);

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === 0x5c && at - 1 - slashes >= from) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

function codePoint(code: number): string {
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : String.fromCodePoint(code);
}
