import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { BARE, main } from './trailgauge.ts';

export interface CliOptions {
  /** Added to the environment of the test; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** As a user without any rights, where the test itself runs as root. */
  readonly unprivileged?: boolean;
}

/** How a run of the program ended. */
export interface CliRan {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest that one run may take. */
const LIMIT_MS = 60_000;
/** The user and group `nobody` of most systems; it owns nothing. */
const NOBODY = 65_534;

/** Runs the program to its end; throws if that takes too long. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliRan> {
  const child = launch(args, options);
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  clearTimeout(timer);
  if (code === null) throw new Error(`trailgauge ${args.join(' ')} did not end in time:\n${stderr}`);
  return { code: code as number, stdout, stderr };
}

/** Starts the program; the caller ends it. */
export function launch(args: readonly string[], options: CliOptions = {}): ChildProcessWithoutNullStreams {
  const nobody = options.unprivileged && isRoot() ? { uid: NOBODY, gid: NOBODY } : {};
  const env = { ...process.env, TRAILGAUGE_REVISION: 'test', ...options.env };
  return spawn('env', [...BARE, process.execPath, main, ...args], {
    env,
    cwd: options.cwd ?? '/',
    stdio: 'pipe',
    ...nobody,
  });
}

/** A folder outside the repository that goes away with the test. */
export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  chmodSync(path, 0o755);
  t.teardown(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Writes a file and gives its path. */
export function file(place: string, name: string, content: string): string {
  const path = join(place, name);
  writeFileSync(path, content);
  return path;
}

/** Gives a file or folder to the user that `unprivileged` runs as. */
export function give(path: string): string {
  if (isRoot()) chownSync(path, NOBODY, NOBODY);
  return path;
}

/** No stack trace, and nothing else that only a programmer could use. */
export function isForPeople(output: string): boolean {
  return !/^\s+at .*[:(]|node:internal|Error: |\bundefined\b|\[object /m.test(output);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
