import { isSettled, isUnseen, look, openAt, openCopy, placeOf, type TailFile, wasCut } from './tail-file.ts';
import { type Entry, type Folder, folderChanged, scanFolder, workInFolder } from './tail-folder.ts';
import { isErrno, problemWith } from './tail-problem.ts';
import { byAge, lifeOf, type Newcomers, newcomers, oldestHolder, withCut } from './tail-siblings.ts';
import { retire, type Trail } from './tail-trail.ts';

/**
 * Goes on to the next file once the current one is no longer at the path (or there is none): files that were there in
 * between, in order, then the one at the path. False: there is none yet; else look again, even if the next one was moved
 * away before it could be opened.
 */
export async function moveOn(trail: Trail): Promise<boolean> {
  const { current } = trail;
  const { folder, passed, copies } = await arrivals(trail, current?.entry.born ?? 0n);
  if (current && current.entry.key === folder.at?.key) return false;
  findQueued(trail, folder);
  // While the path stays empty, new files beside it are somebody's own: no log can have been renamed from there.
  const mayHavePassed = folder.at !== null || !trail.wasEmpty;
  if (mayHavePassed) trail.queue.push(...passed);
  trail.wasEmpty = folder.at === null;
  account(trail, folder, copies);
  const next = await openNext(trail, folder);
  if (next === null) return trail.queue.length > 0 || folder.at !== null;
  if (current) retire(trail, current);
  trail.current = next;
  return true;
}

/**
 * Starts again with a file that was cut short (`copytruncate`): a sibling that holds what was seen of it comes first,
 * with what was not seen, then newer siblings, then the file from its first byte.
 */
export async function rewind(trail: Trail, file: TailFile): Promise<void> {
  const unseen = isUnseen(file);
  const { folder, copy, passed, copies } = await workInFolder(
    trail.path,
    async (folder) => {
      const came = await newcomers(trail, folder, file.entry.born);
      const open = (entry: Entry) => openCopy(entry, file);
      const copy = unseen ? null : await oldestHolder(folder.siblings, file.mtime, open);
      return { folder, copy, ...came };
    },
    ({ copy }) => copy?.handle.close(),
  );
  const chain = passed.filter((entry) => copy === null || byAge(copy.entry, entry) < 0);
  const self = folder.siblings.find(({ key }) => key === file.entry.key);
  trail.queue.unshift(...(self ? withCut(chain, self) : chain));
  account(trail, folder, copies);
  trail.current = copy;
  // Until the first of the queue is open.
  trail.resting = { ...placeOf(file), offset: 0, head: '', tail: '' };
  await file.handle.close();
  if (copy === null && !unseen) trail.onGap(`${trail.path} was cut short and no copy of it is left: lines may be lost`);
}

/**
 * Whether a file of which nothing has been seen was filled, copied and cut short in one go: nothing in the file itself
 * tells, only a new sibling with other bytes.
 */
export async function wasCutUnseen(trail: Trail, file: TailFile): Promise<boolean> {
  const { folder, passed } = await arrivals(trail, file.entry.born);
  const isHere = [folder.at, ...folder.siblings].some((entry) => entry?.key === file.entry.key);
  return isHere && passed.some(({ size }) => size > 0);
}

/** Takes note of the siblings there are while the current file is at the path: none of them comes after it. */
export async function accountIfChanged(trail: Trail, file: TailFile): Promise<void> {
  if ((await folderChanged(trail.path)) === trail.scanned) return;
  const folder = await scanFolder(trail.path);
  await look(file);
  // If the file has been cut short meanwhile, siblings hold what is missing.
  const whole = isSettled(file) || (!isUnseen(file) && !(await wasCut(file)));
  if (whole && folder.at?.key === file.entry.key) account(trail, folder, []);
}

/** Takes note of all siblings but some, which are looked at again. */
export function account(trail: Trail, folder: Folder, except: readonly Entry[]): void {
  trail.known = new Set(folder.siblings.map(lifeOf));
  for (const sibling of except) trail.known.delete(lifeOf(sibling));
  trail.scanned = except.length > 0 ? -1n : folder.changed;
}

/** The siblings that came while we were following a file born at `born`, in the folder as it was seen. */
function arrivals(trail: Trail, born: bigint): Promise<Newcomers & { readonly folder: Folder }> {
  return workInFolder(trail.path, async (folder) => ({ folder, ...(await newcomers(trail, folder, born)) }));
}

/** Files that wait to be read may have been renamed once more, or packed. */
function findQueued(trail: Trail, folder: Folder): void {
  const siblings = new Map(folder.siblings.map((entry) => [entry.key, entry]));
  const queue = trail.queue.filter(({ key }) => key !== folder.at?.key);
  trail.queue = [];
  for (const { key, path } of queue) {
    const entry = siblings.get(key);
    if (entry) trail.queue.push(entry);
    else trail.onGap(`${path} vanished before it was read: lines are lost`);
  }
}

/** Opens the next file; null if there is none, or it has just been moved. Error: the one at the path cannot be read. */
async function openNext(trail: Trail, folder: Folder): Promise<TailFile | null> {
  for (let entry = trail.queue[0]; entry; entry = trail.queue[0]) {
    try {
      const file = await openNew(trail, entry);
      if (file) trail.queue.shift();
      return file;
    } catch (error) {
      if (!isErrno(error)) throw error;
      if (error.code === 'ENOENT') return null;
      trail.queue.shift();
      trail.onGap(`${problemWith(entry.path, error)}: lines are lost`);
    }
  }
  return folder.at && (takeBack(trail, folder.at) ?? openNew(trail, folder.at));
}

async function openNew(trail: Trail, entry: Entry): Promise<TailFile | null> {
  const file = await openAt(entry, 0);
  if (file) file.liveFrom = trail.there.get(entry.key) ?? 0;
  return file;
}

/** A file that had been renamed away may get its name back. */
function takeBack(trail: Trail, entry: Entry): TailFile | null {
  const old = trail.old.find(({ file }) => file.entry.key === entry.key);
  trail.old = trail.old.filter((other) => other !== old);
  return old?.file ?? null;
}
