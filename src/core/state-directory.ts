import { constants, existsSync, statfsSync } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { homedir, constants as system } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Where totals and positions are kept if the configuration does not say. */
export function stateDirectory(configured: string | null, env: NodeJS.ProcessEnv): string {
  if (configured !== null) return configured;
  // systemd may name several directories; the first is ours.
  const systemd = env.STATE_DIRECTORY?.split(':')[0];
  return systemd || join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'trailgauge');
}

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
    throw new Error(`state directory ${directory}: ${place}${directoryProblem(error, there)}`, { cause: error });
  }
  return `${directory} ${there === resolve(directory) ? 'can be used and is empty' : `can be made in ${there}`}`;
}

/** Throws, as a write would, if the disk of a directory has less room than that. */
export function refuseFullDisk(directory: string, bytes: number): void {
  if (freeBytes(directory) < bytes) throw Object.assign(new Error('no space left on the disk'), { code: 'ENOSPC' });
}

/** Why a directory cannot be used, in words. */
export function directoryProblem(error: unknown, directory: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // LMDB tells numbers, and EIO for a write that was cut short.
  if (code === 'ENOSPC' || code === system.errno.ENOSPC || isFull(directory)) return 'no space left on the disk';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `found no permission (${String(code)}) for user ${process.getuid?.() ?? '?'}, wanted a directory it can read and write`;
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'found a file in its way, wanted a directory';
  if (code === 'ENOENT' || code === 'ELOOP') return `it cannot be made there (${code}), wanted another place`;
  return error instanceof Error ? error.message : String(error);
}

function isFull(directory: string): boolean {
  try {
    return freeBytes(directory) < 4_096;
  } catch {
    return false;
  }
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
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
