import type { BigIntStats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from './tail-problem.ts';

/** What a look at one regular file tells. */
export interface Entry {
  readonly path: string;
  /** Device, inode and birth: inode numbers of deleted files are given out again. */
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
    key: `${dev}:${ino}:${stats.birthtimeNs}`,
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

/** Looks at a file and its siblings. A rotation under way could hide a file: then it looks again, a few times. */
export async function scanFolder(path: string): Promise<Folder> {
  for (let tries = 0; ; tries++) {
    const changed = await folderChanged(path);
    const at = await entryAt(path);
    const { siblings, compressed, vanished } = await listSiblings(path);
    const still = (await entryAt(path))?.key === at?.key && (await folderChanged(path)) === changed;
    if ((still && !vanished) || tries === 4) return { at, siblings, compressed, changed };
  }
}

const MOST_SIBLINGS = 4096;

const COMPRESSED: ReadonlySet<string> = new Set(['gz', 'xz', 'bz2', 'zst', 'lz4', 'lzma', 'br', 'Z', 'zip']);

async function listSiblings(path: string): Promise<{ siblings: Entry[]; compressed: boolean; vanished: boolean }> {
  const siblings = new Map<string, Entry>();
  let compressed = false;
  let vanished = false;
  for (const name of await siblingNames(path)) {
    if (COMPRESSED.has(name.slice(name.lastIndexOf('.') + 1))) {
      compressed = true;
      continue;
    }
    const sibling = join(dirname(path), name);
    const stats = await statOrNull(sibling);
    vanished ||= stats === null;
    if (!stats?.isFile()) continue;
    const entry = entryOf(sibling, stats);
    siblings.set(entry.key, entry);
  }
  return { siblings: [...siblings.values()], compressed, vanished };
}

/** A folder that may be entered but not listed has no siblings to offer. */
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
  return names;
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')) return null;
    throw error;
  }
}
