import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { folder } from '../support/cli.ts';
import { root } from '../support/paths.ts';

/** Folders that hold what people wrote. */
const FOLDERS = [
  'src',
  'test',
  'bench',
  'scripts',
  'docker',
  'systemd',
  'demo',
  'docs',
  '.github',
  'grafana',
  'dashboards',
];
const LONGEST = 300;
/** Longer ones, and why. */
const LONG: ReadonlyMap<string, string> = new Map([]);

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const sources = filesBelow(join(root, 'src')).filter((path) => path.endsWith('.ts'));
const written = [
  ...FOLDERS.flatMap((folder) => filesBelow(join(root, folder))),
  ...readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
].filter((path) => !path.startsWith('test/fixtures/') && path !== 'package-lock.json');

const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');

t.test('the linter has nothing to say, layers included', async (t) => {
  const args = [biome, 'check', '--error-on-warnings', '--colors=off', '.'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  t.equal(status, 0, (stdout + stderr).slice(0, 4_000));
});

t.test('the linter would see a source that looks into another room', async (t) => {
  const place = folder(t);
  for (const name of ['biome.json', '.gitignore']) copyFileSync(join(root, name), join(place, name));
  const wrong = [
    ['src/lib/a.ts', '../core/config.ts'],
    ['src/core/b.ts', '../sources/index.ts'],
    ['src/core/metrics/c.ts', '../../server/page.ts'],
    ['src/sources/reaction/d.ts', '../../server/page.ts'],
    ['src/server/e.ts', '../sources/index.ts'],
    ['src/describe/f.ts', '../app.ts'],
    ['src/g.ts', './sources/index.ts'],
  ] as const;
  const right = [
    ['src/core/r.ts', '../lib/time.ts'],
    ['src/sources/reaction/s.ts', '../../core/config.ts'],
    ['src/cli/t.ts', '../sources/index.ts'],
  ] as const;
  for (const [path, from] of [...wrong, ...right]) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), `import { x } from '${from}';\n\nexport const y = x;\n`);
  }
  const args = [biome, 'lint', '--colors=off', '--max-diagnostics=100', '.'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: place, encoding: 'utf8' });
  const found = [...(stdout + stderr).matchAll(/^(src\S+?\.ts)\S* lint\/style\/noRestrictedImports/gm)].map(
    ([, path]) => path,
  );
  t.same(found.toSorted(), wrong.map(([path]) => path).toSorted());
});

t.test('a source file is of a size that can be read at once', async (t) => {
  const long = sources.filter((path) => textOf(path).split('\n').length > LONGEST);
  t.same(long.toSorted(), [...LONG.keys()].toSorted());
});

t.test('nothing is put off, and nothing names a place that others do not have', async (t) => {
  const marks = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'];
  const mark = new RegExp(`\\b(?:${marks.join('|')})\\b`);
  const place = ['/work', 'shared'].join('/');
  for (const path of written) {
    const text = textOf(path);
    if (mark.test(text)) t.fail(`${path} has a mark for later`);
    if (text.includes(place)) t.fail(`${path} names ${place}`);
  }
  t.ok(written.length > 100);
});

t.test('imports name the files that there are', async (t) => {
  for (const path of [...sources, ...filesBelow(join(root, 'test')).filter((name) => name.endsWith('.ts'))]) {
    for (const [, target = ''] of textOf(path).matchAll(/\bfrom '(\.[^']+)';/g)) {
      if (!target.endsWith('.ts')) t.fail(`${path}: ${target} does not end in .ts`);
    }
  }
  t.pass('all of them end in .ts');
});
