import { resultsAhead } from '../ahead.ts';
import { foldersIn } from './folders.ts';
import { DAY_MS, dayPath, type Found, type Listing, type Plan, type Span } from './plan.ts';
import type { ObjectStore } from './store.ts';

/** How day folders are laid out below a prefix: `…/YYYY/MM/DD/…`. */
export interface DatedOptions {
  /** Empty, or ends with a slash, or is the beginning of a name. */
  readonly prefix: string;
  readonly lookBackMs: number;
  /** Whether a folder, given without the prefix and with its slash, may hold days somewhere below. */
  readonly isBranch: (folder: string) => boolean;
  /** A key without the prefix. */
  readonly find: (key: string, size: number) => Found;
  readonly now: () => number;
}

/** Days before today that are listed whatever was listed before. */
const OPEN_DAYS = 3;
/** Folders are looked for so often, in milliseconds. */
const FOLDERS_MS = 600_000;
/** Folders that are gone into, at most: in one another, and in all. */
const DEEPEST = 12;
const MOST_FOLDERS = 100_000;
/** Folders that are looked into at once. */
const AT_ONCE = 8;

/**
 * Finds the folders that hold years by going down from the prefix, and lists each of these from the first day that is
 * asked for: its keys sort by time, so that is one call if there is not much.
 */
export function datedPlan({ prefix, lookBackMs, isBranch, find, now }: DatedOptions): Plan {
  let bases: readonly string[] = [];
  let foundAt = Number.NEGATIVE_INFINITY;
  return {
    prefix,
    lookBackMs,
    find: (key, size) => (key.startsWith(prefix) ? find(key.slice(prefix.length), size) : { kind: 'nothing' }),
    listings: async function* (store: ObjectStore, { from, to }: Span, signal: AbortSignal): AsyncGenerator<Listing> {
      if (now() - foundAt >= FOLDERS_MS || bases.length === 0) {
        bases = await findBases(store, { prefix, isBranch }, signal);
        foundAt = now();
      }
      const open = Math.min(from, to - OPEN_DAYS * DAY_MS);
      // A key of the first day itself sorts behind the name of its folder without the slash.
      const day = open > 0 ? dayPath(open) : null;
      for (const base of bases) {
        // What is behind the digits has no year, or one that is found by itself.
        const until = base + BEHIND_DIGITS;
        yield { prefix: base, startAfter: day === null ? null : base + day, until, flat: false, ordered: true };
      }
    },
  };
}

async function findBases(
  store: ObjectStore,
  { prefix, isBranch }: Pick<DatedOptions, 'prefix' | 'isBranch'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const bases: string[] = [];
  let level = [prefix];
  let looked = 0;
  for (let depth = 0; level.length > 0 && depth < DEEPEST; depth++) {
    const next: string[] = [];
    looked += level.length;
    if (looked > MOST_FOLDERS) {
      const below = `below ${JSON.stringify(prefix)}`;
      throw new Error(`${store.name}: found more than ${MOST_FOLDERS} folders ${below}, wanted fewer`);
    }
    for await (const [folder, inner] of resultsAhead(level, AT_ONCE, (one) => foldersIn(store, one, signal))) {
      if (inner.some((name) => YEAR.test(name.slice(folder.length)))) bases.push(folder);
      for (const name of inner) {
        const isYear = YEAR.test(name.slice(folder.length));
        if (!isYear && isBranch(name.slice(prefix.length))) next.push(name);
      }
    }
    level = next;
  }
  return bases;
}

/** The character that follows 9. */
const BEHIND_DIGITS = ':';
const YEAR = /^[0-9]{4}\/$/;
