import { isIP } from 'node:net';

/**
 * The network of an address: `203.0.113.0/24` of `203.0.113.9` with 24 bits, IPv6 in its shortest form (RFC 5952).
 * Null if the text is no address.
 */
export function networkOf(address: string, bits: { readonly ipv4: number; readonly ipv6: number }): string | null {
  const version = isIP(address);
  if (version === 4) {
    const bytes = masked(address.split('.').map(Number), { size: 8, bits: bits.ipv4 });
    return `${bytes.join('.')}/${bits.ipv4}`;
  }
  if (version === 6) {
    const groups = masked(groupsOf(address), { size: 16, bits: bits.ipv6 });
    return `${shortest(groups)}/${bits.ipv6}`;
  }
  return null;
}

function masked(parts: readonly number[], { size, bits }: { size: number; bits: number }): readonly number[] {
  return parts.map((part, index) => {
    const dropped = Math.min(size, Math.max(0, size * (index + 1) - bits));
    return (part >> dropped) << dropped;
  });
}

/** The eight groups of an IPv6 address, which may have a zone (`%eth0`), `::` and an IPv4 address at its end. */
function groupsOf(address: string): readonly number[] {
  const [plain = ''] = address.split('%');
  const [before = '', after] = plain.split('::');
  const head = pieces(before);
  const tail = pieces(after ?? '');
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function pieces(text: string): readonly number[] {
  return text.split(':').flatMap((piece) => {
    if (piece === '') return [];
    if (!piece.includes('.')) return [Number.parseInt(piece, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = piece.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The first of the longest runs of two or more zero groups becomes `::`. */
function shortest(groups: readonly number[]): string {
  let [start, length] = [0, 1];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
