import { hash } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, open, type RootDatabase } from 'lmdb';
import { type Cell, type CellKey, keyText, type SavedCells } from './cells.ts';
import { isWholeDatabase } from './lmdb-file.ts';
import { type Lock, lockDirectory } from './lock.ts';
import { seal, unseal } from './sealed.ts';
import { directoryProblem, prepareDirectory, refuseFullDisk, tryDirectory } from './state-directory.ts';

/** Version of the layout below, and of what the cells hold. A program reads its own and refuses newer ones. */
export const STATE_FORMAT = 1;

/** Events on their way to writers, as one piece. */
export interface Block {
  readonly id: number;
  readonly bytes: Buffer;
}

/** Where blocks are kept. */
export interface BlockStore {
  /** In the order of their numbers. */
  blockIds(): readonly number[];
  /** Null if there is none, or it is damaged. */
  block(id: number): Buffer | null;
  /** Resolves when it is stored; it survives a power cut once a later commit is done. */
  putBlock(block: Block): Promise<void>;
  removeBlocks(ids: readonly number[]): Promise<void>;
}

/** The saved state: one LMDB environment in a directory that this process has for itself. */
export interface State extends BlockStore {
  /** Nothing was ever saved here. */
  readonly isNew: boolean;
  /** Throws with the directory if what was saved is damaged. */
  load(): SavedCells;
  /** Resolves when all of it is on disk. After a failure nothing of it is, and the state can be used again. */
  commit(cells: readonly Cell[], blocks?: readonly Block[]): Promise<void>;
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
      return `${directory} can be used and holds ${seriesCount(state.load())} series`;
    } finally {
      await state.close();
    }
  }
  return tryDirectory(directory);
}

const DAMAGED =
  'found a damaged data.mdb, wanted one as this program wrote it; restore it, or move it away to start anew (totals then begin at 0)';

function seriesCount(saved: SavedCells): number {
  const pages = saved.under('rows').map(([, rows]) => rows as readonly unknown[]);
  return pages.reduce((sum, rows) => sum + rows.filter((row) => row !== null).length, 0);
}

interface Tables {
  readonly isNew: boolean;
  readonly root: RootDatabase;
  /** `format`, a plain number that every version can read. */
  readonly meta: Database<unknown, string>;
  /** Sealed values by the text of their keys: LMDB's own way to join the parts mixes up some that a log may hold. */
  readonly cells: Database<Buffer, string>;
  /** Sealed blocks of events by their numbers. */
  readonly blocks: Database<Buffer, number>;
}

/** LMDB takes keys of 1,978 bytes at most: a longer one is kept beside its value, which then goes by the key's hash. */
const LONGEST_KEY = 1_000;

async function openEnvironment(directory: string, lock: Lock): Promise<State> {
  // It holds events, and LMDB would let everybody read it.
  closeSync(openSync(join(directory, 'data.mdb'), 'a', 0o600));
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
    return {
      isNew: tables.isNew,
      load: () => load(tables, directory),
      commit: (cells, blocks = []) => commit(tables, { cells, blocks }, directory),
      blockIds: () => [...tables.blocks.getKeys()],
      block: (id) => unsealedBlock(tables.blocks.get(id)),
      putBlock: async ({ id, bytes }) => {
        refuseFullDisk(directory, 2 * bytes.length + ROOM);
        await heard(tables.blocks.put(id, seal(bytes)));
      },
      removeBlocks: async (ids) => {
        const removed = root.batch(() => {
          for (const id of ids) quiet(tables.blocks.remove(id));
        });
        await heard(removed);
      },
      close,
    };
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
    isNew: format === undefined,
    root,
    meta,
    cells: root.openDB({ name: 'cells', encoding: 'binary' }),
    blocks: root.openDB({ name: 'blocks', encoding: 'binary' }),
  };
  if (tables.isNew) await meta.put('format', STATE_FORMAT);
  return tables;
}

/** Everything is read at once: what is damaged is told before anything is counted. */
function load(tables: Tables, directory: string): SavedCells {
  const kinds = new Map<string, Cell[]>();
  try {
    for (const { key, value } of tables.cells.getRange()) {
      // Written by `commit` below. The text of a key begins with a bracket, which no hash does.
      const [text, saved] = key.startsWith('[') ? [key, unseal(value)] : (unseal(value) as [string, unknown]);
      const found = JSON.parse(text) as CellKey;
      const cells = kinds.get(found[0]) ?? [];
      kinds.set(found[0], cells);
      cells.push([found, saved]);
    }
  } catch (cause) {
    throw new Error(`state directory ${directory}: ${DAMAGED}`, { cause });
  }
  return {
    under: (...prefix) =>
      (kinds.get(prefix[0]) ?? [])
        .filter(([key]) => prefix.every((part, index) => key[index] === part))
        .map(([key, value]) => [key.slice(prefix.length), value]),
  };
}

interface Committed {
  readonly cells: readonly Cell[];
  readonly blocks: readonly Block[];
}

async function commit(tables: Tables, { cells, blocks }: Committed, directory: string): Promise<void> {
  const { root, cells: table } = tables;
  try {
    const writes = cells.map(writeOf);
    const sizes = [...writes, ...blocks].map(({ bytes }) => 2 * (bytes?.length ?? 0));
    // Said before LMDB finds out, which it would do loudly.
    refuseFullDisk(
      directory,
      sizes.reduce((sum, bytes) => sum + bytes, ROOM),
    );
    await root.batch(() => {
      for (const { key, bytes } of writes) quiet(bytes ? table.put(key, bytes) : table.remove(key));
      for (const { id, bytes } of blocks) quiet(tables.blocks.put(id, seal(bytes)));
    });
  } catch (error) {
    const cause = await commitCause(error);
    throw new Error(`cannot save to state directory ${directory}: ${directoryProblem(cause, directory)}`, {
      cause,
    });
  }
}

function unsealedBlock(sealed: Buffer | undefined): Buffer | null {
  if (!sealed) return null;
  try {
    // Written by `seal` from a buffer.
    return unseal(sealed) as Buffer;
  } catch {
    return null;
  }
}

/** Bytes that LMDB may need for its own pages, whatever is written. */
const ROOM = 65_536;

interface Write {
  readonly key: string;
  /** Null removes it. */
  readonly bytes: Buffer | null;
}

function writeOf([key, value]: Cell): Write {
  const text = keyText(key);
  const isLong = Buffer.byteLength(text) > LONGEST_KEY;
  return {
    key: isLong ? hash('sha256', text, 'base64url') : text,
    bytes: value === undefined ? null : seal(isLong ? [text, value] : value),
  };
}

/** The batch tells of failure for all of its writes; each of them alone need not be heard. */
function quiet(write: Promise<boolean>): void {
  write.catch(() => {});
}

/** A write that may fail: a failure that nobody hears of, as that of its transaction, would end the process. */
async function heard(write: Promise<boolean>): Promise<void> {
  try {
    await write;
  } catch (error) {
    throw await commitCause(error);
  }
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
