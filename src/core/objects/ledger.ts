import type { StoredObject } from '../../lib/objects/store.ts';
import type { SavedEntries } from '../source.ts';

/**
 * What became of an object:
 * - `done`: its records are counted. `ignored`: it is no log.
 * - `changed`: it was put there again with other content, of which nothing is counted.
 * - `failed`: its content is broken; it is tried again. `quarantined`: it was tried often enough.
 */
export type ObjectState = 'done' | 'ignored' | 'changed' | 'failed' | 'quarantined';

/** What was counted of an object: bytes of its unpacked content, and their CRC-32. */
export interface Counted {
  readonly records: number;
  readonly length: number;
  readonly crc: number;
}

/** What is known of a key. */
export interface LedgerEntry extends Counted {
  readonly etag: string;
  readonly size: number;
  readonly state: ObjectState;
  /** Tries that failed. */
  readonly tries: number;
  /** When to try again, in milliseconds since 1970. */
  readonly next: number;
  /** What is wrong with it; empty if nothing is. */
  readonly problem: string;
}

type SavedEntry = readonly [string, number, ObjectState, number, number, number, number, number, string];

interface Kept {
  readonly entry: LedgerEntry;
  /** When a listing last showed it, in milliseconds since 1970. */
  seen: number;
}

/** Prefixes of what is saved. */
const KEY = 'object ';
const FLOOR = 'floor ';

export interface LedgerOptions {
  /** Whether changes are taken to be saved. */
  readonly isSaved: boolean;
}

/** An entry for every key that a listing may still show. */
export class Ledger {
  readonly #isSaved: boolean;
  readonly #entries = new Map<string, Kept>();
  readonly #floors = new Map<string, string>();
  #changed = new Map<string, unknown>();

  constructor({ isSaved }: LedgerOptions) {
    this.#isSaved = isSaved;
  }

  get(key: string): LedgerEntry | null {
    return this.#entries.get(key)?.entry ?? null;
  }

  /** Whether an object is known as it is, so that there is nothing to do about it (yet). */
  isSettled({ key, etag, size }: StoredObject, now: number): boolean {
    const kept = this.#entries.get(key);
    if (!kept) return false;
    kept.seen = now;
    const { entry } = kept;
    if (entry.state === 'ignored') return true;
    return entry.etag === etag && entry.size === size && (entry.state !== 'failed' || entry.next > now);
  }

  set(key: string, entry: LedgerEntry, now: number): void {
    this.#entries.set(key, { entry, seen: now });
    const { etag, size, state, tries, next, records, length, crc, problem } = entry;
    this.#change(KEY + key, [etag, size, state, tries, next, records, length, crc, problem] satisfies SavedEntry);
  }

  /** The key behind which a listing of this prefix may begin. */
  floor(prefix: string): string | null {
    return this.#floors.get(prefix) ?? null;
  }

  /**
   * All keys of a prefix up to this one are handled, and its listing will not show them again. Another one may: they are
   * forgotten once none does.
   */
  raise(prefix: string, floor: string): void {
    this.#floors.set(prefix, floor);
    this.#change(FLOOR + prefix, floor);
  }

  /** Forgets keys that no listing has shown since a time, but for those that are to be tried again. */
  sweep(time: number): void {
    for (const [key, { entry, seen }] of this.#entries) if (seen < time && entry.state !== 'failed') this.forget(key);
  }

  forget(key: string): void {
    if (this.#entries.delete(key)) this.#change(KEY + key, undefined);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Keys in a state. */
  *inState(state: ObjectState): Generator<readonly [key: string, entry: LedgerEntry]> {
    for (const [key, { entry }] of this.#entries) if (entry.state === state) yield [key, entry];
  }

  takeChanges(): SavedEntries {
    const changes = [...this.#changed];
    this.#changed = new Map();
    return changes;
  }

  restore(entries: SavedEntries, now: number): void {
    for (const [key, value] of entries) {
      if (key.startsWith(FLOOR)) this.#floors.set(key.slice(FLOOR.length), String(value));
      if (!key.startsWith(KEY)) continue;
      // Written by `set`; the version of the state's format vouches for the shape.
      const [etag, size, state, tries, next, records, length, crc, problem] = value as SavedEntry;
      const entry = { etag, size, state, tries, next, records, length, crc, problem };
      this.#entries.set(key.slice(KEY.length), { entry, seen: now });
    }
  }

  #change(key: string, value: unknown): void {
    if (this.#isSaved) this.#changed.set(key, value);
  }
}

/** The entry of an object of which so much was counted. */
export function entryOf({ etag, size }: StoredObject, counted: Counted | null): LedgerEntry {
  const { records = 0, length = 0, crc = 0 } = counted ?? {};
  return { etag, size, records, length, crc, state: 'done', tries: 0, next: 0, problem: '' };
}
