import { openAt, openAtEnd, type TailFile } from './tail-file.ts';
import { type Entry, type Folder, folderChanged, scanFolder } from './tail-folder.ts';
import { type Located, locateFiles } from './tail-locate.ts';
import { account } from './tail-move.ts';
import type { FilePosition } from './tail-place.ts';
import { followers, newcomers, withCut } from './tail-siblings.ts';
import { type Beginning, closeFiles, retire, type Trail } from './tail-trail.ts';

/** Finds the first file to read. False: not known yet, ask again later. Error: the file at the path cannot be read. */
export async function begin(trail: Trail, from: Beginning): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    const folder = await scanFolder(trail.path);
    if (trail.scanned === 0n) noteThere(trail, folder);
    account(trail, folder, (await newcomers(trail, folder, 0n)).copies);
    trail.wasEmpty = folder.at === null;
    const begun = await beginIn(trail, from, { folder, isSure: tries === 4 });
    if (begun !== 'again') return begun;
  }
}

/** A look at the folder. */
interface View {
  readonly folder: Folder;
  /** Whether to believe that a file is gone though the folder has changed since the look. */
  readonly isSure: boolean;
}

async function beginIn(trail: Trail, from: Beginning, view: View): Promise<boolean | 'again'> {
  if (typeof from === 'object' && (from.ino !== '' || from.before)) return resume(trail, from, view);
  const { at } = view.folder;
  if (at === null) return true;
  trail.current = await (from === 'end' ? openAtEnd(at) : openAt(at, 0));
  setLive(trail, trail.current);
  return trail.current === null ? 'again' : true;
}

function noteThere(trail: Trail, { at, siblings }: Folder): void {
  for (const { key, size } of siblings) trail.there.set(key, size);
  if (at) trail.there.set(at.key, at.size);
}

function setLive(trail: Trail, file: TailFile | null): void {
  if (file) file.liveFrom = trail.there.get(file.entry.key) ?? 0;
}

/**
 * Goes on at a saved position. Its file may have been renamed, or cut short after it was copied; then what came after
 * it is read first, before the file at the path.
 */
async function resume(trail: Trail, from: FilePosition, view: View): Promise<boolean | 'again'> {
  const found = await locateFiles(view.folder, from);
  for (const file of [...found.before, found.file]) setLive(trail, file);
  for (const file of found.before) retire(trail, file);
  trail.current = found.file;
  try {
    const isMissing = found.file === null && view.folder.at === null && from.ino !== '';
    const begun = !isMissing && (await goOnAfter(trail, found, view));
    if (begun !== true) await closeFiles(trail);
    return begun;
  } catch (error) {
    await closeFiles(trail);
    throw error;
  }
}

async function goOnAfter(trail: Trail, found: Located, { folder, isSure }: View): Promise<true | 'again'> {
  const { file, isLost } = found;
  if (isLost && !isSure && (await folderChanged(trail.path)) !== folder.changed) return 'again';
  if (isLost) {
    const why = folder.compressed ? 'cannot be found, it may have been compressed' : 'cannot be found';
    trail.onGap(`${trail.path}: the file read last ${why}: lines may be lost`);
  }
  if (file === null) return true;
  trail.queue = await queueAfter(trail, folder, { ...found, file });
  const comesLater = isAt(folder, file) ? trail.queue.length > 0 : trail.queue.includes(file.entry);
  if (comesLater) {
    trail.current = null;
    await file.handle.close();
  }
  return true;
}

const MS = 1_000_000n;

/** What comes next, before the file at the path. If the file found does not come first, it is among them. */
async function queueAfter(trail: Trail, folder: Folder, found: Located & { file: TailFile }): Promise<Entry[]> {
  const { file, before, place } = found;
  const taken = new Set([file, ...before].map(({ entry }) => entry.key));
  const except = { taken, emptyBefore: trail.now() - trail.lingerMs };
  const mtime = BigInt(place.mtime + 1) * MS;
  if (place.offset === 0 && file.entry.mtime >= mtime) {
    // Nothing of it had been read: it may have been filled, copied and cut short since, and the copies come first.
    const copies = await followers(folder, { ...file.entry, mtime }, except);
    if (copies.length > 0) return isAt(folder, file) ? copies : withCut(copies, file.entry);
  }
  return isAt(folder, file) ? [] : followers(folder, file.entry, except);
}

function isAt({ at }: Folder, { entry }: TailFile): boolean {
  return entry.key === at?.key;
}
