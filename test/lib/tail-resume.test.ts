import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { type FilePosition, followFile } from '../../src/lib/tail.ts';
import { catchUp, copyTruncate, follow, newLog, tick } from './tail-follower.ts';

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);
const text = (from: number, to: number) =>
  numbers(from, to)
    .map((line) => `${line}\n`)
    .join('');

/** A log of which the first lines have been read, and where that ended. */
async function stopped(t: Test, lines = 3): Promise<{ path: string; position: FilePosition }> {
  const path = newLog(t);
  writeFileSync(path, text(1, lines));
  const first = await catchUp(t, path, 'start');
  t.same(first.lines(), numbers(1, lines));
  tick(path);
  return { path, position: first.position() };
}

function rotate(path: string): void {
  tick(path);
  for (const n of [3, 2, 1]) {
    try {
      renameSync(`${path}.${n}`, `${path}.${n + 1}`);
    } catch {}
  }
  renameSync(path, `${path}.1`);
  writeFileSync(path, '');
  tick(path);
}

t.test('a position is small, plain data', async (t) => {
  const { position } = await stopped(t, 1000);
  t.same(Object.keys(position).sort(), ['dev', 'head', 'ino', 'mtime', 'offset', 'tail']);
  t.ok(JSON.stringify(position).length < 200);
});

t.test('the same file, with and without new lines', async (t) => {
  const { path, position } = await stopped(t);
  const quiet = await catchUp(t, path, position);
  t.same(quiet.lines(), []);
  t.same(quiet.seen[0]?.position, position, 'the first batch gives the position back');
  appendFileSync(path, text(4, 5));
  const second = await catchUp(t, path, quiet.position());
  t.same(second.lines(), numbers(4, 5));
  t.ok(second.seen.every(({ live, caughtUp }) => !live || caughtUp));
  t.same([...quiet.gaps, ...second.gaps], []);
});

t.test('renamed once or more: its rest, the files in between by time, the file', async (t) => {
  for (const times of [1, 2, 3]) {
    const { path, position } = await stopped(t);
    let last = 3;
    for (let i = 0; i < times; i++) {
      appendFileSync(path, text(++last, last));
      rotate(path);
    }
    appendFileSync(path, text(++last, last));
    const second = await catchUp(t, path, position);
    t.same(second.lines(), numbers(4, last));
    t.same(second.gaps, []);
  }
});

t.test('older and empty siblings are left alone', async (t) => {
  const path = newLog(t);
  writeFileSync(path, text(101, 102));
  rotate(path);
  writeFileSync(path, text(1, 1));
  const first = await catchUp(t, path, 'start');
  rotate(path);
  rotate(path);
  appendFileSync(path, text(2, 2));
  const second = await catchUp(t, path, first.position());
  t.same([...first.lines(), ...second.lines()], numbers(1, 2));
});

t.test('copied and cut short, once or more, also regrown past the offset', async (t) => {
  for (const times of [1, 2, 3]) {
    for (const more of [0, 50]) {
      const { path, position } = await stopped(t);
      let last = 3;
      for (let i = 0; i < times; i++) {
        appendFileSync(path, text(++last, last));
        tick(path);
        copyTruncate(path, `${path}.${9 - i}`);
        tick(path);
      }
      appendFileSync(path, text(last + 1, last + more));
      const second = await catchUp(t, path, position);
      t.same(second.lines(), numbers(4, last + more));
      t.same(second.gaps, []);
      const third = await catchUp(t, path, second.position());
      t.same(third.lines(), []);
    }
  }
});

t.test('logs that begin alike are told apart by what was read last', async (t) => {
  const path = newLog(t);
  const head = 'INFO start command: run ["true"]\n'.repeat(100);
  writeFileSync(path, `${head}a\n`);
  const first = await catchUp(t, path, 'start');
  copyTruncate(path, `${path}.1`);
  writeFileSync(path, `${head}b\nc\n`);
  const second = await catchUp(t, path, first.position());
  t.same(second.lines().slice(-2), ['b', 'c']);
  t.equal(second.lines().length, 102);
});

t.test('filled, copied and cut short while nothing of it had been read', async (t) => {
  const path = newLog(t);
  writeFileSync(path, '');
  const first = await catchUp(t, path, 'end');
  tick(path);
  writeFileSync(path, text(1, 2));
  tick(path);
  copyTruncate(path, `${path}.1`);
  tick(path);
  appendFileSync(path, text(3, 3));
  const second = await catchUp(t, path, first.position());
  t.same(second.lines(), numbers(1, 3));
});

t.test('gone: a gap is told, the file is read from its first byte', async (t) => {
  const found = async (change: (path: string) => void) => {
    const { path, position } = await stopped(t);
    change(path);
    const second = await catchUp(t, path, position);
    const lines = second.lines();
    t.same((await catchUp(t, path, second.position())).gaps, [], 'told once');
    return { lines, gaps: second.gaps.map((gap) => gap.replace(path, 'PATH')) };
  };
  const deleted = await found((path) => {
    renameSync(path, path.replace('app', 'other'));
    writeFileSync(path, text(5, 5));
  });
  t.same(deleted, { lines: ['line 5'], gaps: ['PATH: the file read last cannot be found: lines may be lost'] });
  const packed = await found((path) => {
    writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(path)));
    rmSync(path);
    writeFileSync(path, text(5, 5));
  });
  const gaps = ['PATH: the file read last cannot be found, it may have been compressed: lines may be lost'];
  t.same(packed, { lines: ['line 5'], gaps });
  const overwritten = await found((path) => writeFileSync(path, text(5, 20)));
  t.same(overwritten.lines, numbers(5, 20));
  t.equal(overwritten.gaps.length, 1);
});

t.test('a missing file is awaited with the old position; its sibling is still found', async (t) => {
  const { path, position } = await stopped(t);
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, text(4, 4));
  const second = follow(t, path, { from: position });
  await second.until('rest', () => second.lines().length === 1);
  await second.stop();
  renameSync(`${path}.1`, path.replace('app', 'other'));
  const third = follow(t, path, { from: second.position() });
  await third.until('problem', () => third.problems.length > 0);
  t.same(third.position(), second.position());
  renameSync(path.replace('app', 'other'), path);
  appendFileSync(path, text(5, 5));
  await third.until('return', () => third.lines().length === 1);
  t.same([...second.lines(), ...third.lines()], numbers(4, 5));
  t.same([...second.gaps, ...third.gaps], []);
});

t.test('killed anywhere within rotations: every line once', async (t) => {
  const { path, position } = await stopped(t);
  appendFileSync(path, text(4, 30));
  rotate(path);
  appendFileSync(path, text(31, 60));
  tick(path);
  copyTruncate(path, `${path}.0`);
  tick(path);
  appendFileSync(path, text(61, 90));
  rotate(path);
  appendFileSync(path, text(91, 120));
  const signal = new AbortController().signal;
  const options = { path, follow: true, signal, maxLine: 40, chunk: 40, onGap: (gap: string) => t.fail(gap) };
  const seen: string[] = [];
  for (let from = position, ended = false; !ended; ) {
    // Each process reads two batches with lines, and dies.
    let batches = 0;
    for await (const batch of followFile({ ...options, from })) {
      from = JSON.parse(JSON.stringify(batch.position));
      seen.push(batch.bytes.toString());
      ended = batch.caughtUp;
      if (ended || (batch.bytes.length > 0 && ++batches === 2)) break;
    }
  }
  t.equal(seen.join(''), text(4, 120));
});

t.test('killed while a renamed file may still get lines: they and its rest come later', async (t) => {
  const { path } = await stopped(t);
  const first = follow(t, path);
  await first.until('start', () => first.lines().length === 3);
  rotate(path);
  appendFileSync(path, text(5, 5));
  await first.until('new file', () => first.lines().length === 4);
  await first.stop();
  t.equal(first.position().before?.length, 1);
  appendFileSync(`${path}.1`, `${text(4, 4)}rest`);
  rotate(path);
  appendFileSync(path, text(6, 6));
  const clock = { ahead: 0 };
  const second = follow(t, path, { from: first.position(), now: () => Date.now() + clock.ahead });
  await second.until('late and new lines', () => second.lines().length === 2);
  t.same(second.lines(), ['line 4', 'line 6']);
  clock.ahead = 11_000;
  await second.until('rest', () => second.lines().length === 3);
  t.equal(second.lines()[2], 'rest');
  const third = await catchUp(t, path, second.position());
  t.same(third.lines(), []);
  t.same([...first.gaps, ...second.gaps, ...third.gaps], []);
});

t.test('the rest of a file renamed long ago comes at once, before newer lines', async (t) => {
  const { path, position } = await stopped(t);
  appendFileSync(path, 'rest');
  rotate(path);
  appendFileSync(path, text(4, 4));
  const now = () => Date.now() + 11_000;
  const second = await catchUp(t, path, position, { now });
  t.same(second.lines(), ['rest', 'line 4']);
});

t.test('a new file of which nothing was read keeps the one before in the position', async (t) => {
  const { path } = await stopped(t);
  const clock = { ahead: 0 };
  const first = follow(t, path, { now: () => Date.now() + clock.ahead });
  await first.until('start', () => first.lines().length === 3);
  tick(path);
  copyTruncate(path, `${path}.1`);
  await first.until('copy', () => first.position().offset === 0);
  await first.stop();
  tick(path);
  appendFileSync(path, text(4, 4));
  tick(path);
  copyTruncate(path, `${path}.2`);
  appendFileSync(path, text(5, 5));
  const second = await catchUp(t, path, first.position());
  t.same(second.lines(), numbers(4, 5));
  rmSync(`${path}.1`);
  truncateSync(path);
  const third = await catchUp(t, path, first.position());
  t.same(third.gaps, [], 'all of it had been read: it may go');
});

t.test('somebody copied the log that was read last', async (t) => {
  const { path, position } = await stopped(t, 200);
  rotate(path);
  copyFileSync(`${path}.1`, `${path}.copy`);
  appendFileSync(path, text(201, 201));
  copyFileSync(path, `${path}.copy2`);
  const second = await catchUp(t, path, position);
  t.same(second.lines(), numbers(201, 201));
});
