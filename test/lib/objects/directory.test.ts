import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { openDirectory } from '../../../src/lib/objects/directory.ts';
import { openS3 } from '../../../src/lib/objects/s3.ts';
import type { ListPage, ListQuery, ObjectStore, StoredObject } from '../../../src/lib/objects/store.ts';
import { fakeS3 } from '../../support/fake-s3.ts';

const go = new AbortController().signal;

function place(t: Test, files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  chmodSync(path, 0o755);
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  put(path, files);
  return path;
}

function put(root: string, files: Readonly<Record<string, string>>): void {
  for (const [key, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, key)), { recursive: true });
    writeFileSync(join(root, key), text);
  }
}

async function pages(store: ObjectStore, query: ListQuery): Promise<readonly ListPage[]> {
  const found: ListPage[] = [];
  for (let next: string | null | undefined; next !== null; ) {
    const page: ListPage = await store.list({ ...query, ...(next && { next }) }, go);
    found.push(page);
    next = page.next;
  }
  return found;
}

async function keys(store: ObjectStore, query: ListQuery): Promise<readonly string[]> {
  return (await pages(store, query)).flatMap(({ objects }) => objects.map(({ key }) => key));
}

async function content(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

async function failure(t: Test, promise: Promise<unknown>): Promise<{ message: string; kind: string }> {
  try {
    await promise;
  } catch (caught) {
    const { message, kind } = caught as { message: string; kind: string };
    t.notMatch(message, /[\p{Cc}\p{Zl}\p{Zp}]/u, 'one line');
    return { message, kind };
  }
  t.fail('it did not fail');
  return { message: '', kind: '' };
}

async function only(store: ObjectStore, prefix = ''): Promise<StoredObject> {
  return (await store.list({ prefix }, go)).objects[0]!;
}

/** Files of this process that are open below a folder. */
function openFiles(root: string): number {
  const shown = execFileSync('sh', ['-c', `ls -l /proc/${process.pid}/fd`], { encoding: 'utf8' });
  return shown.split(root).length - 1;
}

t.test('a listing and a body', async (t) => {
  const root = place(t, { 'AWSLogs/1/a.json.gz': 'hello' });
  utimesSync(join(root, 'AWSLogs/1/a.json.gz'), 1_700_000_000.5, 1_700_000_000.5);
  const store = openDirectory(root);
  t.equal(store.name, `directory ${root}`);
  const object = { key: 'AWSLogs/1/a.json.gz', etag: '5-1700000000500000000', size: 5, modified: 1_700_000_000_500 };
  t.same(await store.list({ prefix: '' }, go), { objects: [object], folders: [], next: null, time: null });
  t.equal(await content(await store.get(object, go)), 'hello');
  t.same(await store.list({ prefix: '', folders: true }, go), {
    objects: [],
    folders: ['AWSLogs/'],
    next: null,
    time: null,
  });
  store.close();
});

t.test('the order is that of the bytes of whole keys', async (t) => {
  const sorted = ['a', 'a b', 'a!/x', 'a-/x', 'a.txt', 'a/b', 'a/b.c', 'a/b/c', 'a0', 'b', 'é', '\uffee', '\u{1f600}'];
  const files = sorted.filter((key) => key !== 'a' && key !== 'a/b');
  const store = openDirectory(place(t, Object.fromEntries(files.map((key) => [key, key]))));
  t.same(await keys(store, { prefix: '' }), files);
  for (const [index, key] of files.entries()) {
    t.same(await keys(store, { prefix: '', startAfter: key }), files.slice(index + 1));
    t.equal(await content(await store.get(await only(store, key), go)), key);
  }
});

t.test('it lists as a bucket does, whatever is asked', async (t) => {
  const part = fc.constantFrom('a', 'b', 'a-', 'a.', 'a0', 'é', '\uffee', '\u{1f600}', ' ', '+', '%2F');
  const folder = fc.array(part, { minLength: 1, maxLength: 3 });
  const s3 = await fakeS3(t);
  const bucket = openS3({
    endpoint: s3.url,
    region: 'us-east-1',
    bucket: 'logs',
    accessKey: s3.accessKey,
    secretKey: async () => s3.secretKey,
    pathStyle: true,
  });
  t.teardown(() => bucket.close());
  const run = async (files: readonly string[][], prefix: string, startAfter: string, folders: boolean) => {
    const root = mkdtempSync(join(tmpdir(), 'trailgauge-'));
    const names = files.map((parts) => `${parts.map((name) => `d${name}`).join('/')}/f`);
    put(root, Object.fromEntries(names.map((name) => [name, ''])));
    s3.putMany(names);
    const query = { prefix, folders, ...(startAfter && { startAfter }) };
    const [found, wanted] = [await openDirectory(root).list(query, go), await bucket.list(query, go)];
    rmSync(root, { recursive: true });
    for (const name of names) s3.remove(name);
    t.strictSame(
      found.objects.map(({ key }) => key),
      wanted.objects.map(({ key }) => key),
      JSON.stringify({ names, query }),
    );
    // A folder that the key to start after is in may hold another one; here it is not looked into.
    t.strictSame(
      found.folders.filter((name) => !startAfter.startsWith(name)),
      wanted.folders.filter((name) => !startAfter.startsWith(name)),
    );
  };
  const somewhere = fc.oneof(
    fc.constant(''),
    folder.map((parts) => parts.map((name) => `d${name}`).join('/')),
  );
  const property = fc.asyncProperty(
    fc.array(folder, { minLength: 1, maxLength: 12 }),
    fc.tuple(somewhere, fc.constantFrom('', '/')).map(([path, end]) => (path === '' ? '' : path + end)),
    fc.tuple(somewhere, fc.constantFrom('', '/', '/f')).map(([path, end]) => (path === '' ? '' : path + end)),
    fc.boolean(),
    run,
  );
  await fc.assert(property, { numRuns: 60 });
});

t.test('pages follow each other, also where the listing is not kept', async (t) => {
  const root = place(t);
  for (const day of ['01', '02', '03']) {
    mkdirSync(join(root, day));
    for (let index = 0; index < 800; index++) writeFileSync(join(root, day, String(index).padStart(4, '0')), '');
  }
  const store = openDirectory(root);
  const found = await pages(store, { prefix: '' });
  t.same(
    found.map(({ objects }) => objects.length),
    [1_000, 1_000, 400],
  );
  const all = found.flatMap(({ objects }) => objects.map(({ key }) => key));
  t.same(all, all.toSorted());
  t.equal(new Set(all).size, 2_400);
  const anew = await openDirectory(root).list({ prefix: '', next: found[0]!.next! }, go);
  t.same(anew.objects, found[1]!.objects);
  t.same((await store.list({ prefix: '', next: found[0]!.next! }, go)).objects, found[1]!.objects);
  t.equal((await store.list({ prefix: '02/' }, go)).next, null);
});

t.test('a page of exactly a thousand is the last one', async (t) => {
  const root = place(t);
  for (let index = 0; index < 1_000; index++) mkdirSync(join(root, `d${index}`));
  const store = openDirectory(root);
  const { folders, next } = await store.list({ prefix: '', folders: true }, go);
  t.same([folders.length, next], [1_000, null]);
  mkdirSync(join(root, 'e'));
  const first = await store.list({ prefix: '', folders: true }, go);
  const second = await store.list({ prefix: '', folders: true, next: first.next! }, go);
  t.same([first.folders.length, second.folders, second.next], [1_000, ['e/'], null]);
});

t.test('folders that cannot hold what is asked for are not read', async (t) => {
  if (process.getuid?.() !== 0) return void t.pass('skipped', { skip: 'only root can become another user' });
  const root = place(t, { 'closed/x': '', 'open/1/a': '', 'open/2/b': '', 'zoo/c': '' });
  for (const name of ['closed', 'open/1']) chmodSync(join(root, name), 0o000);
  process.seteuid?.(65_534);
  t.teardown(() => process.seteuid?.(0));
  const store = openDirectory(root);
  t.same(await keys(store, { prefix: 'open/2/' }), ['open/2/b']);
  t.same(await keys(store, { prefix: 'z' }), ['zoo/c']);
  t.same(await keys(store, { prefix: '', startAfter: 'open/2/' }), ['open/2/b', 'zoo/c']);
  t.same((await store.list({ prefix: '', folders: true }, go)).folders, ['closed/', 'open/', 'zoo/']);
  t.same(await failure(t, store.list({ prefix: '' }, go)), {
    message: `cannot list directory ${root}: "${root}/closed/" may not be read (EACCES); let the user that this program runs as read it`,
    kind: 'store',
  });
  process.seteuid?.(0);
  writeFileSync(join(root, 'zoo/c'), 'x', { mode: 0o600 });
  chmodSync(join(root, 'zoo/c'), 0o000);
  process.seteuid?.(65_534);
  t.same(await failure(t, store.get(await only(store, 'zoo/'), go)), {
    message: `cannot read "zoo/c" of directory ${root}: "${root}/zoo/c" may not be read (EACCES); let the user that this program runs as read it`,
    kind: 'store',
  });
});

t.test('places that are no directory', async (t) => {
  const root = place(t, { file: '' });
  const cases = [
    [join(root, 'none'), 'it is not there; create it, or correct the path'],
    [join(root, 'file'), 'it is no directory; correct the path'],
    [join(root, 'file', 'in'), 'it is no directory; correct the path'],
  ] as const;
  for (const [path, reason] of cases) {
    const found = await failure(t, openDirectory(path).list({ prefix: '' }, go));
    t.same(found, { message: `cannot list directory ${path}: ${reason}`, kind: 'store' });
  }
  const object = { key: 'a', etag: '0-0', size: 0, modified: 0 };
  t.equal((await failure(t, openDirectory(join(root, 'none')).get(object, go))).kind, 'store');
});

t.test('prefixes that lead nowhere', async (t) => {
  const root = place(t, { 'in/a': 'x', 'in/b/c': 'y' });
  const store = openDirectory(join(root, 'in'));
  for (const prefix of [
    'none/',
    'a/',
    '../',
    '../in/',
    './',
    '/',
    'b//',
    'b/../',
    '\0/',
    'x'.repeat(5_000),
    `${'x/'.repeat(5_000)}`,
  ]) {
    t.same(await store.list({ prefix }, go), { objects: [], folders: [], next: null, time: null }, prefix.slice(0, 20));
  }
});

t.test('links to files in the folder are followed, no others', async (t) => {
  const outside = place(t, { secret: 'no', 'd/e': 'no' });
  const root = place(t, { 'real/a': 'yes' });
  symlinkSync('real/a', join(root, 'inner'));
  symlinkSync(join(outside, 'secret'), join(root, 'outer'));
  symlinkSync(join(outside, 'd'), join(root, 'outer-folder'));
  symlinkSync('.', join(root, 'loop'));
  symlinkSync('self', join(root, 'self'));
  symlinkSync('none', join(root, 'dangling'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const store = openDirectory(root);
  t.same(await keys(store, { prefix: '' }), ['inner', 'real/a']);
  t.equal(await content(await store.get(await only(store, 'inner'), go)), 'yes');
  t.same(await keys(store, { prefix: 'loop/' }), []);
  t.same(await keys(store, { prefix: 'outer-folder/' }), []);
  const object = { key: '', etag: '2-0', size: 2, modified: 0 };
  for (const key of ['outer', 'outer-folder/e', `../${outside.split('/').at(-1)}/secret`, 'self', 'dangling', 'a\0b']) {
    t.equal((await failure(t, store.get({ ...object, key }, go))).kind, 'gone', key);
  }
  t.equal((await failure(t, store.get({ ...object, key: 'pipe' }, go))).kind, 'changed');
  const linked = join(outside, 'link');
  symlinkSync(root, linked);
  t.same(await keys(openDirectory(linked), { prefix: '' }), ['inner', 'real/a']);
});

t.test('files that vanish, change, or are replaced', async (t) => {
  const root = place(t, { a: 'one', b: 'x'.repeat(1_000_000) });
  const store = openDirectory(root);
  const a = await only(store, 'a');
  appendFileSync(join(root, 'a'), '!');
  t.same(await failure(t, store.get(a, go)), {
    message: `cannot read "a" of directory ${root}: it has changed since it was listed`,
    kind: 'changed',
  });
  unlinkSync(join(root, 'a'));
  t.same(await failure(t, store.get(a, go)), {
    message: `cannot read "a" of directory ${root}: it is no longer there`,
    kind: 'gone',
  });
  for (const change of [() => appendFileSync(join(root, 'b'), 'y'), () => truncateSync(join(root, 'b'), 10)]) {
    const chunks = await store.get(await only(store, 'b'), go);
    const reading = (async () => {
      let changed = false;
      for await (const _ of chunks) {
        if (!changed) change();
        changed = true;
      }
    })();
    t.equal((await failure(t, reading)).kind, 'changed');
  }
  // What was opened stays what it was.
  put(root, { c: 'old', d: 'new' });
  const chunks = await store.get(await only(store, 'c'), go);
  renameSync(join(root, 'd'), join(root, 'c'));
  t.equal(await content(chunks), 'old');
});

t.test('files are closed, however the reading ends', async (t) => {
  if (!existsSync('/proc/self/fd')) return void t.pass('skipped', { skip: 'there is no /proc' });
  const root = place(t, { a: 'x'.repeat(1_000_000) });
  const store = openDirectory(root);
  const a = await only(store);
  for await (const _ of await store.get(a, go)) break;
  await (await store.get(a, go))[Symbol.asyncIterator]().return?.();
  await content(await store.get(a, go));
  const controller = new AbortController();
  const chunks = await store.get(a, controller.signal);
  controller.abort();
  t.equal((await failure(t, content(chunks))).message, `cannot read "a" of directory ${root}: given up`);
  t.match((await failure(t, store.get({ ...a, etag: '1-1' }, go))).kind, 'changed');
  t.equal((await failure(t, store.list({ prefix: '' }, controller.signal))).kind, 'store');
  t.equal(openFiles(root), 0);
});

t.test('names that are no UTF-8 are left out', async (t) => {
  const root = place(t, { b: '' });
  writeFileSync(Buffer.concat([Buffer.from(`${root}/a`), Buffer.from([0xff])]), '');
  t.equal(readdirSync(root).length, 2);
  t.same(await keys(openDirectory(root), { prefix: '' }), ['b']);
});
