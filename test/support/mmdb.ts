import { ADDRESS_BITS, parseNetwork } from '../../src/lib/address.ts';

/** What a database may hold; whole numbers are written with 32 bits. */
export type MmdbValue = string | number | boolean | readonly MmdbValue[] | { readonly [key: string]: MmdbValue };

export interface MmdbOptions {
  readonly type: string;
  /** IPv4 addresses stand in the tree of an IPv6 database under `::/96`; 6 if it is not given. */
  readonly ipVersion?: 4 | 6;
  /** Bits of each of the two records of a node; 28 if it is not given. */
  readonly recordSize?: 24 | 28 | 32;
  /** To change single items of the metadata. */
  readonly metadata?: Readonly<Record<string, MmdbValue>>;
}

/**
 * A database in MaxMind format 2.0 (https://maxmind.github.io/MaxMind-DB/) that has these values for these networks,
 * such as `203.0.113.0/24`. Of networks in one another the larger one has to come first.
 */
export function mmdb(networks: Iterable<readonly [cidr: string, value: MmdbValue]>, options: MmdbOptions): Buffer {
  const { type, ipVersion = 6, recordSize = 28, metadata = {} } = options;
  const root: Node = [null, null];
  const data = new DataSection();
  for (const [cidr, value] of networks) insert(root, pathOf(cidr, ipVersion), data.add(value));
  const nodes = numbered(root);
  const tree = [...nodes.keys()].map((node) => nodeBytes(node, { nodes, recordSize }));
  const about = {
    node_count: nodes.size,
    record_size: recordSize,
    ip_version: ipVersion,
    database_type: type,
    languages: ['en'],
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_767_225_600,
    description: { en: 'A database for tests' },
    ...metadata,
  };
  const separator = Buffer.alloc(16);
  return Buffer.concat([...tree, separator, data.bytes(), METADATA_MARKER, encode(about)]);
}

/** Countries of the networks for documentation, as GeoLite2-Country has them. */
export function countryDatabase(options: Partial<MmdbOptions> = {}): Buffer {
  const country = (code: string, name: string) => ({
    continent: { code: 'EU', names: { en: 'Europe' } },
    country: { geoname_id: 1, iso_code: code, names: { de: name, en: name, fr: name } },
    registered_country: { geoname_id: 2, iso_code: 'ZZ', names: { en: 'Elsewhere' } },
  });
  const networks: [string, MmdbValue][] = [
    ['192.0.2.0/24', country('DE', 'Germany')],
    ['198.51.100.0/25', country('FR', 'France')],
    ['198.51.100.128/25', { registered_country: { iso_code: 'ZZ' } }],
    ['203.0.113.0/24', country('SE', 'Sweden')],
  ];
  if (options.ipVersion !== 4) networks.push(['2001:db8::/32', country('NL', 'Netherlands')]);
  return mmdb(networks, { type: 'GeoLite2-Country', ...options });
}

/** Autonomous systems of the networks for documentation, as GeoLite2-ASN has them. */
export function asnDatabase(options: Partial<MmdbOptions> = {}): Buffer {
  const system = (number: number, name: string) => ({
    autonomous_system_number: number,
    autonomous_system_organization: name,
  });
  const networks: [string, MmdbValue][] = [
    ['192.0.2.0/24', system(64_500, 'Example Net')],
    ['198.51.100.0/24', { autonomous_system_number: 4_200_000_000 }],
    ['203.0.113.0/24', system(64_501, 'Exämple "Two"')],
  ];
  if (options.ipVersion !== 4) networks.push(['2001:db8::/32', system(64_502, 'Example Six')]);
  return mmdb(networks, { type: 'GeoLite2-ASN', ...options });
}

const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/** A node of the tree; a number is an offset into the data section, null is nothing. */
type Node = [Branch, Branch];
type Branch = Node | number | null;

function pathOf(cidr: string, ipVersion: 4 | 6): readonly (0 | 1)[] {
  const network = parseNetwork(cidr);
  if (network === null || (ipVersion === 4 && network.version === 6)) throw new Error(`no network: ${cidr}`);
  const { version, value, bits } = network;
  const own = Array.from({ length: bits }, (_, depth) =>
    (value >> BigInt(ADDRESS_BITS[version] - 1 - depth)) & 1n ? 1 : 0,
  );
  return version === 4 && ipVersion === 6 ? [...new Array<0>(96).fill(0), ...own] : own;
}

function insert(root: Node, path: readonly (0 | 1)[], offset: number): void {
  let node = root;
  for (const [depth, bit] of path.entries()) {
    if (depth === path.length - 1) {
      node[bit] = offset;
      return;
    }
    const next = node[bit];
    // What was one leaf becomes two.
    node = node[bit] = Array.isArray(next) ? next : [next, next];
  }
  throw new Error('the root cannot be a leaf');
}

function numbered(root: Node): ReadonlyMap<Node, number> {
  const nodes = new Map<Node, number>([[root, 0]]);
  // A Map gives what is added while it is gone through.
  for (const node of nodes.keys()) for (const next of node) if (Array.isArray(next)) nodes.set(next, nodes.size);
  return nodes;
}

function nodeBytes(
  [left, right]: Node,
  { nodes, recordSize }: { readonly nodes: ReadonlyMap<Node, number>; readonly recordSize: 24 | 28 | 32 },
): Buffer {
  const pointer = (branch: Branch) => {
    if (Array.isArray(branch)) return nodes.get(branch) ?? 0;
    return branch === null ? nodes.size : nodes.size + 16 + branch;
  };
  const [a, b] = [pointer(left), pointer(right)];
  const bytes = Buffer.alloc(recordSize / 4);
  const size = Math.floor(recordSize / 8);
  bytes.writeUIntBE(recordSize === 28 ? a % 2 ** 24 : a, 0, size);
  bytes.writeUIntBE(recordSize === 28 ? b % 2 ** 24 : b, bytes.length - size, size);
  // The byte in the middle has the upper four bits of both.
  if (recordSize === 28) bytes[3] = (Math.floor(a / 2 ** 24) << 4) | Math.floor(b / 2 ** 24);
  return bytes;
}

/** The values one after another; one that is there already is pointed to. */
class DataSection {
  readonly #parts: Buffer[] = [];
  readonly #offsets = new Map<string, number>();
  #length = 0;

  add(value: MmdbValue): number {
    const key = JSON.stringify(value);
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    // Inner values go first, so that they can be pointed to.
    const bytes = encode(value, (inner) => (typeof inner === 'object' ? this.add(inner) : null));
    const offset = this.#length;
    this.#parts.push(bytes);
    this.#length += bytes.length;
    this.#offsets.set(key, offset);
    return offset;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function encode(value: MmdbValue, offsetOf: (inner: MmdbValue) => number | null = () => null): Buffer {
  const inner = (item: MmdbValue): Buffer => {
    const offset = offsetOf(item);
    return offset === null ? encode(item) : pointerBytes(offset);
  };
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return control(14, value ? 1 : 0);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), bytes]);
  }
  if (isList(value)) return Buffer.concat([control(11, value.length), ...value.map(inner)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(([key, item]) => [encode(key), inner(item)])]);
}

function isList(value: readonly MmdbValue[] | object): value is readonly MmdbValue[] {
  return Array.isArray(value);
}

/** Type and size; types above 7 stand in a byte of their own. */
function control(type: number, size: number): Buffer {
  if (size >= 285) throw new Error(`found a size of ${size}, wanted less than 285`);
  const bits = (type > 7 ? 0 : type << 5) | Math.min(size, 29);
  return Buffer.from([bits, ...(type > 7 ? [type - 7] : []), ...(size >= 29 ? [size - 29] : [])]);
}

/** A pointer of the longest form, whose value stands in four bytes. */
function pointerBytes(offset: number): Buffer {
  const bytes = Buffer.alloc(5, 0b001_11_000);
  bytes.writeUInt32BE(offset, 1);
  return bytes;
}
