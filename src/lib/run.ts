import { type ChildProcess, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

export interface RunOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** After so many milliseconds the child is killed and the run fails. */
  readonly timeoutMs: number;
  /** More bytes than this on stdout kill the child and fail the run. */
  readonly maxBytes: number;
  /** Ends the run early: the child is killed. */
  readonly signal?: AbortSignal | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
}

/** What a child left behind. */
export interface Ran {
  /** The exit code; null if a signal ended it. */
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** All of stdout; bytes that are not UTF-8 became U+FFFD. */
  readonly stdout: string;
  /** The last 64 KiB of stderr. */
  readonly stderr: string;
}

const KEPT_OF_STDERR = 64 * 1024;

/**
 * Runs a program to its end, without a shell and without stdin. Resolves whatever the exit code; throws an `Error`
 * that names the command line if it cannot be started, prints too much, takes too long or is aborted. When it throws,
 * the child and the children in its process group have been killed, and nobody waits for them.
 */
export function run(options: RunOptions): Promise<Ran> {
  const { command, args, timeoutMs, signal } = options;
  const line = commandLine(command, args);
  return new Promise<Ran>((resolve, reject) => {
    if (signal?.aborted) {
      reject(new Error(`${line} was not started: aborted`, { cause: signal.reason }));
      return;
    }
    const child = start(options, line, reject);
    if (child === null) return;
    const stdout: Buffer[] = [];
    let size = 0;
    let stderr = Buffer.alloc(0);
    const timer = setTimeout(() => fail(`${line} gave no answer within ${timeoutMs / 1000} s`), timeoutMs);

    function fail(text: string, cause?: unknown): void {
      settled();
      kill(child);
      reject(new Error(text, { cause }));
    }
    function aborted(): void {
      fail(`${line} was aborted`, signal?.reason);
    }
    function settled(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    }

    signal?.addEventListener('abort', aborted, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => fail(`cannot run ${line}: ${whyNotStarted(error)}`, error));
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > options.maxBytes) fail(`${line} printed more than ${options.maxBytes} bytes`);
      else stdout.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-KEPT_OF_STDERR);
    });
    child.on('close', (code, killedBy) => {
      settled();
      resolve({ code, killedBy, stdout: Buffer.concat(stdout).toString(), stderr: stderr.toString() });
    });
  });
}

/** How a run ended, for an error text: `ended with 1: LAST LINE OF STDERR`. */
export function ending(ran: Ran): string {
  const how = ran.code === null ? `was ended by ${ran.killedBy}` : `ended with ${ran.code}`;
  const lines = stripVTControlCharacters(ran.stderr).split('\n');
  const last = lines.map((line) => line.replaceAll(/\p{Cc}+/gu, ' ').trim()).findLast((line) => line !== '');
  return last === undefined ? how : `${how}: ${last.slice(0, 300)}`;
}

/** A command line for people: words that are not plain are quoted. */
export function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}

function start(options: RunOptions, line: string, reject: (error: Error) => void): ChildProcess | null {
  const { command, args, env, cwd } = options;
  try {
    // A process group of its own: a child's child that holds the pipes open can be killed with it.
    return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: env ?? process.env, cwd });
  } catch (cause) {
    // Words that no program can be given, such as one with a NUL byte.
    reject(new Error(`cannot run ${line}: ${cause instanceof Error ? cause.message : cause}`, { cause }));
    return null;
  }
}

function whyNotStarted(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'found no such program, wanted a path or a name in PATH';
  if (error.code === 'EACCES') return 'it may not be executed (EACCES)';
  return error.message;
}

function kill(child: ChildProcess | null): void {
  child?.stdout?.destroy();
  child?.stderr?.destroy();
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
