import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, open, type RootDatabase } from 'lmdb';
import { isWholeDatabase } from './lmdb-file.ts';
import { type Lock, lockDirectory } from './lock.ts';
import type { Scraper } from './metrics/scrape.ts';
import type { SavedSince } from './metrics/since.ts';
import type { SeriesBirth } from './metrics/store.ts';
import { seal, unseal } from './sealed.ts';
import { directoryProblem, prepareDirectory, refuseFullDisk, tryDirectory } from './state-directory.ts';

/** Version of the layout below. A program reads its own and refuses newer ones. */
export const STATE_FORMAT = 1;

/** What a source keeps beside its position, by key: anything that msgpack can say. */
export type SavedEntries = readonly (readonly [key: string, value: unknown])[];

/** What changed since the last commit; all of it goes in, or nothing. */
export interface Changes {
  readonly births: readonly SeriesBirth[];
  readonly pages: readonly { readonly page: number; readonly values: Float64Array }[];
  readonly owed: readonly { readonly slot: number; readonly saved: SavedSince | null }[];
  readonly scrapers: readonly Readonly<Scraper>[] | null;
  readonly sources: readonly { readonly source: string; readonly position: unknown; readonly entries: SavedEntries }[];
}

/** All that was saved. */
export interface Saved {
  readonly births: readonly SeriesBirth[];
  readonly pages: readonly (readonly [number, Float64Array])[];
  readonly owed: readonly (readonly [number, SavedSince])[];
  readonly scrapers: readonly Scraper[];
  position(source: string): unknown;
  entries(source: string): SavedEntries;
}

/** The saved state: one LMDB environment in a directory that this process has for itself. */
export interface State {
  /** Throws with the directory if what was saved is damaged. */
  load(): Saved;
  /** Resolves when the changes are on disk. After a failure nothing of them is, and the state can be used again. */
  commit(changes: Changes): Promise<void>;
  close(): Promise<void>;
}

/** Opens the state in a directory, making it if need be; throws with the directory and what is wrong with it. */
export async function openState(directory: string): Promise<State> {
  try {
    await prepareDirectory(directory);
    const lock = await lockDirectory(directory);
    try {
      // A new lock.mdb is mapped: without room for it the process would be ended.
      if (!existsSync(join(directory, 'lock.mdb'))) refuseFullDisk(directory, ROOM);
      if (!isWholeDatabase(join(directory, 'data.mdb'))) throw new Error(DAMAGED);
      return await openEnvironment(directory, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw new Error(`state directory ${directory}: ${directoryProblem(error, directory)}`, { cause: error });
  }
}

/**
 * Tries a directory of state without making anything that is not there: whoever tries may be another user than the one
 * who will have to write to it. Tells what is fine; throws, as `openState` does, with what is not.
 */
export async function tryState(directory: string): Promise<string> {
  if (existsSync(join(directory, 'data.mdb'))) {
    const state = await openState(directory);
    try {
      return `${directory} can be used and holds ${state.load().births.length} series`;
    } finally {
      await state.close();
    }
  }
  return tryDirectory(directory);
}

const DAMAGED =
  'found a damaged data.mdb, wanted one as this program wrote it; restore it, or move it away to start anew (totals then begin at 0)';

/** All values but the format are sealed. */
interface Tables {
  readonly root: RootDatabase;
  /** `format`, a plain number that every version can read; `scrapers`. */
  readonly meta: Database<unknown, string>;
  readonly births: Database<Buffer, number>;
  readonly pages: Database<Buffer, number>;
  readonly owed: Database<Buffer, number>;
  readonly sources: Database<Buffer, [source: string, key: string]>;
}

/** Key of a source's position among its entries; theirs are prefixed, so that none can be equal. */
const POSITION = 'position';
const ENTRY = 'entry:';
/** LMDB takes keys of 1,978 bytes at most: a longer one is kept beside its value, which then goes by the key's hash. */
const LONG = 'long:';
const LONGEST_KEY = 1_000;

async function openEnvironment(directory: string, lock: Lock): Promise<State> {
  const root = open({
    path: directory,
    noSubdir: false,
    maxDbs: 8,
    encoding: 'msgpack',
    // Commits are synced one by one: a commit that is done has to survive a power cut.
    overlappingSync: false,
    // Otherwise lmdb makes promises of its own, and nobody hears of their failure but the process, which ends of it.
    eventTurnBatching: false,
  });
  const close = async () => {
    await root.close();
    await lock.release();
  };
  try {
    const tables = await openTables(root);
    return { load: () => load(tables, directory), commit: (changes) => commit(tables, changes, directory), close };
  } catch (error) {
    await root.close();
    throw error;
  }
}

async function openTables(root: RootDatabase): Promise<Tables> {
  const meta: Tables['meta'] = root.openDB({ name: 'meta' });
  const format = meta.get('format');
  if (format !== undefined && format !== STATE_FORMAT) {
    throw new Error(
      `found format ${String(format)}, wanted ${STATE_FORMAT}: it was written by another version of trailgauge; use that one, or another directory`,
    );
  }
  const tables: Tables = {
    root,
    meta,
    births: root.openDB({ name: 'births', keyEncoding: 'uint32', encoding: 'binary' }),
    pages: root.openDB({ name: 'pages', keyEncoding: 'uint32', encoding: 'binary' }),
    owed: root.openDB({ name: 'owed', keyEncoding: 'uint32', encoding: 'binary' }),
    sources: root.openDB({ name: 'sources', encoding: 'binary' }),
  };
  if (format === undefined) await meta.put('format', STATE_FORMAT);
  return tables;
}

/** Everything is read at once: what is damaged is told before anything is counted. */
function load(tables: Tables, directory: string): Saved {
  try {
    const scrapers = tables.meta.get('scrapers') as Buffer | undefined;
    const sources = new Map<string, { position: unknown; entries: (readonly [string, unknown])[] }>();
    for (const { key, value } of tables.sources.getRange()) {
      const [name, kind] = key;
      let source = sources.get(name);
      if (!source) sources.set(name, (source = { position: undefined, entries: [] }));
      if (kind === POSITION) source.position = unseal(value);
      else if (kind.startsWith(LONG)) source.entries.push(unseal(value) as [string, unknown]);
      else source.entries.push([kind.slice(ENTRY.length), unseal(value)]);
    }
    // Written by `commit` below; the format version vouches for the shapes.
    return {
      births: [...tables.births.getRange()].map(({ key, value }) => birthOf(key, unseal(value) as SavedBirth)),
      pages: [...tables.pages.getRange()].map(({ key, value }) => [key, pageValues(unseal(value) as Buffer)] as const),
      owed: [...tables.owed.getRange()].map(({ key, value }) => [key, unseal(value) as SavedSince] as const),
      scrapers: (scrapers ? unseal(scrapers) : []) as Scraper[],
      position: (source) => sources.get(source)?.position,
      entries: (source) => sources.get(source)?.entries ?? [],
    };
  } catch (cause) {
    throw new Error(`state directory ${directory}: ${DAMAGED}`, { cause });
  }
}

type SavedBirth = readonly [width: number, family: string, scope: string, text: string, created: number];

function birthOf(slot: number, [width, family, scope, text, created]: SavedBirth): SeriesBirth {
  return { slot, width, family, scope, text, created };
}

async function commit(tables: Tables, changes: Changes, directory: string): Promise<void> {
  try {
    const writes = [...writesOf(tables, changes)];
    // Said before LMDB finds out, which it would do loudly.
    refuseFullDisk(
      directory,
      writes.reduce((sum, { size }) => sum + 2 * size, ROOM),
    );
    await tables.root.batch(() => {
      for (const { write } of writes) quiet(write());
    });
  } catch (error) {
    const cause = await commitCause(error);
    throw new Error(`cannot save to state directory ${directory}: ${directoryProblem(cause, directory)}`, {
      cause,
    });
  }
}

/** Bytes that LMDB may need for its own pages, whatever is written. */
const ROOM = 65_536;

interface Write {
  readonly size: number;
  write(): Promise<boolean>;
}

function* writesOf(tables: Tables, changes: Changes): Generator<Write> {
  const { meta, births, pages, owed, sources } = tables;
  for (const { slot, width, family, scope, text, created } of changes.births) {
    yield put(births, slot, [width, family, scope, text, created]);
  }
  for (const { page, values } of changes.pages) yield put(pages, page, Buffer.from(values.buffer));
  for (const { slot, saved } of changes.owed) yield saved ? put(owed, slot, saved) : remove(owed, slot);
  if (changes.scrapers) yield put(meta, 'scrapers', changes.scrapers);
  for (const { source, position, entries } of changes.sources) {
    yield put(sources, [source, POSITION], position);
    for (const [key, value] of entries) {
      const isLong = Buffer.byteLength(key) > LONGEST_KEY;
      const id: [string, string] = [source, isLong ? LONG + hash('sha256', key, 'base64url') : ENTRY + key];
      yield value === undefined ? remove(sources, id) : put(sources, id, isLong ? [key, value] : value);
    }
  }
}

interface Table<K> {
  put(key: K, value: Buffer): Promise<boolean>;
  remove(key: K): Promise<boolean>;
}

function put<K>(table: Table<K>, key: K, value: unknown): Write {
  const bytes = seal(value);
  return { size: bytes.length, write: () => table.put(key, bytes) };
}

function remove<K>(table: Table<K>, key: K): Write {
  return { size: 0, write: () => table.remove(key) };
}

/** The batch tells of failure for all of its writes; each of them alone need not be heard. */
function quiet(write: Promise<boolean>): void {
  write.catch(() => {});
}

async function commitCause(error: unknown): Promise<unknown> {
  const inner = error instanceof Error && 'commitError' in error ? error.commitError : error;
  try {
    // It is told a moment later, if at all.
    return await Promise.race([inner, delay(CAUSE_MS, error, { ref: false })]);
  } catch (cause) {
    return cause;
  }
}

const CAUSE_MS = 1_000;

function pageValues(bytes: Buffer): Float64Array {
  const values = new Float64Array(bytes.length / 8);
  Buffer.from(values.buffer).set(bytes);
  return values;
}
