import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A folder for what belongs to these parameters; the same ones find it again, and what was made in it. */
export function inputFolder(parameters: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(parameters)).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `trailgauge-bench-${hash}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The path of a file, made at the first time: `make` writes it under the name it is given. */
export async function cached(path: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  // Of the same ending: systemd-journal-remote writes to nothing but `.journal`.
  const unfinished = join(path, '..', `unfinished-${process.pid}-${path.split('/').at(-1)}`);
  try {
    await make(unfinished);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return path;
}

/** Writes short pieces of text to a file. */
export async function writeText(path: string, pieces: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(blocks(pieces)), createWriteStream(path));
}

export function sizeOf(path: string): number {
  return statSync(path).size;
}

/** Together they are written a hundred times as fast as one by one. */
export function* blocks(pieces: Iterable<string>): Generator<Buffer> {
  let block: string[] = [];
  for (const piece of pieces) {
    block.push(piece);
    if (block.length < 4096) continue;
    yield Buffer.from(block.join(''));
    block = [];
  }
  yield Buffer.from(block.join(''));
}
