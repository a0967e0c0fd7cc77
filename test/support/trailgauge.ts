import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { get } from './http.ts';

/** What the test runner adds to the environment of every child would make the program report to it as well. */
export const BARE: readonly string[] = ['-u', 'NODE_OPTIONS'];

/** The program that was built beside this compiled file; where somebody works on a part of it, it is only compiled. */
export const main: string = ['../../bin/main.js', '../../src/main.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find(existsSync) as string;

/** A folder with a configuration and a state directory, on which the program can be started again and again. */
export interface Home {
  readonly folder: string;
  /** Starts the program and waits until it listens; unless told otherwise also until it is ready. */
  start(options?: StartOptions): Promise<Program>;
  /** Runs another command to its end; throws if that takes over a minute. */
  run(...args: readonly string[]): Promise<Ran>;
}

export interface StartOptions {
  /** `spawned` does not wait at all. */
  readonly until?: 'spawned' | 'listening' | 'ready';
  readonly env?: Readonly<Record<string, string>>;
}

/** A running `trailgauge start`. */
export interface Program {
  readonly pid: number;
  isListening(): boolean;
  /** Where it listens; throws before it does. */
  readonly url: string;
  readonly ended: Promise<Ending>;
  /** All that it logged, one JSON object a line. */
  log(): string;
  /** Waits until it listens, and is ready; throws with its log if it ends before. */
  ready(): Promise<void>;
  /** SIGKILL, to its children too; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; gives the exit code, or throws after half a minute. */
  stop(): Promise<number | null>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Ran extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

/** How long anything may take before a test gives up; generous, as machines may be busy. */
export const LIMIT_MS = 60_000;

/** A home for the program that goes away with the test, as does whatever runs there. */
export function home(
  t: Test,
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Home {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  const programs: Program[] = [];
  t.teardown(async () => {
    await Promise.all(programs.map((program) => program.kill()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const file = join(folder, 'trailgauge.json');
  writeFileSync(
    file,
    JSON.stringify({ listen: { port: 0 }, state: { directory: join(folder, 'state') }, ...config }, null, 2),
  );
  const environment = { ...process.env, TRAILGAUGE_REVISION: 'test', ...env };
  const launch = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    // A process group of its own: what it started can be killed with it.
    spawn('env', [...BARE, process.execPath, main, '-c', file, '-f', 'json', ...args], {
      cwd: folder,
      env: { ...environment, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
  return {
    folder,
    start: async ({ until = 'ready', env: more = {} } = {}) => {
      const program = programOf(launch(['start'], more));
      programs.push(program);
      if (until === 'listening') await listening(program);
      if (until === 'ready') await program.ready();
      return program;
    },
    run: (...args) => runToEnd(launch(args)),
  };
}

/** Waits for a condition; throws with what was waited for when the limit is reached. */
export async function eventually<T>(
  what: string | (() => string),
  condition: () => T | Promise<T>,
  limitMs = LIMIT_MS,
): Promise<NonNullable<T>> {
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(20)) {
    const found = await condition();
    if (found) return found;
  }
  throw new Error(`waited ${limitMs / 1000} s in vain for ${typeof what === 'string' ? what : what()}`);
}

/** Children that run. Should the test be ended from outside, none of them is left. */
const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) killGroup(child);
}

process.once('exit', killAll);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll();
    process.kill(process.pid, signal);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function endingOf(child: ChildProcess): Promise<Ending> {
  running.add(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // Not `close`: what it started may hold the pipes open.
    child.on('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
}

function programOf(child: ChildProcess): Program {
  const ended = endingOf(child);
  let log = '';
  let over = false;
  let url: string | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    url ??= /"url":"(http[^"]+)"/.exec(log)?.[1];
  });
  void ended.then(() => (over = true));
  return {
    pid: child.pid ?? 0,
    isListening: () => url !== undefined && !over,
    get url() {
      if (url === undefined) throw new Error(`it does not listen ${over ? 'any more' : 'yet'}:\n${log}`);
      return url;
    },
    ended,
    log: () => log,
    ready: async function () {
      await listening(this);
      const isReady = async () => (await get(`${this.url}/-/ready`).catch(() => null))?.status === 200;
      await eventually(
        () => `readiness:\n${log}`,
        async () => over || (await isReady()),
      );
      if (over) throw new Error(`the program ended before it was ready:\n${log}`);
    },
    kill: async () => {
      // Once it is gone, its number may be that of somebody else.
      if (!over) killGroup(child);
      await ended;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const ending = await Promise.race([ended, sleep(LIMIT_MS / 2, null, { ref: false })]);
      if (!ending) throw new Error(`SIGTERM did not end it:\n${log}`);
      return ending.code;
    },
  };
}

async function listening(program: Program): Promise<void> {
  let over = false;
  void program.ended.then(() => (over = true));
  await eventually(
    () => `the program to listen:\n${program.log()}`,
    () => over || program.isListening(),
  );
  if (over) throw new Error(`the program ended early:\n${program.log()}`);
}

async function runToEnd(child: ChildProcess): Promise<Ran> {
  const ended = endingOf(child);
  const read = async (stream: NodeJS.ReadableStream | null) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  const timer = setTimeout(() => killGroup(child), LIMIT_MS);
  const [stdout, stderr, ending] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  clearTimeout(timer);
  if (ending.signal !== null) throw new Error(`it did not end in time:\n${stderr}`);
  return { stdout, stderr, ...ending };
}
