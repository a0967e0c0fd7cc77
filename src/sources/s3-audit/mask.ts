import type { Data } from '../../core/event.ts';
import { type Fields, isFields } from './fields.ts';

/** What stands for a value that nobody else should have. */
export const MASK = '<secret>';

/**
 * A record without what lets its reader act as its sender: values of `X-Amz-Signature` and the like, in the maps of
 * queries and headers, and in the queries of URIs. All else stays as it is; the record itself is not changed.
 */
export function maskedRecord(raw: Fields): Fields {
  const entry = maskedEntry(raw);
  return isFields(entry.auditEntry) ? { ...entry, auditEntry: maskedEntry(entry.auditEntry) } : entry;
}

/** The same for a line of text: an access-log line, or JSON. Each character is looked at a few times at most. */
export function maskedText(text: string): string {
  return maskedQueries(text.startsWith('{') || text.startsWith('[') ? maskedJson(text) : text);
}

/** Names of what is signed, proven or encrypted with, in lower case. MinIO writes down all of them. */
const SECRETS: ReadonlySet<string> = new Set([
  'x-amz-signature',
  'x-amz-security-token',
  'signature',
  'authorization',
  'cookie',
  // Keys of objects that only their owner was to read (SSE-C).
  'x-amz-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key',
  // Of calls that give out temporary keys (STS).
  'webidentitytoken',
  'token',
  'ldappassword',
]);
const LONGEST_NAME = Math.max(...[...SECRETS].map(({ length }) => length));

/** Maps of a record, and its texts that hold a URI. */
const MAPS = ['requestQuery', 'requestHeader', 'responseHeader'];
const URIS = ['uri', 'request_uri', 'requestPath'];

function isSecret(name: string): boolean {
  return name.length <= LONGEST_NAME && SECRETS.has(name.toLowerCase());
}

function maskedEntry(entry: Fields): Fields {
  const changed = new Map<string, Data>();
  for (const name of MAPS) {
    const map = entry[name];
    if (isFields(map)) changed.set(name, maskedMap(map));
  }
  for (const name of URIS) {
    const uri = entry[name];
    if (typeof uri === 'string') changed.set(name, maskedQueries(uri));
  }
  return changed.size === 0 ? entry : withChanges(entry, changed);
}

/** A referrer may be a signed address too. */
function maskedMap(map: Fields): Fields {
  const changed = new Map<string, Data>();
  for (const [name, value] of Object.entries(map)) {
    if (isSecret(name)) changed.set(name, MASK);
    else if (typeof value === 'string' && value.includes('?')) changed.set(name, maskedQueries(value));
  }
  return changed.size === 0 ? map : withChanges(map, changed);
}

/** Whatever the names are, `__proto__` included. */
function withChanges(fields: Fields, changed: ReadonlyMap<string, Data>): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, changed.get(name) ?? value]));
}

/** Behind `?` or `&` stands a name, then `=`, then a value, which ends where the next name, or what follows, can begin. */
function maskedQueries(text: string): string {
  let masked = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (!isBeforeName(text, at)) continue;
    const equals = at + 1 + nameLength(text, at + 1);
    if (text[equals] !== '=' || !isSecret(text.slice(at + 1, equals))) continue;
    const end = valueEnd(text, equals + 1);
    masked += text.slice(from, equals + 1) + (end > equals + 1 ? MASK : '');
    from = end;
    at = end - 1;
  }
  return masked + text.slice(from);
}

/** Within JSON an ampersand may be written as MinIO does it. */
function isBeforeName(text: string, at: number): boolean {
  const character = text[at];
  return character === '?' || character === '&' || (character === '6' && text.startsWith('\\u0026', at - 5));
}

function nameLength(text: string, from: number): number {
  let at = from;
  while (at - from <= LONGEST_NAME && at < text.length && text[at] !== '=' && !ENDS.has(text[at]!)) at += 1;
  return at - from;
}

function valueEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !ENDS.has(text[at]!)) at += 1;
  return at;
}

const ENDS: ReadonlySet<string> = new Set(['&', '#', ' ', '"', '?', '\\']);

/** JSON that is nested too deep to be written again: its texts are looked at where they stand. */
function maskedJson(text: string): string {
  let masked = '';
  let from = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    const end = stringEnd(text, at);
    const colon = afterBlanks(text, end);
    const isName = text[colon] === ':' && isSecretText(text.slice(at, end));
    at = end;
    if (!isName) continue;
    const start = afterBlanks(text, colon + 1);
    at = valueOfJsonEnd(text, start);
    masked += `${text.slice(from, start)}"${MASK}"`;
    from = at;
  }
  return masked + text.slice(from);
}

/** Names may be written with escapes, each of six characters. */
function isSecretText(quoted: string): boolean {
  if (quoted.length > 6 * LONGEST_NAME + 2) return false;
  if (!quoted.includes('\\')) return isSecret(quoted.slice(1, -1));
  try {
    return isSecret(String(JSON.parse(quoted)));
  } catch {
    return false;
  }
}

/** Behind a text, a list, an object, or whatever else is a value. */
function valueOfJsonEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at);
    else {
      if (character === '[' || character === '{') depth += 1;
      if (character === ']' || character === '}') depth -= 1;
      // The end of what holds this value, or the comma behind it.
      if (depth < 0 || (depth === 0 && character === ',')) return at;
      at += 1;
    }
    if (depth === 0 && '"]}'.includes(character!)) return at;
  }
  return text.length;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at += 1;
  return at;
}
