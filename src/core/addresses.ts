import type { Logger } from 'pino';
import { networkOf, parseNetwork } from '../lib/address.ts';
import { compileClasses } from '../lib/cidr.ts';
import { AUTONOMOUS_SYSTEM, COUNTRY, type GeoDatabase, type GeoKind, openGeo } from '../lib/geo.ts';
import { type AddressesConfig, addressesConfig } from './addresses-config.ts';

/**
 * What labels may tell of an address, or of a network all of which is alike, such as `2001:db8::/64`: each of it null for
 * what is neither, and for what is not known. None of it throws.
 */
export interface Addresses {
  /** The network of an address, such as `203.0.113.0/24`; of the configured length where none is given. */
  networkOf(
    address: string,
    bits?: { readonly ipv4?: number | undefined; readonly ipv6?: number | undefined },
  ): string | null;
  /** The configured class; `world` where there are classes and it is in none. */
  classOf(address: string): string | null;
  /** Two letters of ISO 3166. */
  countryOf(address: string): string | null;
  /** Number of the autonomous system, such as `AS64500`. */
  asnOf(address: string): string | null;
  /** Who runs the autonomous system, as the database calls them. */
  organizationOf(address: string): string | null;
  /** Goes up when a database was read again: answers that were remembered may be wrong since. */
  readonly revision: number;
  /** Lets go of the databases' files. */
  close(): Promise<void>;
}

export interface AddressesOptions {
  /** Whether changed databases are read again. */
  readonly follow: boolean;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Opens what the configuration names. Throws an `Error` with the option, the path, what was found and what was wanted for
 * each database that cannot be used; one that cannot be used later is logged, and what was read before goes on.
 */
export function openAddresses(config: AddressesConfig, { follow, log }: AddressesOptions): Addresses {
  const { prefix } = config;
  const hasClasses = Object.keys(config.classes).length > 0;
  const classOf = compileClasses(Object.entries(config.classes));
  const databases: GeoDatabase<unknown>[] = [];
  const problems: string[] = [];
  const countries = database('country', COUNTRY);
  const systems = database('asn', AUTONOMOUS_SYSTEM);
  if (problems.length > 0) {
    // What was opened would only keep a file watched.
    for (const opened of databases) void opened.close();
    throw new Error(problems.join('; '));
  }

  function database<T>(option: 'country' | 'asn', kind: GeoKind<T>): GeoDatabase<T> | null {
    const path = config[option];
    if (path === null) return null;
    try {
      const opened = openGeo(path, kind, {
        follow,
        onProblem: ({ message }) => log.warn({ option, problem: message }, 'database of addresses cannot be read'),
        onRead: (type) => log.info({ option, path, type }, 'database of addresses read again'),
      });
      databases.push(opened);
      return opened;
    } catch (error) {
      problems.push(`addresses.${option}: ${error instanceof Error ? error.message : error}`);
      return null;
    }
  }

  return {
    networkOf: (address, { ipv4 = prefix.ipv4, ipv6 = prefix.ipv6 } = {}) => networkOf(address, { ipv4, ipv6 }),
    classOf: (address) => (hasClasses ? (classOf(address) ?? (parseNetwork(address) ? WORLD : null)) : null),
    countryOf: (address) => countries?.lookup(address) ?? null,
    asnOf: (address) => systems?.lookup(address)?.number ?? null,
    organizationOf: (address) => systems?.lookup(address)?.organization ?? null,
    get revision() {
      return databases.reduce((sum, { revision }) => sum + revision, 0);
    },
    close: async () => {
      await Promise.all(databases.map((opened) => opened.close()));
    },
  };
}

/** The class of what is in no class. */
const WORLD = 'world';

/** Where nothing is configured: there are networks of the usual lengths, and nothing else is known. */
export const NO_ADDRESSES: Addresses = openAddresses(addressesConfig.parse(undefined), {
  follow: false,
  log: { info: () => {}, warn: () => {} },
});
