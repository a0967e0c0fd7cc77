import { execFileSync } from 'node:child_process';
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

function gitRevision(root: string): string {
  if (!existsSync(join(root, '.git'))) return 'unknown';
  try {
    return execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2_000,
    }).trim();
  } catch {
    return 'unknown';
  }
}
