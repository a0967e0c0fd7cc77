import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Story } from './story.ts';

/** A daemon that writes a log, and the logrotate that takes it away from under it. */
export interface LogWriter {
  /** Bytes of whole lines written so far. */
  readonly bytes: number;
  readonly rotations: number;
  /** Writes some lines in pieces of any size, with pauses. */
  burst(lines: number): Promise<void>;
  /** Rotates the log one way or the other. */
  rotate(): Promise<void>;
  close(): void;
}

/** Times of files are told apart by the kernel only this long after each other; rotations are seldom faster. */
const TICK_MS = 25;

/** Writes the lines that the story tells, appending to `path`. */
export function openLogWriter(path: string, story: Story, random: Random): LogWriter {
  let file = openSync(path, 'a');
  let bytes = 0;
  let rotations = 0;

  async function burst(lines: number): Promise<void> {
    const texts = Array.from({ length: lines }, () => `${story.tell().text}\n`);
    const data = Buffer.from(texts.join(''));
    bytes += data.length;
    for (let at = 0; at < data.length; ) {
      // Pieces end anywhere, within characters too.
      const length = random.chance(0.5) ? data.length - at : random.within(1, Math.min(2_000, data.length - at));
      writeSync(file, data, at, length);
      at += length;
      if (random.chance(0.3)) await sleep(random.within(0, 8));
    }
  }

  function reopen(): void {
    closeSync(file);
    file = openSync(path, 'a');
  }

  /** `create`: the file gets another name, and its writer goes on with it until it is told. */
  async function renamed(): Promise<void> {
    makeRoom(path);
    renameSync(path, `${path}.1`);
    if (random.chance(0.5)) await burst(random.within(1, 30));
    if (random.chance(0.5)) await sleep(random.within(0, 150));
    reopen();
  }

  /** `copytruncate`: nothing is written between the copy and the cut, else it would be lost to everybody. */
  function copied(): void {
    makeRoom(path);
    copyFileSync(path, `${path}.1`);
    truncateSync(path, 0);
  }

  return {
    get bytes() {
      return bytes;
    },
    get rotations() {
      return rotations;
    },
    burst,
    rotate: async () => {
      rotations += 1;
      await sleep(TICK_MS);
      if (random.chance(0.5)) await renamed();
      else copied();
      await sleep(TICK_MS);
    },
    close: () => closeSync(file),
  };
}

/** Moves `log.1` to `log.2` and so on, as logrotate does. */
function makeRoom(path: string): void {
  const numbers = readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.`))
    .map((name) => Number(name.slice(basename(path).length + 1)))
    .sort((a, b) => b - a);
  for (const number of numbers) renameSync(join(dirname(path), `${basename(path)}.${number}`), `${path}.${number + 1}`);
  if (existsSync(`${path}.1`)) throw new Error(`${path}.1 is still there`);
}
