import { constants } from 'node:fs';
import { access, mkdir, open as openFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { type Lock, lockDirectory } from './lock.ts';
import type { Scraper } from './metrics/scrape.ts';
import type { SavedSince } from './metrics/since.ts';
import type { SeriesBirth } from './metrics/store.ts';

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
  load(): Saved;
  /** Resolves when the changes are on disk. After a failure nothing of them is, and the state can be used again. */
  commit(changes: Changes): Promise<void>;
  close(): Promise<void>;
}

/** Opens the state in a directory, making it if need be; throws with the directory and what is wrong with it. */
export async function openState(directory: string): Promise<State> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o750 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    const lock = await lockDirectory(directory);
    try {
      await checkFile(join(directory, 'data.mdb'));
      return await openEnvironment(directory, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw new Error(`state directory ${directory}: ${await reason(error, directory)}`, { cause: error });
  }
}

interface Tables {
  readonly root: RootDatabase;
  readonly meta: Database<unknown, string>;
  readonly births: Database<unknown, number>;
  readonly pages: Database<Buffer, number>;
  readonly owed: Database<SavedSince, number>;
  readonly sources: Database<unknown, [source: string, key: string]>;
}

/** Key of a source's position among its entries; theirs are prefixed, so that none can be equal. */
const POSITION = 'position';
const ENTRY = 'entry:';

async function openEnvironment(directory: string, lock: Lock): Promise<State> {
  // Commits are synced one by one: a commit that is done has to survive a power cut.
  const root = open({ path: directory, noSubdir: false, maxDbs: 8, overlappingSync: false, encoding: 'msgpack' });
  const tables: Tables = {
    root,
    meta: root.openDB({ name: 'meta' }),
    births: root.openDB({ name: 'births', keyEncoding: 'uint32' }),
    pages: root.openDB({ name: 'pages', keyEncoding: 'uint32', encoding: 'binary' }),
    owed: root.openDB({ name: 'owed', keyEncoding: 'uint32' }),
    sources: root.openDB({ name: 'sources' }),
  };
  const format = tables.meta.get('format');
  if (format !== undefined && format !== STATE_FORMAT) {
    await root.close();
    throw new Error(
      `found format ${String(format)}, wanted ${STATE_FORMAT}: it was written by another version of trailgauge; use that one, or another directory`,
    );
  }
  if (format === undefined) await tables.meta.put('format', STATE_FORMAT);
  return {
    load: () => load(tables),
    commit: (changes) => commit(tables, changes, directory),
    close: async () => {
      await root.close();
      await lock.release();
    },
  };
}

function load(tables: Tables): Saved {
  const births = [...tables.births.getRange()].map(({ key, value }) => {
    // Written by `commit` below; the format version vouches for the shape.
    const [width, family, scope, text, created] = value as [number, string, string, string, number];
    return { slot: key, width, family, scope, text, created };
  });
  return {
    births,
    pages: [...tables.pages.getRange()].map(({ key, value }) => [key, pageValues(value)] as const),
    owed: [...tables.owed.getRange()].map(({ key, value }) => [key, value] as const),
    scrapers: (tables.meta.get('scrapers') ?? []) as Scraper[],
    position: (source) => tables.sources.get([source, POSITION]),
    entries: (source) =>
      [...tables.sources.getRange({ start: [source, ENTRY], end: [source, `${ENTRY}\u{10ffff}`] })].map(
        ({ key, value }) => [key[1].slice(ENTRY.length), value] as const,
      ),
  };
}

async function commit(tables: Tables, changes: Changes, directory: string): Promise<void> {
  try {
    await tables.root.batch(() => {
      for (const { slot, width, family, scope, text, created } of changes.births) {
        quiet(tables.births.put(slot, [width, family, scope, text, created]));
      }
      for (const { page, values } of changes.pages) quiet(tables.pages.put(page, Buffer.from(values.buffer)));
      for (const { slot, saved } of changes.owed) {
        quiet(saved ? tables.owed.put(slot, saved) : tables.owed.remove(slot));
      }
      if (changes.scrapers) quiet(tables.meta.put('scrapers', changes.scrapers));
      for (const { source, position, entries } of changes.sources) {
        quiet(tables.sources.put([source, POSITION], position));
        for (const [key, value] of entries) {
          const id: [string, string] = [source, ENTRY + key];
          quiet(value === undefined ? tables.sources.remove(id) : tables.sources.put(id, value));
        }
      }
    });
  } catch (error) {
    const cause = await commitCause(error);
    throw new Error(`cannot save to state directory ${directory}: ${await reason(cause, directory)}`, { cause });
  }
}

/** The batch tells of failure for all of its writes; each of them alone need not be heard. */
function quiet(write: Promise<boolean>): void {
  write.catch(() => {});
}

async function commitCause(error: unknown): Promise<unknown> {
  const inner = error instanceof Error && 'commitError' in error ? error.commitError : error;
  try {
    return await inner;
  } catch (cause) {
    return cause;
  }
}

function pageValues(bytes: Buffer): Float64Array {
  const values = new Float64Array(bytes.length / 8);
  Buffer.from(values.buffer).set(bytes);
  return values;
}

/**
 * Refuses a file that LMDB would map and then die of: not LMDB's at all, or shorter than its own account of it.
 * Each of the two meta pages says where the data ends; the one of the later transaction counts.
 */
async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (!found || found.size === 0) return;
  const handle = await openFile(path, 'r');
  try {
    const meta = Buffer.alloc(LMDB_META.bytes);
    await handle.read(meta, 0, meta.length, 0);
    const pageSize = meta.readUInt32LE(LMDB_META.pageSize);
    const first = meta.readUInt32LE(LMDB_META.magic) === LMDB_META.magicNumber ? lastPage(meta) : null;
    await handle.read(meta.fill(0), 0, meta.length, pageSize);
    const second = meta.readUInt32LE(LMDB_META.magic) === LMDB_META.magicNumber ? lastPage(meta) : null;
    const last = first && second && (first.transaction > second.transaction ? first : second);
    if (last && (last.page + 1) * pageSize <= found.size) return;
  } finally {
    await handle.close();
  }
  throw new Error(
    `found a damaged data.mdb (${found.size} bytes), wanted one that this program wrote; restore it, or move it away to start anew (totals then begin at 0)`,
  );
}

/** Where things are in a meta page of LMDB's data format 2, in bytes from its start. */
const LMDB_META = { bytes: 160, magic: 24, magicNumber: 0xbeefc0de, pageSize: 48, lastPage: 144, transaction: 152 };

function lastPage(meta: Buffer): { page: number; transaction: bigint } {
  return {
    page: Number(meta.readBigUInt64LE(LMDB_META.lastPage)),
    transaction: meta.readBigUInt64LE(LMDB_META.transaction),
  };
}

async function reason(error: unknown, directory: string): Promise<string> {
  const free = await statfs(directory).catch(() => null);
  if (free && free.bavail * free.bsize < 65_536) return 'no space left on the disk';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `found no permission (${String(code)}) for user ${process.getuid?.() ?? '?'}, wanted a directory it can read and write`;
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'found a file in its way, wanted a directory';
  return error instanceof Error ? error.message : String(error);
}
