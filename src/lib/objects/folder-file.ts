import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Entry } from './folder-walk.ts';
import { isGone } from './folder-walk.ts';
import type { StoredObject } from './store.ts';

const CHUNK = 128 * 1_024;

/** A file as an object; null for a folder, for what is gone meanwhile, and for a link that leads to no file below `root`. */
export async function objectAt(root: string, { key, kind }: Entry): Promise<StoredObject | null> {
  if (kind === 'folder') return null;
  try {
    const path = kind === 'link' ? await placeOf(root, key) : join(root, key);
    const found = path === null ? null : await lstat(path, { bigint: true });
    if (!found?.isFile()) return null;
    return { key, etag: etagOf(found), size: Number(found.size), modified: Number(found.mtimeMs) };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Opens a file below `root`, without waiting if a pipe has taken its place; null if it is gone. */
export async function openAt(root: string, key: string): Promise<FileHandle | null> {
  try {
    const path = await placeOf(root, key);
    if (path === null) return null;
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** True if an open file is the one that was listed. */
export async function isUnchanged(file: FileHandle, { etag }: StoredObject): Promise<boolean> {
  const found = await file.stat({ bigint: true });
  return found.isFile() && etagOf(found) === etag;
}

/** The content of an open file, as far as it goes. */
export async function* contentOf(file: FileHandle): AsyncGenerator<Buffer> {
  while (true) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const { bytesRead } = await file.read(chunk, 0, CHUNK, null);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Where a file really is; null if that is not below `root`. */
async function placeOf(root: string, key: string): Promise<string | null> {
  if (key.includes('\0')) return null;
  const path = await realpath(join(root, key));
  return path.startsWith(root === sep ? root : root + sep) ? path : null;
}

function etagOf({ size, mtimeNs }: BigIntStats): string {
  return `${size}-${mtimeNs}`;
}
