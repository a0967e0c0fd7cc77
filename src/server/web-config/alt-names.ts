import { isIP } from 'node:net';

const TYPES: ReadonlySet<string> = new Set(['DNS', 'IP Address', 'email', 'URI']);
/** Node.js writes a name as a JSON string if it holds a character by which it could pass for several names. */
const QUOTED = /"(?:[^"\\]|\\.)*"/y;

/**
 * The DNS names, addresses, e-mail addresses and URIs of a certificate, from the text that Node.js gives for its
 * subject alternative names (`X509Certificate.subjectAltName`). IP addresses are in their shortest form. A text that
 * cannot be read gives no names.
 */
export function altNames(text: string | undefined): readonly string[] {
  const names: string[] = [];
  let at = 0;
  while (text !== undefined && at < text.length) {
    const colon = text.indexOf(':', at);
    if (colon === -1) return [];
    const type = text.slice(at, colon);
    let end = text.indexOf(', ', colon);
    if (end === -1) end = text.length;
    let name = text.slice(colon + 1, end);
    if (text[colon + 1] === '"') {
      QUOTED.lastIndex = colon + 1;
      const found = QUOTED.exec(text)?.[0];
      if (found === undefined) return [];
      name = unquote(found);
      end = colon + 1 + found.length;
      if (end < text.length && !text.startsWith(', ', end)) return [];
    }
    if (TYPES.has(type)) names.push(type === 'IP Address' ? plainAddress(name) : name);
    at = end + 2;
  }
  return names;
}

/** An IPv6 address in its shortest form (RFC 5952); any other text as it is. */
export function plainAddress(name: string): string {
  return isIP(name) === 6 && !name.includes('%') ? new URL(`http://[${name}]/`).hostname.slice(1, -1) : name;
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}
