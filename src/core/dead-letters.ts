import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
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

/** `DIRECTORY/dead-letter/WRITER.ndjson` and, with what is older, the same with `.1`: 64 MiB in all, the oldest go. */
export function deadLetters(directory: string, writer: string): DeadLetters {
  const folder = join(directory, 'dead-letter');
  const path = join(folder, `${writer.replace('/', '.')}.ndjson`);
  return {
    path,
    add: async (letters) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const text = letters
        .map(({ event, refused: { reason, text: said } }) => `${JSON.stringify({ reason, text: said, event })}\n`)
        .join('');
      const { size } = await stat(path).catch(() => ({ size: 0 }));
      if (size > 0 && size + text.length > FILE_BYTES) await rename(path, `${path}.1`);
      await appendFile(path, text, { mode: 0o600 });
    },
  };
}
