import { isIPv4 } from 'node:net';
import type { Data } from '../../core/event.ts';
import { addressText, parseAddress } from '../../lib/address.ts';
import { headerOf } from './fields.ts';

/**
 * The address of who asked: the first of `X-Forwarded-For`, else `X-Real-Ip`, else what the store saw; whichever is an
 * address at all. Null if none is.
 */
export function clientAddress(headers: Data | undefined, remote: Data | undefined): string | null {
  return (
    headerOf(headers, 'X-Forwarded-For', firstAddress) ??
    headerOf(headers, 'X-Real-Ip', plainAddress) ??
    plainAddress(remote)
  );
}

/**
 * An address without port, brackets and zone, IPv6 in its shortest form, an IPv4-mapped one as IPv4. Null if the value
 * is none.
 */
export function plainAddress(value: Data | undefined): string | null {
  if (typeof value !== 'string' || value.length > LONGEST) return null;
  const text = withoutPort(value.trim());
  if (isIPv4(text)) return text;
  const address = parseAddress(text);
  return address && addressText(address);
}

/** Of an address with zone, brackets and port; there are no longer ones that mean anything. */
const LONGEST = 128;

function firstAddress(value: Data | undefined): string | null {
  if (typeof value !== 'string') return null;
  const comma = value.indexOf(',');
  return plainAddress(comma < 0 ? value : value.slice(0, comma));
}

function withoutPort(text: string): string {
  if (text.startsWith('[')) return text.slice(1, Math.max(1, text.indexOf(']')));
  const colon = text.indexOf(':');
  // With a second colon it is IPv6, which has a port only behind brackets.
  return colon >= 0 && !text.includes(':', colon + 1) ? text.slice(0, colon) : text;
}
