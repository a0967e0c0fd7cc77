import { openIfSame, type TailFile } from './tail-file.ts';
import type { Entry, Folder } from './tail-folder.ts';
import type { FilePlace, FilePosition } from './tail-place.ts';
import { oldestHolder, openIfAllowed } from './tail-siblings.ts';

/** The files of a saved position, open. */
export interface Located {
  /** The place to begin with, and its file; null: not found. */
  readonly place: FilePlace;
  readonly file: TailFile | null;
  /** Files read before that may get lines yet, oldest first. */
  readonly before: readonly TailFile[];
  /** Whether lines may be lost because a file was not found. */
  readonly isLost: boolean;
}

/** Finds the files of a position. Error: the file at the path must not be read. */
export async function locateFiles(folder: Folder, from: FilePosition): Promise<Located> {
  const places = [...(from.before ?? []), from];
  const files: (TailFile | null)[] = [];
  try {
    for (const place of places) files.push(await locate(folder, place));
  } catch (error) {
    await closeAll(files);
    throw error;
  }
  const main = mainOf(places, files);
  await closeAll(files.splice(main + 1));
  const file = files.pop() ?? null;
  const place = places[main] ?? from;
  // If nothing had been read of the file, the ones before it had been read to their ends, and may be gone.
  const isLost = (file === null && place.ino !== '') || (place.offset > 0 && files.includes(null));
  return { place, file, before: files.filter((each) => each !== null), isLost };
}

/**
 * The place to begin with: the last one, or if nothing had been read there, the last one before that is found and had
 * lines read from it. A file of which nothing has been read tells nothing of what came between.
 */
function mainOf(places: readonly FilePlace[], files: readonly (TailFile | null)[]): number {
  const last = places.length - 1;
  if ((places[last]?.offset ?? 0) > 0) return last;
  const main = places.findLastIndex(({ offset }, i) => offset > 0 && files[i] !== null);
  return main < 0 ? last : main;
}

/** Finds a place by its inode, else by the bytes before it. */
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
  return oldestHolder(all, BigInt(place.mtime) * 1_000_000n, open);
}

async function closeAll(files: readonly (TailFile | null)[]): Promise<void> {
  for (const file of files) await file?.handle.close();
}
