import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Compare } from './basic-auth.ts';

/** What the worker is asked, and what it answers. */
export interface Question {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

export interface Answer {
  readonly id: number;
  readonly equal: boolean;
}

/** Comparisons under way or waiting; with a hash of cost 10 the last of them is done in some two seconds. */
const MOST_PENDING = 32;

interface Pending {
  resolve(equal: boolean): void;
  reject(reason: Error): void;
}

/**
 * A function that compares passwords with bcrypt hashes in a thread of its own, one after the other, so that a flood
 * of wrong ones takes one core at most and never a turn of the event loop. Of more than 32 at once the answer is no.
 * The thread begins with the first question and does not keep the process alive when idle. A thread that dies fails
 * what it was asked, and the next question starts another.
 */
export function comparer(): Compare {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let last = 0;

  function start(): Worker {
    // The compiled file, or the source where Node.js strips types itself.
    const url = new URL(`./compare-worker${extname(import.meta.url)}`, import.meta.url);
    const started = new Worker(url, { execArgv: [], name: 'bcrypt' });
    started.on('message', ({ id, equal }: Answer) => {
      pending.get(id)?.resolve(equal);
      pending.delete(id);
      if (pending.size === 0) started.unref();
    });
    started.on('error', (cause) => fail(started, cause));
    started.on('exit', (code) => fail(started, new Error(`the thread ended with code ${code}`)));
    return started;
  }

  function fail(failed: Worker, cause: unknown): void {
    if (worker !== failed) return;
    worker = undefined;
    for (const { reject } of pending.values()) reject(new Error('cannot compare a password', { cause }));
    pending.clear();
  }

  return function compare(password, hash) {
    if (pending.size >= MOST_PENDING) return Promise.resolve(false);
    worker ??= start();
    const current = worker;
    return new Promise((resolve, reject) => {
      const id = ++last;
      pending.set(id, { resolve, reject });
      current.ref();
      current.postMessage({ id, password, hash } satisfies Question);
    });
  };
}
