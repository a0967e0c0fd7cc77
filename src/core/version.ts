import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What this program is. */
export interface Version {
  readonly name: string;
  readonly version: string;
  /** The commit it was built from, or `unknown`. */
  readonly revision: string;
  readonly node: string;
}

/** Read from the package, and in a clone from git; `TRAILGAUGE_REVISION` at build time of a container says it as well. */
export function readVersion(env: NodeJS.ProcessEnv): Version {
  const root = packageRoot();
  // Our own package.json has both.
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  return { name, version, revision: env.TRAILGAUGE_REVISION || gitRevision(root), node: process.version };
}

/** The folder that the program is installed in: the one with its package.json. */
export function packageRoot(from: string = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(from, 'package.json')) ? from : packageRoot(dirname(from));
}

/** The commit of a clone, shortened as git does; asking git itself would take longer than all else that a start does. */
function gitRevision(root: string): string {
  try {
    const folder = join(root, '.git');
    const head = readFileSync(join(folder, 'HEAD'), 'latin1').trim();
    const name = /^ref: (refs\/.+)$/.exec(head)?.[1];
    const commit = name === undefined ? head : commitOf(folder, name);
    return /^[0-9a-f]{40,64}$/.test(commit) ? commit.slice(0, 7) : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** References are files of their own, or lines of a common one. */
function commitOf(folder: string, name: string): string {
  if (existsSync(join(folder, name))) return readFileSync(join(folder, name), 'latin1').trim();
  const packed = readFileSync(join(folder, 'packed-refs'), 'latin1').split('\n');
  return packed.find((line) => line.endsWith(` ${name}`))?.split(' ', 1)[0] ?? '';
}
