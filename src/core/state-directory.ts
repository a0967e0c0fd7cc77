import { constants, existsSync } from 'node:fs';
import { access, mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Makes a directory for this program, if need be with those above it, and looks whether it can be written to. */
export async function prepareDirectory(directory: string): Promise<void> {
  await makeDirectory(resolve(directory));
  await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** What `prepareDirectory` would find, without making anything; throws with the directory and what is wrong. */
export async function tryDirectory(directory: string): Promise<string> {
  const there = existingParent(resolve(directory));
  try {
    // The point makes a file an error.
    await access(`${there}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const place = there === resolve(directory) ? '' : `in ${there} `;
    throw new Error(`state directory ${directory}: ${place}${await directoryProblem(error, there)}`, { cause: error });
  }
  return `${directory} ${there === resolve(directory) ? 'can be used and is empty' : `can be made in ${there}`}`;
}

/** Why a directory cannot be used, in words. */
export async function directoryProblem(error: unknown, directory: string): Promise<string> {
  const free = await statfs(directory).catch(() => null);
  if (free && free.bavail * free.bsize < 65_536) return 'no space left on the disk';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `found no permission (${String(code)}) for user ${process.getuid?.() ?? '?'}, wanted a directory it can read and write`;
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'found a file in its way, wanted a directory';
  if (code === 'ENOENT' || code === 'ELOOP') return `it cannot be made there (${code}), wanted another place`;
  return error instanceof Error ? error.message : String(error);
}

/** Node.js's own way of making what is above it as well never ends in places such as /proc. */
async function makeDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  if (path !== dirname(path)) await makeDirectory(dirname(path));
  await mkdir(path, { mode: 0o750 }).catch(async (error: unknown) => {
    // Another one may have been faster.
    if (!(await isDirectory(path))) throw error;
  });
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function existingParent(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existingParent(dirname(path));
}
