import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** What became of a body: its bytes, or why there are none. */
export type Unpacked = Buffer | 'unknown' | 'broken' | 'too_large';

const inflate = promisify(gunzip);
/** Bodies that are unpacked at once, as each may become as large as one may be. */
const MOST_AT_ONCE = 4;

/**
 * Makes a function that takes the `Content-Encoding` off a body: none, `identity` or `gzip`, to at most `limit` bytes. Of
 * those that come while others are unpacked, each waits for its turn.
 */
export function unpacker(limit: number): (body: Buffer, encoding: string | undefined) => Promise<Unpacked> {
  const turns: (() => void)[] = [];
  let running = 0;

  async function unzipped(body: Buffer): Promise<Unpacked> {
    if (running >= MOST_AT_ONCE) await new Promise<void>((resolve) => turns.push(resolve));
    else running += 1;
    try {
      return await inflate(body, { maxOutputLength: limit });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'broken';
    } finally {
      const next = turns.shift();
      // The turn is handed on.
      if (next) next();
      else running -= 1;
    }
  }

  return async (body, encoding = '') => {
    const name = encoding.trim().toLowerCase();
    if (name === '' || name === 'identity') return body;
    return name === 'gzip' || name === 'x-gzip' ? unzipped(body) : 'unknown';
  };
}
