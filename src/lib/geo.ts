import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseNetwork } from './address.ts';
import { fileStamp, onFileChange } from './file-change.ts';
import { type Mmdb, type MmdbRecord, parseMmdb } from './mmdb.ts';

/** A database in MaxMind format that is read again when its file changes. */
export interface GeoDatabase<T> {
  /** What it tells of an address, or of a network all of which has the same; null if it tells nothing. Never throws. */
  lookup(text: string): T | null;
  /** How often it was read again. */
  readonly revision: number;
  close(): Promise<void>;
}

export interface GeoOptions {
  /** Whether to look out for changes; that does not keep the process alive. */
  readonly follow: boolean;
  /** What cannot be used, with its path, what was found and what was wanted; what was read before goes on. */
  readonly onProblem: (problem: Error) => void;
  /** It was read again, and calls itself so. */
  readonly onRead?: (type: string) => void;
  /** As in `onFileChange`. */
  readonly settleMs?: number;
  readonly lookMs?: number;
}

/** What a database is looked into for: reads it off a record, null if the record does not tell. */
export interface GeoKind<T> {
  /** What the database holds, for error messages. */
  readonly holds: string;
  /** Databases that hold it. */
  readonly examples: string;
  read(record: MmdbRecord): T | null;
}

/** Opens a database; throws an `Error` with its path, what was found and what was wanted. */
export function openGeo<T>(path: string, kind: GeoKind<T>, options: GeoOptions): GeoDatabase<T> {
  const { follow, onProblem, onRead, settleMs = SETTLE_MS, lookMs = LOOK_MS } = options;
  const stamp = fileStamp(path);
  let database = load(path, kind, readNow(path, kind));
  let revision = 0;
  let damaged = false;
  const known = new Map<string, T | null>();

  async function read(): Promise<void> {
    database = load(path, kind, await readLater(path, kind));
    revision += 1;
    damaged = false;
    known.clear();
    onRead?.(database.type);
  }

  const changes = follow ? onFileChange(path, { stamp, read, onProblem, settleMs, lookMs }) : null;
  return {
    lookup: (text) => {
      const answer = known.get(text);
      if (answer !== undefined) return answer;
      const network = parseNetwork(text);
      if (network === null) return null;
      try {
        const record = database.lookup(network);
        const found = record && kind.read(record);
        if (text.length <= LONGEST_REMEMBERED) remember(known, text, found);
        return found;
      } catch (cause) {
        if (!damaged) onProblem(new Error(`${path}: found damage, ${wish(kind)}`, { cause }));
        damaged = true;
        return null;
      }
    },
    get revision() {
      return revision;
    },
    close: async () => changes?.close(),
  };
}

/**
 * Country where an address is used, as two capital letters of ISO 3166: `country.iso_code` of MaxMind and DB-IP,
 * `country_code` (or a `country` that is one) of others. Not the country where it is registered, which is another fact.
 */
export const COUNTRY: GeoKind<string> = {
  holds: 'countries',
  examples: 'GeoLite2-Country, GeoLite2-City or DBIP-Country-Lite',
  read: ({ country, country_code: flat }) => {
    const code = isRecord(country) ? country.iso_code : (flat ?? country);
    return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : null;
  },
};

/** An autonomous system: its number as `AS64500`, and the organisation that runs it, if it is told. */
export interface AutonomousSystem {
  readonly number: string;
  readonly organization: string | null;
}

/**
 * Autonomous system of an address: `autonomous_system_number` and `autonomous_system_organization` of MaxMind (in
 * `traits` of its enterprise database) and DB-IP, `asn` and `as_name` of others.
 */
export const AUTONOMOUS_SYSTEM: GeoKind<AutonomousSystem> = {
  holds: 'numbers of autonomous systems',
  examples: 'GeoLite2-ASN or DBIP-ASN-Lite',
  read: (record) => {
    const told = isRecord(record.traits) ? record.traits : record;
    const digits = /^(?:AS)?([1-9][0-9]{0,9})$/.exec(String(told.autonomous_system_number ?? told.asn))?.[1];
    if (digits === undefined) return null;
    const name = told.autonomous_system_organization ?? told.as_name;
    return { number: `AS${digits}`, organization: typeof name === 'string' && name !== '' ? name : null };
  },
};

const SETTLE_MS = 500;
const LOOK_MS = 60_000;
/** Answers that are remembered, and the longest of their questions. */
const MOST_REMEMBERED = 10_000;
const LONGEST_REMEMBERED = 64;
/** Records that are looked at for what a database should hold. */
const MOST_TRIED = 100;
/** What Node.js reads at once. */
const MOST_BYTES = 2 ** 31 - 1;

function readNow<T>(path: string, kind: GeoKind<T>): Buffer {
  try {
    refuseOdd(statSync(path));
    return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, kind, cause);
  }
}

async function readLater<T>(path: string, kind: GeoKind<T>): Promise<Buffer> {
  try {
    refuseOdd(statSync(path));
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, kind, cause);
  }
}

/** To read a pipe would wait for somebody to write to it. */
function refuseOdd(stats: Stats): void {
  if (!stats.isFile()) throw new Error(`found ${stats.isDirectory() ? 'a directory' : 'no plain file'}`);
  if (stats.size > MOST_BYTES) throw new Error(`found more than ${MOST_BYTES} bytes`);
}

function unreadable<T>(path: string, kind: GeoKind<T>, cause: unknown): Error {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  let found = cause instanceof Error ? cause.message : String(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') found = 'found no such file';
  if (code === 'EACCES') found = 'found no permission to read it';
  return new Error(`${path}: ${found}, ${wish(kind)}`, { cause });
}

function load<T>(path: string, kind: GeoKind<T>, bytes: Buffer): Mmdb {
  try {
    const database = parseMmdb(bytes);
    if (!hasSome(database, kind))
      throw new Error(`found a database of type ${JSON.stringify(database.type)}, ${wish(kind)}`);
    return database;
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** What the records hold decides: names of types differ from publisher to publisher. */
function hasSome<T>(database: Mmdb, kind: GeoKind<T>): boolean {
  let tried = 0;
  for (const record of database.some()) {
    if (kind.read(record) !== null) return true;
    if (++tried === MOST_TRIED) break;
  }
  return false;
}

function wish<T>({ holds, examples }: GeoKind<T>): string {
  return `wanted a database of ${holds} in MaxMind format, such as ${examples}`;
}

function remember<T>(known: Map<string, T>, text: string, answer: T): void {
  if (known.size >= MOST_REMEMBERED) {
    for (const oldest of known.keys()) {
      known.delete(oldest);
      break;
    }
  }
  known.set(text, answer);
}

function isRecord(value: unknown): value is MmdbRecord {
  return typeof value === 'object' && value !== null;
}
