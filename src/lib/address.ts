import { isIP } from 'node:net';

/** An address, or a network of addresses, in a form that can be compared. */
export interface Network {
  readonly version: 4 | 6;
  /** Of its first address, as a number of 32 or 128 bits. */
  readonly value: bigint;
  /** Length of its prefix: 32 or 128 for a single address. */
  readonly bits: number;
}

/** Bits of an address of each version. */
export const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

/**
 * An address, with or without a zone (`%eth0`, which is left out); null if the text is none. An IPv4-mapped IPv6 address
 * (`::ffff:203.0.113.9`) is the IPv4 address that it stands for.
 */
export function parseAddress(text: string): Network | null {
  const version = isIP(text);
  if (version === 4) return { version, value: numberOf(text.split('.').map(Number), 8n), bits: 32 };
  if (version !== 6) return null;
  const value = numberOf(groupsOf(text), 16n);
  return value >> 32n === MAPPED
    ? { version: 4, value: value & 0xffff_ffffn, bits: 32 }
    : { version, value, bits: 128 };
}

/** An address, or a network such as `203.0.113.0/24` with whatever bits below its prefix; null if the text is neither. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  if (slash < 0) return parseAddress(text);
  const plain = text.slice(0, slash);
  const address = parseAddress(plain);
  const length = text.slice(slash + 1);
  if (address === null || plain.includes('%') || !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return null;
  // The prefix of a mapped address counts from the beginning of the longer one.
  const bits = Number(length) - (address.version === 4 && plain.includes(':') ? 96 : 0);
  const dropped = BigInt(address.bits - bits);
  if (bits < 0 || dropped < 0n) return null;
  return { ...address, value: (address.value >> dropped) << dropped, bits };
}

/** The first address of a network, without its length: IPv6 in its shortest form (RFC 5952). */
export function addressText({ version, value }: Network): string {
  if (version === 4) return partsOf(value, { size: 8, count: 4 }).join('.');
  return shortest(partsOf(value, { size: 16, count: 8 }));
}

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

/** The upper 96 bits of an IPv4-mapped address. */
const MAPPED = 0xffffn;

function numberOf(parts: readonly number[], size: bigint): bigint {
  return parts.reduce((sum, part) => (sum << size) | BigInt(part), 0n);
}

function partsOf(value: bigint, { size, count }: { size: number; count: number }): readonly number[] {
  return Array.from({ length: count }, (_, index) =>
    Number(BigInt.asUintN(size, value >> BigInt(size * (count - 1 - index)))),
  );
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
