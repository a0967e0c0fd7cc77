import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { root } from '../support/paths.ts';
import { need } from '../support/services.ts';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
/** The compiled program that these tests belong to. */
const compiled = fileURLToPath(new URL('../../src/', import.meta.url));

t.test('to install it runs nothing of its own', async (t) => {
  const hooks = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
  t.same(
    Object.keys(own.scripts).filter((name) => hooks.includes(name)),
    [],
  );
});

t.test('the program can be run by its name', async (t) => {
  t.same(own.bin, { trailgauge: 'dist/bin/main.js' });
  // npm makes it executable when it is installed; the first line tells the kernel how.
  t.match(readFileSync(join(compiled, 'main.js'), 'utf8'), /^#!\/usr\/bin\/env node\n/);
});

t.test('the lock file belongs to package.json', async (t) => {
  const { packages, lockfileVersion } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  t.equal(lockfileVersion, 3);
  t.match(packages[''], {
    name: own.name,
    version: own.version,
    engines: own.engines,
    dependencies: own.dependencies,
    devDependencies: own.devDependencies,
  });
});

t.test('every package that is imported is declared, and the other way round', async (t) => {
  const pattern = "^(import|export|\\}) .*from '[^.']|import\\('[^.']|^import '[^.']";
  const { stdout } = spawnSync('grep', ['-rhE', pattern, join(root, 'src')], { encoding: 'utf8' });
  const imported = new Set(
    stdout
      .split('\n')
      .map((line) => /'([^']+)'/.exec(line)?.[1] ?? '')
      .filter((name) => name !== '' && !name.startsWith('node:'))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  );
  t.same([...imported].toSorted(), Object.keys(own.dependencies).toSorted());
});

t.test('the package holds the program, its recordings and its units, and no tests', async (t) => {
  if (!need(t, 'npm')) return;
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  t.equal(status, 0, stderr);
  const [{ files }] = JSON.parse(stdout) as [{ files: readonly { readonly path: string }[] }];
  const paths = files.map(({ path }) => path);
  const wanted =
    /^(?:dist\/bin\/.+\.js|dist\/bin\/LICENSES\.txt|demo\/.+|systemd\/.+|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
  t.same(
    paths.filter((path) => !wanted.test(path)),
    [],
  );
  for (const path of ['LICENSE', 'demo/reaction/reaction.log', 'systemd/trailgauge.service'])
    t.ok(paths.includes(path), path);
  // It is built into another folder where somebody works on a part of it.
  if (existsSync(join(root, 'dist', 'bin', 'main.js'))) t.ok(paths.includes('dist/bin/main.js'));
});
