import { openAt, openAtEnd, type TailFile } from './tail-file.ts';
import { type Entry, type Folder, workInFolder } from './tail-folder.ts';
import { type Located, locateFiles } from './tail-locate.ts';
import { account } from './tail-move.ts';
import type { FilePosition } from './tail-place.ts';
import { followers, newcomers, withCut } from './tail-siblings.ts';
import { type Beginning, closeFiles, retire, type Trail } from './tail-trail.ts';

/** Finds the first file to read. False: not known yet, ask again later. Error: the file at the path cannot be read. */
export async function begin(trail: Trail, from: Beginning): Promise<boolean> {
  for (;;) {
    const { begun, gap } = await workInFolder(
      trail.path,
      (folder) => beginIn(trail, from, folder),
      () => closeFiles(trail),
    );
    if (gap !== null) trail.onGap(gap);
    if (begun !== 'again') return begun;
  }
}

interface Begun {
  readonly begun: boolean | 'again';
  /** Why lines may be lost; null: none are. */
  readonly gap: string | null;
}

async function beginIn(trail: Trail, from: Beginning, folder: Folder): Promise<Begun> {
  if (trail.scanned === 0n) noteThere(trail, folder);
  account(trail, folder, (await newcomers(trail, folder, 0n)).copies);
  trail.wasEmpty = folder.at === null;
  if (typeof from === 'object' && (from.ino !== '' || from.before)) return resume(trail, from, folder);
  const { at } = folder;
  if (at === null) return { begun: true, gap: null };
  trail.current = await (from === 'end' ? openAtEnd(at) : openAt(at, 0));
  setLive(trail, trail.current);
  return { begun: trail.current === null ? 'again' : true, gap: null };
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
async function resume(trail: Trail, from: FilePosition, folder: Folder): Promise<Begun> {
  const found = await locateFiles(folder, from);
  for (const file of [...found.before, found.file]) setLive(trail, file);
  for (const file of found.before) retire(trail, file);
  trail.current = found.file;
  try {
    const begun = found.file !== null || folder.at !== null || from.ino === '';
    if (begun) await goOnAfter(trail, found, folder);
    else await closeFiles(trail);
    return { begun, gap: begun && found.isLost ? gapIn(trail, folder) : null };
  } catch (error) {
    await closeFiles(trail);
    throw error;
  }
}

function gapIn({ path }: Trail, { compressed }: Folder): string {
  const why = compressed ? 'cannot be found, it may have been compressed' : 'cannot be found';
  return `${path}: the file read last ${why}: lines may be lost`;
}

async function goOnAfter(trail: Trail, found: Located, folder: Folder): Promise<void> {
  const { file } = found;
  if (file === null) return;
  trail.queue = await queueAfter(trail, folder, { ...found, file });
  const comesLater = isAt(folder, file) ? trail.queue.length > 0 : trail.queue.includes(file.entry);
  if (comesLater) {
    trail.current = null;
    await file.handle.close();
  }
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
