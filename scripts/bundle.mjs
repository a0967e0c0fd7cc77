// Puts the compiled program together into few files, which start in half the time: the modules of zod, yaml and yargs
// alone are two hundred. Of zod only what is used comes along, as it is imported as a namespace. All other packages stay
// where they are installed. Notices of what is in the files go with them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild-wasm';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'dist', 'bin');
const bundled = ['zod', 'yaml', 'yargs', 'pino'];
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(output, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  // Threads are started by the names of their files.
  entryPoints: ['main', 'lib/scan-worker', 'server/web-config/compare-worker'].map((name) => `dist/src/${name}.js`),
  entryNames: '[name]',
  outdir: output,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies).filter((name) => !bundled.includes(name)),
  // yaml is no ECMAScript module, and asks for those of Node.js in the old way.
  banner: { js: "import { createRequire as olden } from 'node:module';\nconst require = olden(import.meta.url);" },
  // Its tables of Unicode take longer to load than all else of yargs.
  alias: { 'string-width': './scripts/plain-width.js' },
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(output, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)));

/** The licences of the packages that these files belong to. */
function licences(files) {
  const folders = new Set(
    files.flatMap((file) => /^node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(file) ?? []),
  );
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      return `${name} ${version} (${license})\n\n${licenceText(folder)}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licenceText(folder) {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENSE-MIT.txt']) {
    try {
      return readFileSync(join(root, folder, name), 'utf8').trim();
    } catch {
      // It may have another name.
    }
  }
  throw new Error(`${folder}: found no licence, wanted one to go with what is taken from it`);
}
