import { appendFileSync, copyFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { type FileBatch, type FilePosition, type FollowOptions, followFile } from '../../src/lib/tail.ts';

/** A batch that stays as it was: the bytes of a real one are overwritten by the next. */
export interface Seen extends Omit<FileBatch, 'bytes'> {
  readonly text: string;
}

/** What came out of following so far. */
export interface Follower {
  readonly seen: Seen[];
  readonly gaps: string[];
  readonly problems: (string | null)[];
  /** Everything given out, as lines. */
  lines(): string[];
  /** The position of the last batch, as it would come back from a disk. */
  position(): FilePosition;
  /** Waits for a condition, for 20 s at most. */
  until(what: string, condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

type Options = Partial<Omit<FollowOptions, 'path' | 'signal' | 'follow'>>;

/** A new folder, removed when the test ends, and the path of a log in it that does not exist yet. */
export function newLog(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'app.log');
}

/** Follows a log in the background. */
export function follow(t: Test, path: string, options: Options = {}): Follower {
  const abort = new AbortController();
  const seen: Seen[] = [];
  const gaps: string[] = [];
  const problems: (string | null)[] = [];
  const tell = { onGap: (reason: string) => gaps.push(reason), onProblem: (why: string | null) => problems.push(why) };
  const batches = followFile({
    path,
    follow: true,
    from: 'start',
    signal: abort.signal,
    pollMs: 20,
    ...tell,
    ...options,
  });
  const done = collect(batches, seen);
  const stop = async () => {
    abort.abort();
    await done;
  };
  t.teardown(stop);
  const until = async (what: string, condition: () => boolean) => {
    const failed = done.then(() => {
      if (!abort.signal.aborted) throw new Error(`following ended while waiting for ${what}`);
    });
    for (const end = Date.now() + 20_000; !condition(); ) {
      if (Date.now() > end)
        throw new Error(`${what} never came: ${JSON.stringify({ lines: linesOf(seen), gaps, problems })}`);
      await Promise.race([sleep(5), failed]);
    }
  };
  return { seen, gaps, problems, lines: () => linesOf(seen), position: () => positionOf(seen), until, stop };
}

/** Follows a log until all that is there has been given out, as a program would that is stopped then. */
export async function catchUp(
  t: Test,
  path: string,
  from: FollowOptions['from'],
  options: Options = {},
): Promise<Follower> {
  const follower = follow(t, path, { from, ...options });
  await follower.until('catching up', () => follower.seen.some(({ caughtUp }) => caughtUp));
  await follower.stop();
  return follower;
}

/** As `logrotate` does it with `copytruncate`. */
export function copyTruncate(path: string, to: string): void {
  copyFileSync(path, to);
  truncateSync(path);
}

/** Waits until a file written now has a later time than all written before. */
export function tick(path: string): void {
  const probe = join(path, '..', 'tick');
  writeFileSync(probe, '');
  const before = statSync(probe, { bigint: true }).mtimeNs;
  do appendFileSync(probe, '.');
  while (statSync(probe, { bigint: true }).mtimeNs === before);
}

export function linesOf(seen: readonly Seen[]): string[] {
  return seen.flatMap(({ text }) => text.split('\n').filter((line, i, all) => i < all.length - 1 || line !== ''));
}

function positionOf(seen: readonly Seen[]): FilePosition {
  const position = seen.at(-1)?.position;
  if (position === undefined) throw new Error('no batch has come');
  return JSON.parse(JSON.stringify(position));
}

async function collect(batches: AsyncGenerator<FileBatch>, seen: Seen[]): Promise<void> {
  for await (const { bytes, ...batch } of batches) seen.push({ ...batch, text: bytes.toString() });
}
