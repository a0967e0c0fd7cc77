import type { BigIntStats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from './tail-problem.ts';

/** What a look at one regular file tells. */
export interface Entry {
  readonly path: string;
  /** Device and inode: which file it is, as long as it is not deleted. */
  readonly key: string;
  readonly dev: string;
  readonly ino: string;
  readonly size: number;
  /** Names the file has; 0 once it is deleted. */
  readonly links: number;
  /** Nanoseconds since 1970, as are `changed` (of the inode: a rename counts) and `born` (0 where it is not known). */
  readonly mtime: bigint;
  readonly changed: bigint;
  readonly born: bigint;
}

/** The followed file and its siblings `NAME*`, all at one moment. */
export interface Folder {
  readonly at: Entry | null;
  /** Regular files that are not compressed, at most `MOST_SIBLINGS`. */
  readonly siblings: readonly Entry[];
  /** Whether there are compressed siblings. */
  readonly compressed: boolean;
  /** When the folder last changed. */
  readonly changed: bigint;
}

/** Looks at a file; null if there is none. Errors: no permission, not a regular file (code `EISDIR` or `EINVAL`). */
export async function entryAt(path: string): Promise<Entry | null> {
  const stats = await statOrNull(path);
  if (stats === null) return null;
  if (stats.isFile()) return entryOf(path, stats);
  const [code, kind] = stats.isDirectory() ? ['EISDIR', 'a directory'] : ['EINVAL', 'not a regular file'];
  throw Object.assign(new Error(`${path} is ${kind}, wanted a regular file`), { code });
}

export function entryOf(path: string, stats: BigIntStats): Entry {
  const dev = String(stats.dev);
  const ino = String(stats.ino);
  return {
    path,
    key: `${dev}:${ino}`,
    dev,
    ino,
    size: Number(stats.size),
    links: Number(stats.nlink),
    mtime: stats.mtimeNs,
    changed: stats.ctimeNs,
    born: stats.birthtimeNs,
  };
}

/** When the folder of a file last changed, 0 if there is no folder. */
export async function folderChanged(path: string): Promise<bigint> {
  const stats = await statOrNull(dirname(path));
  return stats?.mtimeNs ?? 0n;
}

/**
 * Looks at a file and its siblings. A rotation under way could hide a file, so it looks until it sees the same twice.
 * Error: it never does (code `EAGAIN`).
 */
export async function scanFolder(path: string): Promise<Folder> {
  let last = '';
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const folder = await lookOnce(path);
    const names = namesOf(folder);
    if (names === last) return folder;
    last = names;
  }
  throw Object.assign(new Error(`${dirname(path)} does not stop changing`), { code: 'EAGAIN' });
}

/**
 * Works with what a look at the folder shows. Files are opened by their names: if these have changed when the work is
 * done, one of them may not have been found, so all is done anew. What came out before is dropped.
 */
export async function workInFolder<T>(
  path: string,
  work: (folder: Folder) => Promise<T>,
  drop: (result: T) => unknown = () => {},
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const folder = await scanFolder(path);
    const result = await work(folder);
    let holds = false;
    try {
      // Nobody rotates that often: somebody's own files come and go, which does no harm.
      holds = tries === MOST_TRIES || namesOf(await lookOnce(path)) === namesOf(folder);
    } finally {
      if (!holds) await drop(result);
    }
    if (holds) return result;
  }
}

const MOST_SIBLINGS = 4096;
const MOST_TRIES = 20;

async function lookOnce(path: string): Promise<Folder> {
  const changed = await folderChanged(path);
  return { changed, at: await entryAt(path), ...(await listSiblings(path)) };
}

/** Which file has which name. */
function namesOf({ at, siblings }: Folder): string {
  return [at, ...siblings].map((entry) => `${entry?.key} ${entry?.path}`).join('\n');
}

const COMPRESSED: ReadonlySet<string> = new Set(['gz', 'xz', 'bz2', 'zst', 'lz4', 'lzma', 'br', 'Z', 'zip']);

async function listSiblings(path: string): Promise<Pick<Folder, 'siblings' | 'compressed'>> {
  const siblings = new Map<string, Entry>();
  let compressed = false;
  for (const name of await siblingNames(path)) {
    if (COMPRESSED.has(name.slice(name.lastIndexOf('.') + 1))) {
      compressed = true;
      continue;
    }
    const sibling = join(dirname(path), name);
    const stats = await statOrNull(sibling);
    if (!stats?.isFile()) continue;
    const entry = entryOf(sibling, stats);
    siblings.set(entry.key, entry);
  }
  return { siblings: [...siblings.values()], compressed };
}

async function siblingNames(path: string): Promise<string[]> {
  const own = basename(path);
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(dirname(path))) {
      if (name !== own && name.startsWith(own) && names.length < MOST_SIBLINGS) names.push(name);
    }
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
  return names.sort();
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')) return null;
    throw error;
  }
}
