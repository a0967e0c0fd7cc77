import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { catchUp, copyTruncate, type Follower, follow, linesOf, newLog, tick } from './tail-follower.ts';
import { betweenLooks } from './tail-world.ts';

let look = () => {};
await betweenLooks(t, () => look());

/** Has something done before a look of the reader from now on, 0 for the next. Says whether that look was taken. */
function beforeLook(number: number, task: () => void): () => boolean {
  let left = number;
  look = () => {
    if (left-- === 0) task();
  };
  return () => left < 0;
}

/** Waits until the reader has taken some more looks. */
async function someLooks(follower: Follower, count: number): Promise<void> {
  let left = count;
  look = () => left--;
  await follower.until('looks', () => left <= 0);
  look = () => {};
}

/** Renames the log and `count` older ones. */
function rename(path: string, count: number): void {
  for (let n = count; n > 0; n--) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  renameSync(path, `${path}.1`);
}

function renameBack(path: string, count: number): void {
  renameSync(`${path}.1`, path);
  for (let n = 1; n <= count; n++) renameSync(`${path}.${n + 1}`, `${path}.${n}`);
}

t.test('renamed between any two looks of a restart: every line once', async (t) => {
  const path = newLog(t);
  writeFileSync(path, '');
  const first = follow(t, path, { pollMs: 1 });
  for (const number of [1, 2, 3]) {
    appendFileSync(path, `line ${number}\n`);
    await first.until('line', () => first.lines().length === number);
    tick(path);
    rename(path, number - 1);
    writeFileSync(path, '');
    await first.until('new file', () => first.position().offset === 0 && first.position().before?.length === number);
    tick(path);
  }
  await first.stop();
  // Nothing of the file at the path has been read, all of the three before it has.
  appendFileSync(path, 'line 4\n');
  tick(path);
  // It takes some 60 to begin.
  for (let number = 0; number < 70; number++) {
    const isReached = beforeLook(number, () => {
      rename(path, 3);
      writeFileSync(path, 'line 5\n');
    });
    const second = await catchUp(t, path, first.position(), { pollMs: 1 });
    t.ok(isReached());
    look = () => {};
    const third = await catchUp(t, path, second.position(), { pollMs: 1 });
    t.same([...second.lines(), ...third.lines()], ['line 4', 'line 5'], `renamed before look ${number}`);
    t.same([...second.gaps, ...third.gaps], []);
    renameBack(path, 3);
  }
});

t.test('copied and cut short, then renamed between any two looks: every line once', async (t) => {
  for (let number = 0; number < 30; number++) {
    const path = newLog(t);
    writeFileSync(path, 'line 1\n');
    const follower = follow(t, path, { pollMs: 1 });
    await follower.until('line', () => follower.lines().length === 1);
    tick(path);
    copyTruncate(path, `${path}.1`);
    tick(path);
    appendFileSync(path, 'line 2\n');
    tick(path);
    const isReached = beforeLook(number, () => {
      rename(path, 1);
      writeFileSync(path, 'line 3\n');
    });
    await follower.until('lines', () => isReached() && follower.lines().includes('line 3'));
    await someLooks(follower, 20);
    t.same(follower.lines(), ['line 1', 'line 2', 'line 3'], `renamed before look ${number}`);
    t.same(follower.gaps, []);
    await follower.stop();
    rmSync(path);
  }
});

t.test('filled, copied and cut short before a look, then killed after any batch: every line once', async (t) => {
  const path = newLog(t);
  writeFileSync(path, '');
  const first = follow(t, path, { pollMs: 1 });
  let isDone = false;
  look = () => {
    if (isDone || first.seen.length === 0) return;
    isDone = true;
    for (const number of [1, 2]) {
      appendFileSync(path, `line ${number}\n`);
      tick(path);
      copyTruncate(path, `${path}.${number}`);
      tick(path);
    }
    appendFileSync(path, 'line 3\n');
  };
  await first.until('lines', () => first.lines().length === 3);
  await first.stop();
  look = () => {};
  for (const [i, { position }] of first.seen.entries()) {
    const second = await catchUp(t, path, position, { pollMs: 1 });
    t.same([...linesOf(first.seen.slice(0, i + 1)), ...second.lines()], ['line 1', 'line 2', 'line 3'], `batch ${i}`);
    t.same(second.gaps, []);
  }
});
