import { ADDRESS_BITS, addressText, type Network, parseAddress, parseNetwork } from './address.ts';

/** Names of classes with the networks of each, as `203.0.113.0/24`. */
export type Classes = Iterable<readonly [name: string, cidrs: readonly string[]]>;

/** A network that cannot be used: of which class, at which place in its list, and what is wrong. */
export interface ClassProblem {
  readonly name: string;
  readonly index: number;
  readonly text: string;
}

/**
 * The class of an address, or of a network all of which lies in one: that of the network with the longest prefix. Null
 * for what is in no class, and for what is neither.
 */
export type ClassOf = (text: string) => string | null;

/** Compiles classes; throws an `Error` with a line for each network that cannot be used. */
export function compileClasses(classes: Classes): ClassOf {
  const { tables, problems } = compile(classes);
  if (problems.length > 0) throw new Error(problems.map(({ name, text }) => `${name}: ${text}`).join('\n'));
  return (text) => {
    const network = parseNetwork(text);
    if (network === null) return null;
    for (const { bits, names } of tables[network.version]) {
      // A smaller network within this one says nothing of all of it.
      if (bits > network.bits) continue;
      const name = names.get(prefixOf(network, bits));
      if (name !== undefined) return name;
    }
    return null;
  };
}

/** All networks that cannot be used, for a report of more than the first. */
export function classProblems(classes: Classes): readonly ClassProblem[] {
  return compile(classes).problems;
}

/** A network as it is configured: with its length, and nothing below it. Throws with what was found and wanted. */
export function parseCidr(text: string): Network {
  const network = parseNetwork(text);
  const found = `found ${JSON.stringify(text.slice(0, 80))}`;
  if (network === null) throw new Error(`${found}, wanted ${lengthWish(text) ?? CIDR_WISH}`);
  const address = parseAddress(text.split('/', 1)[0] ?? '');
  const alone = address && `${addressText(address)}/${address.bits}`;
  if (!text.includes('/')) throw new Error(`${found}, wanted perhaps ${alone}, a network with its length`);
  if (address?.value === network.value) return network;
  const meant = `${addressText(network)}/${network.bits}`;
  throw new Error(`${found} with bits below its length, wanted perhaps ${meant}, or ${alone} for the one address`);
}

const CIDR_WISH = 'a network such as 203.0.113.0/24 or 2001:db8::/32';

/** The networks of one length. */
interface Table {
  readonly bits: number;
  /** Classes by prefix. */
  readonly names: Map<bigint, string>;
}

interface Compiled {
  /** By version of the address, the longest prefixes first. There are few lengths, so this is as good as a tree. */
  readonly tables: Readonly<Record<4 | 6, readonly Table[]>>;
  readonly problems: readonly ClassProblem[];
}

function compile(classes: Classes): Compiled {
  const tables = { 4: new Map<number, Table>(), 6: new Map<number, Table>() };
  const problems: ClassProblem[] = [];
  for (const [name, cidrs] of classes) {
    for (const [index, cidr] of cidrs.entries()) {
      try {
        add(tables, name, cidr);
      } catch (error) {
        problems.push({ name, index, text: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  const longestFirst = (found: ReadonlyMap<number, Table>) => [...found.values()].toSorted((a, b) => b.bits - a.bits);
  return { tables: { 4: longestFirst(tables[4]), 6: longestFirst(tables[6]) }, problems };
}

function add(tables: Readonly<Record<4 | 6, Map<number, Table>>>, name: string, cidr: string): void {
  const network = parseCidr(cidr);
  const { version, bits } = network;
  const table = tables[version].get(bits) ?? { bits, names: new Map<bigint, string>() };
  tables[version].set(bits, table);
  const prefix = prefixOf(network, bits);
  const other = table.names.get(prefix) ?? name;
  if (other !== name) throw new Error(`found ${cidr} in ${JSON.stringify(other)}, too, wanted it in one class`);
  table.names.set(prefix, name);
}

function prefixOf({ version, value }: Network, bits: number): bigint {
  return value >> BigInt(ADDRESS_BITS[version] - bits);
}

/** What is wanted of a length, where all before it is fine. */
function lengthWish(text: string): string | null {
  const [plain = '', ...length] = text.split('/');
  const address = length.length === 1 && !plain.includes('%') ? parseAddress(plain) : null;
  if (address === null) return null;
  // A mapped address is written with the length of the longer one.
  const isMapped = address.version === 4 && plain.includes(':');
  return `a length from ${isMapped ? '96 to 128' : `0 to ${address.bits}`} after its slash`;
}
