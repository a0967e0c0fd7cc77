import type { FileHandle } from 'node:fs/promises';
import { realpath } from 'node:fs/promises';
import { held } from './chunks.ts';
import { contentOf, isUnchanged, objectAt, openAt } from './folder-file.ts';
import { type Entry, walk } from './folder-walk.ts';
import { shown } from './shown.ts';
import {
  type ListPage,
  type ListQuery,
  type ObjectStore,
  type StoredObject,
  type StoreError,
  storeError,
} from './store.ts';

/** Objects and folders of a page. */
const PAGE = 1_000;
/** Listings that are kept open for their next page; one that was dropped begins anew behind its last key. */
const WALKS = 4;

/**
 * A folder, read as a bucket: a key is a path relative to it, with slashes; the ETag is the size and the time of the last
 * change in nanoseconds, so a change that leaves both as they were is not seen. Links to files that are in the folder are
 * followed, all other links are left out. Folders without files are listed as `folders` too.
 */
export function openDirectory(path: string): ObjectStore {
  const name = `directory ${shown(path, 120)}`;
  const house: House = { path, name, walks: new Map() };
  return {
    name,
    list: async (query, signal) => {
      try {
        return await list(house, query, signal);
      } catch (error) {
        throw failure(`cannot list ${name}`, error, path);
      }
    },
    get: (object, signal) => get(house, object, signal),
    close: () => house.walks.clear(),
  };
}

interface House {
  readonly path: string;
  readonly name: string;
  /** By query and by what the page before ended with. */
  readonly walks: Map<string, Going>;
}

/** A listing on its way. */
interface Going {
  readonly entries: AsyncGenerator<Entry, undefined>;
  /** What comes next; null at the end. */
  ahead: Entry | null;
}

async function list(house: House, query: ListQuery, signal: AbortSignal): Promise<ListPage> {
  const root = await realpath(house.path);
  const objects: StoredObject[] = [];
  const folders: string[] = [];
  const going = await resumed(house, root, query);
  let last = '';
  while (going.ahead && objects.length + folders.length < PAGE) {
    goOn(signal);
    const batch = await taken(going, PAGE - objects.length - folders.length);
    for (const object of await Promise.all(batch.map((entry) => objectAt(root, entry)))) {
      if (object) objects.push(object);
    }
    for (const { key, kind } of batch) {
      if (kind === 'folder') folders.push(key);
      last = key;
    }
  }
  if (going.ahead === null) return { objects, folders, next: null, time: null };
  keep(house, walkId(query, last), going);
  return { objects, folders, next: last, time: null };
}

async function get({ path, name }: House, object: StoredObject, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
  const cannot = `cannot read ${JSON.stringify(shown(object.key, 120))} of ${name}`;
  let file: FileHandle | null = null;
  try {
    goOn(signal);
    file = await openAt(await realpath(path), object.key);
    if (file === null) throw storeError(`${cannot}: it is no longer there`, { kind: 'gone' });
    await check(file, object, cannot);
  } catch (error) {
    await file?.close();
    throw failure(cannot, error, path);
  }
  const opened = file;
  return held(checked(opened, object, { cannot, path, signal }), () => opened.close());
}

async function* checked(
  file: FileHandle,
  object: StoredObject,
  { cannot, path, signal }: { cannot: string; path: string; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of contentOf(file)) {
      yield chunk;
      goOn(signal);
    }
    await check(file, object, cannot);
  } catch (error) {
    throw failure(cannot, error, path);
  }
}

async function check(file: FileHandle, object: StoredObject, cannot: string): Promise<void> {
  if (await isUnchanged(file, object)) return;
  throw storeError(`${cannot}: it has changed since it was listed`, { kind: 'changed' });
}

function goOn(signal: AbortSignal): void {
  if (signal.aborted) throw new Error('given up');
}

async function resumed({ walks }: House, root: string, query: ListQuery): Promise<Going> {
  const { prefix, startAfter = '', folders = false, next: after = '' } = query;
  const id = walkId(query, after);
  const going = walks.get(id);
  walks.delete(id);
  if (going) return going;
  const entries = walk(root, { prefix, startAfter, folders, after });
  return { entries, ahead: (await entries.next()).value ?? null };
}

async function taken(going: Going, count: number): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  while (going.ahead && entries.length < count) {
    entries.push(going.ahead);
    going.ahead = (await going.entries.next()).value ?? null;
  }
  return entries;
}

function keep({ walks }: House, id: string, going: Going): void {
  for (const oldest of walks.keys()) if (walks.size >= WALKS) walks.delete(oldest);
  walks.set(id, going);
}

function walkId({ prefix, startAfter = '', folders = false }: ListQuery, last: string): string {
  return JSON.stringify([prefix, startAfter, folders, last]);
}

/** An error of the file system, told as one of the store; one of the store stays as it is. */
function failure(cannot: string, error: unknown, root: string): Error {
  if ((error as Partial<StoreError>).kind !== undefined) return error as Error;
  return storeError(`${cannot}: ${reasonOf(error, root)}`, { kind: 'store', cause: error });
}

function reasonOf(error: unknown, root: string): string {
  const { code = '', path = root, message } = error as NodeJS.ErrnoException;
  const place = path === root ? 'it' : JSON.stringify(shown(path, 120));
  if (code === 'ENOENT') return `${place} is not there; create it, or correct the path`;
  if (code === 'ENOTDIR') return `${place} is no directory; correct the path`;
  if (code === 'EACCES' || code === 'EPERM')
    return `${place} may not be read (${code}); let the user that this program runs as read it`;
  return shown(message, 160);
}
