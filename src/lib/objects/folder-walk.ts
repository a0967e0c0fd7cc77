import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys } from './key-order.ts';

/** What a walk comes by: a file, a symbolic link, or a folder, whose key ends with a slash. */
export interface Entry {
  readonly key: string;
  readonly kind: 'file' | 'link' | 'folder';
}

export interface Walk {
  readonly prefix: string;
  /** Only keys behind this one; folders, if they may hold one. Empty: all. */
  readonly startAfter: string;
  /** Folders are told, not entered. */
  readonly folders: boolean;
  /** What the walk that this one goes on with ended at; empty: none. */
  readonly after: string;
}

/**
 * Files below a folder in the order of their keys' UTF-8 bytes, as a bucket would list them. Reads no folder that cannot
 * hold what is asked for. Links to folders are not entered, so there is no loop and nothing from outside. What is neither
 * file, link nor folder is left out, and so are names that are no UTF-8. `root` has to be free of links.
 */
export async function* walk(root: string, query: Walk): AsyncGenerator<Entry, undefined> {
  const begin = query.prefix.slice(0, query.prefix.lastIndexOf('/') + 1);
  if (!(await isThere(root, begin))) return undefined;
  // The next one is at the end.
  const ahead = await entriesOf(root, begin, query);
  while (ahead.length > 0) {
    const entry = ahead.pop()!;
    if (entry.kind !== 'folder' || query.folders) yield entry;
    else for (const inner of await entriesOf(root, entry.key, query)) ahead.push(inner);
  }
  return undefined;
}

/** True if the folder of a prefix is below the root, and no part of its path is a link or goes back up. */
async function isThere(root: string, folder: string): Promise<boolean> {
  if (folder === '') return true;
  if (
    folder
      .split('/')
      .slice(0, -1)
      .some((part) => part === '' || part === '.' || part === '..')
  )
    return false;
  if (folder.includes('\0')) return false;
  const path = join(root, folder.slice(0, -1));
  return await realpath(path).then(
    (real) => real === path,
    (error: unknown) => {
      if (isGone(error)) return false;
      throw error;
    },
  );
}

/** The entries of a folder, last first. */
async function entriesOf(root: string, folder: string, query: Walk): Promise<Entry[]> {
  let found: readonly Dirent[];
  try {
    found = await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    // It may have gone meanwhile; only the root has to be there.
    if (folder === '' || !isGone(error)) throw error;
    return [];
  }
  const entries = found.flatMap((entry) => entryOf(entry, folder));
  return entries.filter((entry) => isWanted(entry, query)).sort((a, b) => compareKeys(b.key, a.key));
}

function entryOf(found: Dirent, folder: string): Entry[] {
  const key = folder + found.name;
  if (found.isDirectory()) return [{ key: `${key}/`, kind: 'folder' }];
  if (found.isFile()) return [{ key, kind: 'file' }];
  return found.isSymbolicLink() ? [{ key, kind: 'link' }] : [];
}

function isWanted({ key, kind }: Entry, { prefix, startAfter, folders, after }: Walk): boolean {
  const isEntered = kind === 'folder' && !folders;
  if (!key.startsWith(prefix) && !(kind === 'folder' && prefix.startsWith(key))) return false;
  if (after !== '' && compareKeys(key, after) <= 0 && !(isEntered && after.startsWith(key))) return false;
  return startAfter === '' || compareKeys(key, startAfter) > 0 || (kind === 'folder' && startAfter.startsWith(key));
}

/** True for an error that says that there is no such thing. */
export function isGone(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(code);
}
