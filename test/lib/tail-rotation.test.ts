import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import t from 'tap';
import { followFile } from '../../src/lib/tail.ts';
import { catchUp, copyTruncate, follow, newLog, tick } from './tail-follower.ts';

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);
const text = (from: number, to: number) =>
  numbers(from, to)
    .map((line) => `${line}\n`)
    .join('');

/** A clock that can be put forward, and tells how often it was looked at. */
function newClock() {
  const clock = { ahead: 0, looks: 0, now: () => Date.now() + clock.ahead + 0 * clock.looks++ };
  return clock;
}

t.test('renamed: the old file to its end, then the new one; late lines of the old one for 10 s', async (t) => {
  const path = newLog(t);
  const clock = newClock();
  writeFileSync(path, text(1, 2));
  const writer = openSync(path, 'a');
  const follower = follow(t, path, { now: clock.now });
  await follower.until('start', () => follower.lines().length === 2);
  appendFileSync(path, text(3, 3));
  renameSync(path, `${path}.1`);
  writeFileSync(path, '');
  const { ino } = statSync(path);
  await follower.until('new file', () => follower.position().ino === String(ino));
  writeSync(writer, text(4, 5));
  await follower.until('late lines', () => follower.lines().length === 5);
  t.match(follower.position(), { ino: String(ino), offset: 0, before: [{ offset: 35 }] }, 'both are in the position');
  appendFileSync(path, text(6, 6));
  await follower.until('new line', () => follower.lines().length === 6);
  writeSync(writer, 'cut o');
  closeSync(writer);
  clock.ahead = 9_000;
  appendFileSync(path, text(7, 7));
  await follower.until('another', () => follower.lines().length === 7);
  t.equal(follower.position().before?.length, 1, 'still looked at');
  clock.ahead = 10_001;
  await follower.until('rest', () => follower.lines().length === 8);
  t.same(follower.lines(), [...numbers(1, 7), 'cut o'], 'its unterminated rest is a line');
  await follower.until('end', () => follower.position().before === undefined);
  t.ok(follower.seen.every(({ live, text, offset }) => live || text === '' || offset === 0));
  t.same(follower.gaps, []);
  t.same(follower.problems, []);
});

t.test('renamed twice quickly: all three in order', async (t) => {
  const path = newLog(t);
  writeFileSync(path, text(1, 1));
  const follower = follow(t, path);
  await follower.until('start', () => follower.lines().length === 1);
  appendFileSync(path, text(2, 2));
  renameSync(path, `${path}.1`);
  writeFileSync(path, text(3, 4));
  renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
  writeFileSync(path, text(5, 5));
  await follower.until('all', () => follower.lines().length >= 5);
  t.same(follower.lines(), numbers(1, 5));
  appendFileSync(`${path}.1`, text(6, 6));
  appendFileSync(`${path}.2`, text(7, 7));
  await follower.until('late lines', () => follower.lines().length >= 7);
  t.same(follower.lines().sort(), numbers(1, 7));
  t.same(follower.gaps, []);
});

t.test('the new file comes late, the old one is read meanwhile', async (t) => {
  const path = newLog(t);
  const clock = newClock();
  writeFileSync(path, text(1, 1));
  const follower = follow(t, path, { now: clock.now });
  await follower.until('start', () => follower.lines().length === 1);
  renameSync(path, `${path}.1`);
  await follower.until('problem', () => follower.problems.length === 1);
  appendFileSync(`${path}.1`, text(2, 2));
  await follower.until('late line', () => follower.lines().length === 2);
  writeFileSync(`${path}.found`, text(1, 2));
  const { looks } = clock;
  await follower.until('a few looks', () => clock.looks > looks + 6);
  writeFileSync(path, text(3, 3));
  await follower.until('new file', () => follower.lines().length === 3);
  t.same(follower.lines(), numbers(1, 3));
  await follower.until('no problem', () => follower.problems.length === 2);
  t.same(follower.problems, [`${path} does not exist`, null]);
  t.same(follower.gaps, []);
});

t.test('vanishes and returns: the same file, or its name after a rename back', async (t) => {
  const path = newLog(t);
  writeFileSync(path, text(1, 1));
  const follower = follow(t, path);
  await follower.until('start', () => follower.lines().length === 1);
  renameSync(path, `${path}.away`);
  await follower.until('problem', () => follower.problems.length === 1);
  renameSync(`${path}.away`, path);
  appendFileSync(path, text(2, 2));
  await follower.until('return', () => follower.problems.length === 2 && follower.lines().length === 2);
  renameSync(path, `${path}.away`);
  writeFileSync(path, text(3, 3));
  await follower.until('new file', () => follower.lines().length === 3);
  renameSync(`${path}.away`, path);
  appendFileSync(path, text(4, 4));
  await follower.until('old file again', () => follower.lines().length === 4);
  t.same(follower.lines(), numbers(1, 4));
  t.same(follower.gaps, []);
});

t.test('deleted: read to its end, let go after 10 s, the next is read from its first byte', async (t) => {
  const path = newLog(t);
  const clock = newClock();
  writeFileSync(path, text(1, 1));
  const writer = openSync(path, 'a');
  const follower = follow(t, path, { now: clock.now });
  await follower.until('start', () => follower.lines().length === 1);
  rmSync(path);
  writeSync(writer, `${text(2, 2)}rest`);
  closeSync(writer);
  await follower.until('last line', () => follower.lines().length === 2);
  await follower.until('problem', () => follower.problems.length === 1);
  clock.ahead = 11_000;
  await follower.until('rest', () => follower.lines().includes('rest'));
  t.match(follower.position(), { ino: '', offset: 0 });
  writeFileSync(path, text(3, 3));
  await follower.until('new file', () => follower.lines().length === 4);
  t.same(follower.lines(), ['line 1', 'line 2', 'rest', 'line 3']);
  t.same(follower.gaps, []);
});

t.test('copytruncate: what was not read comes from the copy', async (t) => {
  for (const after of ['', text(7, 7), text(7, 100)]) {
    const path = newLog(t);
    const { signal } = new AbortController();
    const gaps: string[] = [];
    writeFileSync(path, text(1, 2));
    writeFileSync(`${path}.2`, text(1, 2));
    utimesSync(`${path}.2`, 1, 1);
    const onGap = (reason: string) => gaps.push(reason);
    const batches = followFile({ path, follow: true, from: 'start', signal, pollMs: 5, onGap });
    let got = '';
    for (const goal of [2, after === '' ? 6 : after.length > 10 ? 100 : 7]) {
      while (!got.endsWith(`line ${goal}\n`)) got += (await batches.next()).value.bytes;
      // Held here, so that nothing of this is seen before it is over.
      if (goal > 2) break;
      appendFileSync(path, text(3, 6));
      copyTruncate(path, `${path}.1`);
      appendFileSync(path, after);
    }
    t.equal(got, text(1, 6) + after);
    t.same(gaps, []);
    await batches.return(undefined);
  }
});

t.test('copytruncate many times, seen and unseen', async (t) => {
  const path = newLog(t);
  writeFileSync(path, text(1, 1));
  const follower = follow(t, path);
  let last = 1;
  for (let round = 0; round < 20; round++) {
    if (round % 3 === 0) await follower.until('lines', () => follower.lines().length >= last);
    if (round % 5 > 0) appendFileSync(path, text(++last, last));
    tick(path);
    copyTruncate(path, `${path}.${100 - round}`);
    tick(path);
    if (round % 7 > 3) appendFileSync(path, text(++last, last));
  }
  await follower.until('all', () => follower.lines().length >= last);
  t.same(follower.lines(), numbers(1, last));
  t.same(follower.gaps, []);
});

t.test('an unterminated line is known again in the copy', async (t) => {
  const path = newLog(t);
  writeFileSync(path, 'begun ');
  const follower = follow(t, path);
  await follower.until('caught up', () => follower.seen.some(({ caughtUp }) => caughtUp));
  appendFileSync(path, 'and ended\n');
  copyTruncate(path, `${path}.1`);
  appendFileSync(path, 'next\n');
  await follower.until('both', () => follower.lines().length === 2);
  t.same(follower.lines(), ['begun and ended', 'next']);
});

t.test('cut short without a copy: a gap is told, then from the first byte', async (t) => {
  for (const after of ['b\n', 'b\n'.repeat(1000)]) {
    const path = newLog(t);
    writeFileSync(path, text(1, 20));
    const follower = follow(t, path);
    await follower.until('start', () => follower.lines().length === 20);
    truncateSync(path);
    appendFileSync(path, after);
    await follower.until('new lines', () => follower.lines().length === 20 + after.length / 2);
    t.same(follower.gaps, [`${path} was cut short and no copy of it is left: lines may be lost`]);
  }
});

t.test('cut short and renamed in one go: the copy, the rest of the file, the new one', async (t) => {
  const path = newLog(t);
  writeFileSync(path, text(1, 1));
  const follower = follow(t, path);
  await follower.until('start', () => follower.lines().length === 1);
  appendFileSync(path, text(2, 2));
  copyTruncate(path, `${path}.2`);
  tick(path);
  appendFileSync(path, text(3, 3));
  renameSync(path, `${path}.1`);
  writeFileSync(path, text(4, 4));
  await follower.until('all', () => follower.lines().length === 4);
  t.same(follower.lines(), numbers(1, 4));
  t.same(follower.gaps, []);
});

t.test('copies that somebody makes, unpacked and packed logs are not read', async (t) => {
  const path = newLog(t);
  writeFileSync(path, text(1, 5));
  const follower = follow(t, path);
  await follower.until('start', () => follower.lines().length === 5);
  copyFileSync(path, `${path}.copy`);
  writeFileSync(`${path}.errors`, text(2, 3));
  for (const line of [6, 7]) {
    appendFileSync(path, text(line, line));
    await follower.until('a look', () => follower.lines().length === line);
  }
  renameSync(path, `${path}.1`);
  writeFileSync(path, text(8, 8));
  writeFileSync(`${path}.2.gz`, 'packed\n');
  writeFileSync(`${path}.9`, 'unpacked\n');
  utimesSync(`${path}.9`, 1, 1);
  copyFileSync(path, `${path}.copy2`);
  await follower.until('new file', () => follower.lines().length >= 8);
  appendFileSync(path, text(9, 9));
  await follower.until('next line', () => follower.lines().length >= 9);
  t.same(follower.lines(), numbers(1, 9));
  const later = await catchUp(t, path, follower.position());
  t.same(later.lines(), []);
  t.same([...follower.gaps, ...later.gaps], []);
});
