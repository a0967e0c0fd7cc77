import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
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
const LONG: ReadonlyMap<string, string> = new Map([
  ['src/core/metrics/registry.ts', 'four kinds of metrics over the same two stores'],
]);

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

t.test('the linter has nothing to say, layers included', async (t) => {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const args = [biome, 'check', '--error-on-warnings', '--colors=off', '.'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  t.equal(status, 0, (stdout + stderr).slice(0, 4_000));
});

t.test('the linter would see a source that looks into another room', async (t) => {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const isFine = (path: string, from: string) => {
    const args = [biome, 'lint', '--error-on-warnings', '--colors=off', `--stdin-file-path=${join(root, path)}`];
    const input = `import { x } from '${from}';\n\nexport const y = x;\n`;
    return spawnSync(process.execPath, args, { cwd: root, input }).status === 0;
  };
  for (const [path, from] of [
    ['src/lib/x.ts', '../core/config.ts'],
    ['src/core/x.ts', '../sources/index.ts'],
    ['src/core/metrics/x.ts', '../../server/page.ts'],
    ['src/sources/reaction/x.ts', '../../server/page.ts'],
    ['src/server/x.ts', '../sources/index.ts'],
    ['src/describe/x.ts', '../app.ts'],
    ['src/x.ts', './sources/index.ts'],
  ] as const) {
    t.notOk(isFine(path, from), `${path} ${from}`);
  }
  t.ok(isFine('src/core/x.ts', '../lib/time.ts'));
  t.ok(isFine('src/sources/reaction/x.ts', '../../core/config.ts'));
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
