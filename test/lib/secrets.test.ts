import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readSecret } from '../../src/lib/secrets.ts';

const place = mkdtempSync(join(tmpdir(), 'trailgauge-'));
t.teardown(() => rmSync(place, { recursive: true, force: true }));

function written(name: string, content: string | Buffer): string {
  const path = join(place, name);
  writeFileSync(path, content);
  return path;
}

t.test('from each place', async (t) => {
  const file = written('secret', 'hunter2\n');
  t.equal(await readSecret('hunter2', {}), 'hunter2');
  t.equal(await readSecret({ env: 'PASSWORD' }, { PASSWORD: 'hunter2' }), 'hunter2');
  t.equal(await readSecret({ file }, {}), 'hunter2');
  t.equal(await readSecret({ credential: 'secret' }, { CREDENTIALS_DIRECTORY: place }), 'hunter2');
});

t.test('one line end is dropped, and it is read again each time', async (t) => {
  const file = written('renewed', 'a\r\n');
  t.equal(await readSecret({ file }, {}), 'a');
  written('renewed', ' b \n\n');
  t.equal(await readSecret({ file }, {}), ' b \n');
});

t.test('messages name the place, never the value', async (t) => {
  const empty = written('empty', '\n');
  const big = written('big', Buffer.alloc(65_537, 'hunter2'));
  mkdirSync(join(place, 'folder'));
  const cases: readonly (readonly [source: Parameters<typeof readSecret>[0], message: string])[] = [
    [{ env: 'PASSWORD' }, 'secret: environment variable PASSWORD is not set, wanted a value'],
    [{ file: join(place, 'none') }, `secret: cannot read ${join(place, 'none')}: ENOENT`],
    [{ file: join(place, 'folder') }, `secret: cannot read ${join(place, 'folder')}: EISDIR`],
    [{ file: empty }, `secret: ${empty} is empty, wanted a value`],
    [{ file: big }, `secret: ${big} has 65537 bytes, wanted at most 65536`],
    [{ credential: 'x' }, 'secret: no credential x, as $CREDENTIALS_DIRECTORY is not set'],
  ];
  for (const [source, message] of cases) await t.rejects(readSecret(source, {}), { message });
  for (const credential of ['../secret', 'a/b', '.hidden', '']) {
    await t.rejects(readSecret({ credential }, { CREDENTIALS_DIRECTORY: join(place, 'folder') }), {
      message: `secret: found credential name ${JSON.stringify(credential)}, wanted a plain name`,
    });
  }
});

t.test('a file that may not be read', async (t) => {
  const file = written('closed', 'hunter2');
  chmodSync(file, 0o000);
  // Root may read everything: the rest goes on as nobody, who may look into the folder.
  if (process.getuid?.() === 0) {
    chmodSync(place, 0o755);
    process.seteuid?.(65_534);
    t.teardown(() => process.seteuid?.(0));
  }
  await t.rejects(readSecret({ file }, {}), { message: `secret: cannot read ${file}: EACCES` });
});
