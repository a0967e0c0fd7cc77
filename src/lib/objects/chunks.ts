import type { Readable } from 'node:stream';
import { givenUp } from '../timeout.ts';

export interface ReadLimits {
  /** Longest silence, in milliseconds; the time that the reader of the chunks takes for itself does not count. */
  readonly timeoutMs: number;
  /** Gives the reading up, and lets go of the connection. */
  readonly signal: AbortSignal;
}

/**
 * The chunks of a stream. Ends with an error if the stream is silent for too long, breaks off, or `signal` says so. The
 * stream is destroyed at the end, and with it a connection whose answer was not read whole.
 */
export function chunksOf(stream: Readable, limits: ReadLimits): AsyncIterable<Buffer> {
  // An error that comes before anybody reads is kept by the stream, and told then.
  stream.on('error', () => {});
  const stop = () => stream.destroy(givenUp(limits.signal));
  limits.signal.addEventListener('abort', stop, { once: true });
  if (limits.signal.aborted) stop();
  return held(timed(stream, limits.timeoutMs), () => {
    limits.signal.removeEventListener('abort', stop);
    stream.destroy();
  });
}

/** Chunks that let go of what they hold at their end, and also if they are ended before they began. */
export function held(chunks: AsyncGenerator<Buffer>, release: () => unknown): AsyncIterable<Buffer> {
  const end = async (): Promise<IteratorResult<Buffer>> => {
    await release();
    return { done: true, value: undefined };
  };
  const next = async (): Promise<IteratorResult<Buffer>> => {
    try {
      const chunk = await chunks.next();
      return chunk.done ? await end() : chunk;
    } catch (error) {
      await release();
      throw error;
    }
  };
  const stop = async () => {
    await chunks.return(undefined);
    return end();
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: stop }) };
}

async function* timed(stream: Readable, timeoutMs: number): AsyncGenerator<Buffer> {
  const iterator = stream[Symbol.asyncIterator]();
  while (true) {
    const silent = () => stream.destroy(new Error(`nothing came for ${timeoutMs / 1_000} s`));
    const timer = setTimeout(silent, timeoutMs);
    const { done, value } = await iterator.next().finally(() => clearTimeout(timer));
    if (done) return;
    yield value as Buffer;
  }
}
