import { createRequire } from 'node:module';
import { addressText, type Network } from './address.ts';

/** A database in MaxMind format (https://maxmind.github.io/MaxMind-DB/), in memory. */
export interface Mmdb {
  /** What its publisher calls it, such as `GeoLite2-Country`. */
  readonly type: string;
  /** The record of an address, or of a network all of which has the same one; null if there is none. Throws if it is damaged. */
  lookup(network: Network): MmdbRecord | null;
  /** Some of its records, from the lowest address on. */
  some(): Iterable<MmdbRecord>;
}

export type MmdbRecord = Readonly<Record<string, unknown>>;

/** Checks a database; throws an `Error` with what was found and what was wanted. */
export function parseMmdb(bytes: Buffer): Mmdb {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new Error(`found a file packed with gzip, ${WISH}`);
  const marker = bytes.lastIndexOf(MARKER);
  if (marker < 0 || bytes.length - marker > LONGEST_METADATA) {
    throw new Error(`found no metadata of MaxMind at the end of the file, ${WISH}`);
  }
  const reader = readerOf(bytes);
  const { metadata } = reader;
  // The reader takes the metadata as they come.
  const { binaryFormatMajorVersion: version, ipVersion, nodeCount, searchTreeSize, databaseType } = metadata;
  if (version !== 2) throw new Error(`found version ${version} of the format, wanted version 2`);
  const isSound =
    (ipVersion === 4 || ipVersion === 6) && Number.isSafeInteger(nodeCount) && nodeCount > 0 && marker > searchTreeSize;
  if (!isSound) throw new Error(`found metadata that do not fit the file, ${WISH}`);
  const bits = ipVersion === 4 ? 32 : 128;

  function find(network: Network): { readonly record: MmdbRecord | null; readonly depth: number } {
    const [record, depth] = reader.getWithPrefixLength(addressText(network));
    return { record: typeof record === 'object' && record !== null ? (record as MmdbRecord) : null, depth };
  }

  return {
    type: String(databaseType),
    lookup: (network) => {
      // The reader would look for the beginning of an IPv6 address among the IPv4 ones.
      if (network.version === 6 && ipVersion === 4) return null;
      const { record, depth } = find(network);
      return depth > network.bits ? null : record;
    },
    *some() {
      let value = 0n;
      for (let looked = 0; looked < MOST_LOOKED_AT && value >> BigInt(bits) === 0n; looked++) {
        const { record, depth } = find({ version: ipVersion, value, bits });
        if (record !== null) yield record;
        const below = BigInt(bits - depth);
        value = ((value >> below) + 1n) << below;
      }
    },
  };
}

const require = createRequire(import.meta.url);

const WISH = 'wanted a whole database in MaxMind format (.mmdb)';
/** What the metadata stand behind, at most so many bytes from the end. */
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const LONGEST_METADATA = 128 * 1024;
/** Networks that are looked at for some records. */
const MOST_LOOKED_AT = 1000;

function readerOf(bytes: Buffer) {
  // Most configurations name no database.
  const { Reader } = require('mmdb-lib') as typeof import('mmdb-lib');
  try {
    return new Reader<never>(bytes);
  } catch (cause) {
    throw new Error(`found metadata that cannot be read, ${WISH}`, { cause });
  }
}
