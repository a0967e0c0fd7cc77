import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

/** A program that takes part. */
export interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output goes; by default nowhere. */
  readonly output?: string;
}

/** What its runs took. */
export interface Result {
  /** Seconds, shortest first. */
  readonly seconds: readonly number[];
  /** Of the processor, its children's included, shortest first. */
  readonly cpuSeconds: readonly number[];
  /** Most memory it held in any run, in MB of 1,000,000 bytes. */
  readonly peakMb: number;
}

/** Runs programs in turns, so that a noisy neighbour disturbs all of them alike. */
export async function contest(contenders: readonly Contender[], rounds: number): Promise<readonly Result[]> {
  const runs = contenders.map((): Run[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) runs[index]!.push(await runOnce(contender));
  }
  return runs.map((own) => ({
    seconds: own.map((run) => run.seconds).sort(ascending),
    cpuSeconds: own.map((run) => run.cpuSeconds).sort(ascending),
    peakMb: Math.max(...own.map((run) => run.peakMb)),
  }));
}

/** The shortest. */
export function best(sorted: readonly number[]): number {
  return sorted[0] ?? Number.NaN;
}

/** The one in the middle; of an even number, the longer of the two. */
export function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function ascending(a: number, b: number): number {
  return a - b;
}

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

/** By `time` of GNU: Node.js itself does not tell what a child took. */
async function runOnce({ name, command, args, output = '/dev/null' }: Contender): Promise<Run> {
  const account = join(tmpdir(), `trailgauge-bench-time-${process.pid}`);
  const stdout = openSync(output, 'w');
  const began = performance.now();
  const child = spawn(findProgram('time') ?? 'time', ['-f', '%U %S %M', '-o', account, command, ...args], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const seconds = (performance.now() - began) / 1000;
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${complaint}`);
    const [user = 0, system = 0, peakKib = 0] = readFileSync(account, 'utf8').split(' ').map(Number);
    return { seconds, cpuSeconds: user + system, peakMb: (peakKib * 1024) / 1e6 };
  } finally {
    closeSync(stdout);
    rmSync(account, { force: true });
  }
}
