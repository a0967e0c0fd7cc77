// Makes a clone ready to run: installs the locked dependencies when they are missing or changed,
// and compiles when a source is newer than the last build. With `test` it also makes tap ready, which puts its test class
// together from the plugins that .taprc names, and does not use what it made in the same run. Needs Node.js and npm.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'dist', '.built');
const tapBuilt = join(root, 'node_modules', '.tap-built');

process.chdir(root);
if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
if (modified(compiled) < newest(['src', 'test', 'bench', 'scripts/bundle.mjs', 'tsconfig.json', 'package-lock.json'])) {
  rmSync('dist', { recursive: true, force: true });
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);
  run(process.execPath, ['scripts/bundle.mjs']);
  mkdirSync('dist', { recursive: true });
  writeFileSync(compiled, '');
}
if (process.argv[2] === 'test' && modified(tapBuilt) < newest(['node_modules/.package-lock.json', '.taprc'])) {
  run(process.execPath, ['node_modules/.bin/tap', 'build']);
  writeFileSync(tapBuilt, '');
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(paths) {
  return Math.max(
    ...paths.map((path) => {
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return modified(path);
      return Math.max(modified(path), newest(readdirSync(path).map((name) => join(path, name))));
    }),
    0,
  );
}

function run(command, args) {
  // Standard output belongs to the program that is started next.
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error || status !== 0) {
    process.stderr.write(`trailgauge: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(status || 1);
  }
}
