import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { type FileBatch, followFile } from '../../src/lib/tail.ts';
import { catchUp, follow, newLog } from './tail-follower.ts';

async function once(path: string, options: { maxLine?: number; chunk?: number } = {}) {
  const batches: { text: string; tooLong: number; live: boolean }[] = [];
  const { signal } = new AbortController();
  for await (const { bytes, tooLong, live } of followFile({ path, follow: false, from: 'end', signal, ...options })) {
    batches.push({ text: bytes.toString(), tooLong, live });
  }
  return batches;
}

/** Root may read all: the rest of a test goes on as nobody, who may look into the folder. */
function withoutRoot(t: Test, folder: string): void {
  if (process.getuid?.() !== 0) return;
  chmodSync(folder, 0o755);
  process.seteuid?.(65_534);
  t.teardown(() => process.seteuid?.(0));
}

/** Descriptors of this process that are open on a file of that folder. */
function openFiles(path: string): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(`${dirname(path)}/`));
}

t.test('once: all of the named file, with an unterminated last line, and nothing else', async (t) => {
  const path = newLog(t);
  writeFileSync(`${path}.1`, 'old\n');
  writeFileSync(path, 'a\n\nb\nrest');
  t.same(await once(path), [
    { text: 'a\n\nb\n', tooLong: 0, live: false },
    { text: 'rest', tooLong: 0, live: false },
  ]);
  writeFileSync(path, '');
  t.same(await once(path), []);
  writeFileSync(path, 'toolong\nok\ntoolong');
  t.same(await once(path, { maxLine: 6 }), [
    { text: '', tooLong: 1, live: false },
    { text: 'ok\n', tooLong: 0, live: false },
    { text: '', tooLong: 1, live: false },
  ]);
  t.same(openFiles(path), []);
});

t.test('once: a file that cannot be read is an error', async (t) => {
  const path = newLog(t);
  await t.rejects(once(path), { message: `cannot read ${path}: ${path} does not exist` });
  mkdirSync(path);
  await t.rejects(once(path), { message: `cannot read ${path}: ${path} is a directory, wanted a regular file` });
});

t.test('a large file comes in large batches', async (t) => {
  const path = newLog(t);
  const line = `${'x'.repeat(99)}\n`;
  writeFileSync(path, line.repeat(100_000));
  const batches = await once(path);
  t.equal(batches.map(({ text }) => text).join(''), line.repeat(100_000));
  t.ok(batches.length < 16, `${batches.length} batches`);
  t.ok(batches.every(({ text }) => text.length <= 1024 * 1024 && text.endsWith('\n')));
});

t.test('lines that were there are not live, lines that come are', async (t) => {
  const path = newLog(t);
  writeFileSync(path, 'a\nb\nc');
  const follower = follow(t, path);
  await follower.until('caught up', () => follower.seen.some(({ caughtUp }) => caughtUp));
  t.match(follower.seen[0], { text: '', offset: 0, caughtUp: false, position: { offset: 0, ino: /\d+/ } });
  t.match(follower.seen[1], { text: 'a\nb\n', offset: 0, live: false, position: { offset: 4 } });
  t.match(follower.seen[2], { text: '', caughtUp: true, live: true });
  appendFileSync(path, '\nd\n');
  await follower.until('d', () => follower.lines().includes('d'));
  t.same(follower.lines(), ['a', 'b', 'c', 'd']);
  t.ok(follower.seen.slice(3).every(({ live, caughtUp }) => live && !caughtUp));
  t.same(follower.problems, []);
  t.same(follower.gaps, []);
});

t.test('from the end: behind the last newline', async (t) => {
  const path = newLog(t);
  writeFileSync(path, `old\n${'x'.repeat(100_000)}\nbegun `);
  const follower = follow(t, path, { from: 'end' });
  await follower.until('first batch', () => follower.seen.length > 0);
  t.equal(follower.position().offset, 100_005);
  appendFileSync(path, 'and ended\n');
  await follower.until('line', () => follower.lines().length > 0);
  t.same(follower.lines(), ['begun and ended']);
});

t.test('a missing file is awaited and read from its first byte, also after a restart', async (t) => {
  for (const from of ['start', 'end'] as const) {
    const path = newLog(t);
    rmSync(dirname(path), { recursive: true });
    const first = follow(t, path, { from });
    await first.until('first batch', () => first.seen.length > 0);
    t.match(first.seen[0], { text: '', ino: '', position: { ino: '', offset: 0 } });
    await first.until('problem', () => first.problems.length > 0);
    const position = first.position();
    mkdirSync(dirname(path));
    writeFileSync(path, 'a\n');
    await first.until('line', () => first.lines().length > 0);
    t.same(first.lines(), ['a']);
    t.ok(first.seen.find(({ text }) => text !== '')?.live);
    await first.until('the end of the problem', () => first.problems.length > 1);
    t.same(first.problems, [`${path} does not exist`, null]);
    const second = await catchUp(t, path, position);
    t.same(second.lines(), ['a']);
    t.same([...first.gaps, ...second.gaps], []);
  }
});

t.test('bytes may come in any pieces', async (t) => {
  const path = newLog(t);
  const text = 'grün – 失敗 🎉\n\nzwei\n';
  writeFileSync(path, '');
  const follower = follow(t, path);
  for (const byte of Buffer.from(text)) {
    const looks = follower.seen.length;
    appendFileSync(path, Buffer.from([byte]));
    if (byte === 10) await follower.until('line', () => follower.seen.length > looks);
  }
  await follower.until('all', () => follower.lines().length === 3);
  t.same(follower.lines(), ['grün – 失敗 🎉', '', 'zwei']);
});

t.test('a line that is too long is counted when it ends; until then the position stays before it', async (t) => {
  const path = newLog(t);
  writeFileSync(path, `a\n${'x'.repeat(1000)}`);
  const options = { maxLine: 100, chunk: 64 };
  const first = await catchUp(t, path, 'start', options);
  t.same(first.lines(), ['a']);
  t.equal(first.position().offset, 2);
  appendFileSync(path, `${'y'.repeat(500)}\n${'z'.repeat(100)}\n`);
  for (const from of ['start', first.position()] as const) {
    const second = await catchUp(t, path, from, options);
    t.equal(second.lines().at(-1), 'z'.repeat(100));
    t.equal(
      second.seen.reduce((sum, { tooLong }) => sum + tooLong, 0),
      1,
    );
    t.equal(second.position().offset, 2 + 1501 + 101);
    t.same(second.gaps, []);
  }
});

t.test('a hole after truncation is no part of the line behind it', async (t) => {
  const path = newLog(t);
  writeFileSync(path, '');
  truncateSync(path, 3_000_000);
  appendFileSync(path, 'a\nb\n');
  const follower = await catchUp(t, path, 'start', { maxLine: 1000 });
  t.same(
    follower.lines().map((line) => line.replace(/^\0+/, '')),
    ['a', 'b'],
  );
  t.ok(follower.seen.every(({ tooLong }) => tooLong === 0));
});

t.test('a file that must not be written to, and one that is none', async (t) => {
  const path = newLog(t);
  mkdirSync(path);
  const follower = follow(t, path, { from: 'end' });
  await follower.until('problem', () => follower.problems.length > 0);
  t.same(follower.problems, [`${path} is a directory, wanted a regular file`]);
  t.same(follower.seen, [], 'where to begin is not known yet');
  rmSync(path, { recursive: true });
  const writer = openSync(path, 'a');
  writeSync(writer, 'a\n');
  chmodSync(path, 0o444);
  await follower.until('file', () => follower.problems.at(-1) === null);
  writeSync(writer, 'b\n');
  closeSync(writer);
  await follower.until('line', () => follower.lines().includes('b'));
});

t.test('a file without permission to read', async (t) => {
  const path = newLog(t);
  writeFileSync(path, 'a\n');
  chmodSync(path, 0);
  withoutRoot(t, dirname(path));
  const follower = follow(t, path, { from: 'end' });
  await follower.until('problem', () => follower.problems.length > 0);
  t.same(follower.problems, [`no permission to read ${path}`]);
  process.seteuid?.(process.getuid?.() ?? 0);
  chmodSync(path, 0o644);
  await follower.until('file', () => follower.seen.length > 0);
  t.equal(follower.position().offset, 2);
});

t.test('an abort ends it at once, leaving the loop closes the files', async (t) => {
  const path = newLog(t);
  writeFileSync(path, 'a\n');
  const abort = new AbortController();
  const batches = followFile({ path, follow: true, from: 'start', signal: abort.signal, pollMs: 3_600_000 });
  for (let batch = await batches.next(); !batch.value?.caughtUp; ) batch = await batches.next();
  t.equal(openFiles(path).length, 1);
  const next = batches.next();
  abort.abort();
  t.same(await next, { done: true, value: undefined });
  t.same(openFiles(path), []);

  const { signal } = new AbortController();
  for await (const batch of followFile({ path, follow: true, from: 'start', signal })) if (batch.caughtUp) break;
  t.same(openFiles(path), []);

  const aborted = followFile({ path, follow: true, from: 'start', signal: abort.signal });
  t.same(await aborted.next(), { done: true, value: undefined });
});

t.test('a hint comes long before the next look is due', async (t) => {
  const path = newLog(t);
  writeFileSync(path, 'a\n');
  const follower = follow(t, path, { pollMs: 3_600_000 });
  await follower.until('caught up', () => follower.seen.some(({ caughtUp }) => caughtUp));
  appendFileSync(path, 'b\n');
  await follower.until('line', () => follower.lines().length === 2);
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'c\n');
  await follower.until('new file', () => follower.lines().length === 3);
});

t.test('a slow reader holds everything up, the bytes it has stay', async (t) => {
  const path = newLog(t);
  const { signal } = new AbortController();
  writeFileSync(path, 'a\n'.repeat(1000));
  const batches = followFile({ path, follow: true, from: 'start', signal, chunk: 512, maxLine: 512, pollMs: 5 });
  const taken: FileBatch[] = [];
  while (taken.length < 3) taken.push((await batches.next()).value);
  const { bytes, offset } = taken[2] as FileBatch;
  const before = bytes.toString();
  appendFileSync(path, 'b\n'.repeat(100_000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(bytes.toString(), before);
  t.equal((await batches.next()).value.offset, offset + before.length, 'the next batch follows the held one');
  await batches.return(undefined);
});
