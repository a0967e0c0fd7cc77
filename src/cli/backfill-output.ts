import { type FileHandle, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { write } from './io.ts';

/** Where the text goes. */
export interface Output {
  write(text: string): Promise<void>;
  /** Throws if there is no room for so many bytes. */
  reserve(bytes: number): Promise<void>;
  /** All was written. */
  finish(): Promise<void>;
  /** What was written is of no use. */
  discard(): Promise<void>;
}

/**
 * Standard output, or a file that gets its name when it is whole; what is no file, such as a pipe, is written to as it
 * is. Throws with the reason if it cannot be written to.
 */
export async function openOutput(path: string | undefined, stdout: NodeJS.WritableStream): Promise<Output> {
  if (path === undefined) return streamOutput(stdout);
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory()) throw new Error(`--output: found the directory ${path}, wanted the name of a file`);
  const isPlain = there === null || there.isFile();
  const written = isPlain ? `${path}.partial` : path;
  const telling = <T>(promise: Promise<T>) =>
    promise.catch((cause: unknown) => {
      throw new Error(`--output: cannot write ${written}: ${writeProblem(cause)}`, { cause });
    });
  const handle = await telling(open(written, 'w'));
  const stream = fileOutput(handle, telling);
  return isPlain
    ? {
        ...stream,
        reserve: (bytes) => refuseFull(dirname(path), bytes),
        finish: async () => {
          await stream.finish();
          await telling(rename(written, path));
        },
        discard: async () => {
          await stream.discard();
          await rm(written, { force: true });
        },
      }
    : stream;
}

function streamOutput(stream: NodeJS.WritableStream): Output {
  return {
    write: (text) => write(stream, text),
    reserve: async () => {},
    finish: async () => {},
    discard: async () => {},
  };
}

function fileOutput(handle: FileHandle, telling: <T>(promise: Promise<T>) => Promise<T>): Output {
  return {
    write: (text) => telling(handle.writeFile(text)),
    reserve: async () => {},
    finish: () => telling(handle.close()),
    discard: () => handle.close().catch(() => {}),
  };
}

async function refuseFull(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes <= free) return;
  const wish = 'wanted more room, a longer --step or a shorter time';
  throw new Error(
    `--output: at least ${sizeText(bytes)} are to be written, found ${sizeText(free)} free in ${folder}, ${wish}`,
  );
}

function sizeText(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function writeProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOSPC') return 'no space left on the disk';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'found no permission to write it';
  if (code === 'ENOENT') return 'its folder does not exist';
  if (code === 'ENOTDIR') return 'found a file in its way, wanted a folder';
  return error instanceof Error ? error.message : String(error);
}
