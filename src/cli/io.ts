import type { Readable } from 'node:stream';
import type { Logger } from 'pino';

/** Where a command writes and what surrounds it. */
export interface Io {
  /** With the number of its columns if it is a terminal. */
  readonly stdout: NodeJS.WritableStream & { readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stdin: Readable;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  /** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
  readonly signal: AbortSignal;
}

/** Exit codes. */
export const OK = 0;
export const FAILED = 1;
export const USAGE = 2;

/** Writes and waits until it is taken. */
export async function write(stream: NodeJS.WritableStream, chunk: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Says what went wrong at run time, and gives the exit code for it. */
export async function failed(io: Io, error: unknown, log?: Logger): Promise<number> {
  const message = error instanceof Error ? error.message : String(error);
  if (log?.isLevelEnabled('fatal')) log.fatal(message);
  else await write(io.stderr, `trailgauge: ${message}\n`);
  return FAILED;
}

/** Resolves when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
