import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Debian packages of programs that are not called as their package. */
const PACKAGES: Readonly<Record<string, string>> = { journalctl: 'systemd', taskset: 'util-linux', wc: 'coreutils' };

/** The trailgauge that was built beside this compiled benchmark. */
export const TRAILGAUGE: string = fileURLToPath(new URL('../bin/main.js', import.meta.url));

/** This folder in the repository; the compiled one is two folders below its root. */
export const FOLDER: string = fileURLToPath(new URL('../../bench/', import.meta.url));

/** The path of a program, looked for in `PATH` and where Debian keeps daemons; null if it is not there. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/lib/systemd', '/lib/systemd'];
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // It may be in the next one.
    }
  }
  return null;
}

/** What is to be said of the programs that are missing, or null. */
export function missing(...names: readonly string[]): string | null {
  const wanted = names.filter((name) => findProgram(name) === null);
  if (wanted.length === 0) return null;
  return `skipped: found no ${wanted.map((name) => `${name} (Debian package ${PACKAGES[name] ?? name})`).join(', no ')}`;
}

/** The first line that a program prints of its version; `missing` if it is not there. */
export function versionOf(name: string, ...args: readonly string[]): string {
  const path = findProgram(name);
  if (path === null) return `${name}: missing`;
  return execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n', 1)
    .join('');
}
