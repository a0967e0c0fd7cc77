import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event } from './event.ts';
import type { Refused } from './writer.ts';

/** Bytes of one of the two files; the older one is replaced when the newer one is full. */
const FILE_BYTES = 32 * 1024 * 1024;

/** Events that a far end will never take, for people to look at. */
export interface DeadLetters {
  readonly path: string;
  add(letters: readonly { readonly event: Event; readonly refused: Omit<Refused, 'index'> }[]): Promise<void>;
}

/**
 * `DIRECTORY/dead-letter/WRITER.ndjson` and, with what is older, the same with `.1`: at most 64 MiB in all, the oldest go.
 * An event may be in there twice: it is refused again if the program dies before it has noted that it was.
 */
export function deadLetters(directory: string, writer: string, fileBytes: number = FILE_BYTES): DeadLetters {
  const folder = join(directory, 'dead-letter');
  const path = join(folder, `${writer.replace('/', '.')}.ndjson`);
  return {
    path,
    add: async (letters) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const lines = letters.map(({ event, refused: { reason, text } }) =>
        Buffer.from(`${JSON.stringify({ reason, text, event })}\n`),
      );
      for (let rest: readonly Buffer[] = lines; rest.length > 0; ) rest = await append(path, rest, fileBytes);
    },
  };
}

/** Gives the lines that there was no more room for. A full file makes room for the next. */
async function append(path: string, lines: readonly Buffer[], fileBytes: number): Promise<readonly Buffer[]> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    // A line that was cut off by a crash does not spoil the next.
    const before = Buffer.from(size > 0 && !(await isEnded(file, size)) ? '\n' : '');
    let room = fileBytes - size - before.length;
    const count = lines.findIndex(({ length }) => (room -= length) < 0);
    // One that is larger than a whole file has it for itself.
    const fits = count < 0 ? lines.length : size === 0 ? Math.max(1, count) : count;
    if (fits === 0) await rename(path, `${path}.1`);
    else await file.appendFile(Buffer.concat([before, ...lines.slice(0, fits)]));
    return lines.slice(fits);
  } finally {
    await file.close();
  }
}

async function isEnded(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
