import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { followJournal, type JournalBatch, type JournalOptions, type JournalPosition } from '../../src/lib/journal.ts';
import { writeScript } from './journal.ts';

/** What the reader said about the journal. */
export interface Told {
  readonly problems: (string | null)[];
  readonly gaps: string[];
}

/** A reader of which a test takes what it wants; `take(n)` ends at n entries, or fails the test by its time limit. */
export function reader(t: Test, options: Partial<JournalOptions> & { directory: string }) {
  const abort = new AbortController();
  const told: Told = { problems: [], gaps: [] };
  const batches = followJournal({
    unit: 'reaction',
    follow: true,
    from: 'start',
    signal: abort.signal,
    backoff: () => 5,
    onProblem: (problem) => told.problems.push(problem),
    onGap: (gap) => told.gaps.push(gap),
    ...options,
  });
  t.teardown(() => abort.abort());
  let position: JournalPosition | null = null;
  async function next(): Promise<JournalBatch | null> {
    const { value, done } = await batches.next();
    if (done) return null;
    position = value.position;
    return value;
  }
  async function take(count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) {
      const batch = await next();
      if (batch === null) break;
      found.push(...batch.entries.flatMap(({ messages }) => messages));
    }
    return found;
  }
  return { abort, told, batches, next, take, position: () => position };
}

/** The messages of `exportEntries(from, to)`. */
export function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `INFO a.b: match ["${from + index}"]`);
}

/** Waits for a condition; the test's time limit is the only one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** True while there is a process with this number, a zombie included. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** journalctl behind a script that writes down the process numbers of its lives. */
export function noted(folder: string, body = 'exec journalctl "$@"') {
  const file = join(folder, 'pids');
  const command = writeScript(join(folder, 'noted'), `echo $$ >>${file}\n${body}`);
  const pids = () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map(Number) : []);
  return { command, pids };
}
