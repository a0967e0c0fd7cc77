import { openAt, openAtEnd, openIfSame, type TailFile } from './tail-file.ts';
import { type Entry, type Folder, folderChanged, scanFolder } from './tail-folder.ts';
import { account } from './tail-move.ts';
import type { FilePlace, FilePosition } from './tail-place.ts';
import { type Except, followers, newcomers, oldestHolder, openIfAllowed, withCut } from './tail-siblings.ts';
import { type Beginning, retire, type Trail } from './tail-trail.ts';

/** Finds the first file to read. False: not known yet, ask again later. Error: the file at the path cannot be read. */
export async function begin(trail: Trail, from: Beginning): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    const folder = await scanFolder(trail.path);
    if (trail.scanned === 0n) noteThere(trail, folder);
    account(trail, folder, (await newcomers(trail, folder, 0n)).copies);
    trail.wasEmpty = folder.at === null;
    const begun = await beginIn(trail, folder, { from, isSure: tries === 4 });
    if (begun !== 'again') return begun;
  }
}

interface Wish {
  readonly from: Beginning;
  /** Whether to take the folder as it is, though it may have changed since the look at it. */
  readonly isSure: boolean;
}

interface Saved {
  readonly folder: Folder;
  readonly from: FilePosition;
  readonly isSure: boolean;
}

async function beginIn(trail: Trail, folder: Folder, { from, isSure }: Wish): Promise<boolean | 'again'> {
  if (typeof from === 'object' && (from.ino !== '' || from.before)) return resume(trail, { folder, from, isSure });
  if (folder.at === null) return true;
  trail.current = await (from === 'end' ? openAtEnd(folder.at) : openAt(folder.at, 0));
  return arrive(trail, trail.current) || 'again';
}

const MS = 1_000_000n;

function noteThere(trail: Trail, folder: Folder): void {
  for (const { key, size } of folder.siblings) trail.there.set(key, size);
  if (folder.at) trail.there.set(folder.at.key, folder.at.size);
}

function arrive(trail: Trail, file: TailFile | null): boolean {
  if (file) file.liveFrom = trail.there.get(file.entry.key) ?? 0;
  return file !== null;
}

/**
 * Goes on at a saved position. Its file may have been renamed, or cut short after it was copied; then what came after
 * it is read first, before the file at the path.
 */
async function resume(trail: Trail, { folder, from, isSure }: Saved): Promise<boolean | 'again'> {
  const places = [...(from.before ?? []), from];
  const files = await locateAll(folder, places);
  let main = files.length - 1;
  // A file of which nothing has been read tells nothing of what came before it: begin with the one before.
  while (main > 0 && places[main]?.offset === 0 && files[main - 1]) main--;
  await closeAll(files.splice(main + 1));
  const place = places[main] ?? from;
  const isMissing = files[main] === null && folder.at === null && from.ino !== '';
  const lost = isLost(files, place);
  const hasChanged = !isSure && (await folderChanged(trail.path)) !== folder.changed;
  if (isMissing || (lost && hasChanged)) {
    trail.resting = from;
    await closeAll(files);
    return isMissing ? false : 'again';
  }
  if (lost) trail.onGap(reasonOf(trail, folder));
  const current = files.pop() ?? null;
  for (const file of files) if (file && arrive(trail, file)) retire(trail, file);
  trail.current = current;
  if (current === null || !arrive(trail, current)) return true;
  const taken = new Set([current, ...files].map((file) => file?.entry.key ?? ''));
  const except = { taken, emptyBefore: trail.now() - trail.lingerMs };
  trail.queue = await queueAfter(folder, { current, place, except });
  if (trail.queue.some(({ key }) => key === current.entry.key) || (trail.queue.length > 0 && isAt(folder, current))) {
    trail.current = null;
    await current.handle.close();
  }
  return true;
}

interface Resumed {
  readonly current: TailFile;
  readonly place: FilePlace;
  readonly except: Except;
}

/** What comes next, before the file at the path. If the current file does not come first, it is among them again. */
async function queueAfter(folder: Folder, { current, place, except }: Resumed): Promise<Entry[]> {
  const { entry } = current;
  const mtime = BigInt(place.mtime + 1) * MS;
  if (place.offset === 0 && entry.mtime >= mtime) {
    // Nothing of it had been read: it may have been filled, copied and cut short since, and the copies come first.
    const copies = await followers(folder, { ...entry, mtime }, except);
    if (copies.length > 0) return isAt(folder, current) ? copies : withCut(copies, entry);
  }
  return isAt(folder, current) ? [] : followers(folder, entry, except);
}

function isAt({ at }: Folder, { entry }: TailFile): boolean {
  return entry.key === at?.key;
}

/** A file of which all had been read may be gone; it is in the position only because nothing of the next was read. */
function isLost(files: readonly (TailFile | null)[], place: FilePlace): boolean {
  if (files.at(-1) === null && place.ino !== '') return true;
  return files.slice(0, place.offset === 0 ? -2 : -1).includes(null);
}

function reasonOf(trail: Trail, folder: Folder): string {
  const why = folder.compressed ? 'cannot be found, it may have been compressed' : 'cannot be found';
  return `${trail.path}: the file read last ${why}: lines may be lost`;
}

async function locateAll(folder: Folder, places: readonly FilePlace[]): Promise<(TailFile | null)[]> {
  const files: (TailFile | null)[] = [];
  try {
    for (const place of places) files.push(await locate(folder, place));
    return files;
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

/** Finds a saved place by its inode, else by the bytes before it. */
async function locate({ at, siblings }: Folder, place: FilePlace): Promise<TailFile | null> {
  const open = (entry: Entry) => openIfSame(entry, place);
  if (at && at.ino === place.ino) {
    const file = await open(at);
    if (file) return file;
  }
  for (const sibling of siblings.filter(({ ino }) => ino === place.ino)) {
    const file = await openIfAllowed(sibling, open);
    if (file) return file;
  }
  if (place.offset === 0) return null;
  // On another device inode numbers tell nothing: the logs may have moved house.
  const all = at && at.dev !== place.dev ? [...siblings, at] : siblings;
  return oldestHolder(all, BigInt(place.mtime) * MS, open);
}

async function closeAll(files: readonly (TailFile | null)[]): Promise<void> {
  for (const file of files) await file?.handle.close();
}
