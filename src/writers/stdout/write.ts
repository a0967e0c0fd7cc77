import type { Event } from '../../core/event.ts';
import type { OpenedWriter } from '../../core/writer.ts';
import { batches } from '../../lib/batches.ts';
import { held, messageOf, type Postponed, startTally } from '../tally.ts';
import { eventLine, type LineFormat } from './line.ts';

/** How much is handed to the stream at once, in bytes: what a pipe holds. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Prints events. A reader that is slow is waited for, and no more than one chunk waits within the stream. One that has
 * gone keeps the events back; it never ends the program.
 */
export function openStdout(stream: NodeJS.WritableStream, format: LineFormat): OpenedWriter {
  guard(stream);
  // A chunk that was given up is still on its way, and goes before all else.
  let last: Promise<Error | null> = Promise.resolve(null);
  return {
    write: async (events, signal) => {
      const tally = startTally();
      const lines = linesOf(events, format, (index) => {
        tally.refuse({ index, reason: 'rejected', text: 'it is nested too deep, or too long, to be written as JSON' });
      });
      const sizes = lines.map(({ text }) => Buffer.byteLength(text));
      let postponed: Postponed | null = null;
      for (const { start, end } of batches(sizes, { count: Math.max(1, lines.length), bytes: CHUNK_BYTES })) {
        postponed = await settled(last, signal);
        if (postponed) break;
        const chunk = lines.slice(start, end);
        last = print(stream, chunk.map(({ text }) => text).join(''));
        postponed = await settled(last, signal);
        if (postponed) break;
        tally.done(chunk.map(({ index }) => index));
      }
      // What failed was said, and is not to fail the next call.
      if (postponed?.hold) last = Promise.resolve(null);
      return tally.written(postponed);
    },
    // Standard output is not ours to close.
    close: async () => {},
  };
}

interface NumberedLine {
  readonly index: number;
  readonly text: string;
}

function linesOf(
  events: readonly Event[],
  format: LineFormat,
  onRefused: (index: number) => void,
): readonly NumberedLine[] {
  return events.flatMap((event, index) => {
    const text = eventLine(event, format);
    if (text === null) onRefused(index);
    return text === null ? [] : [{ index, text }];
  });
}

/** Streams whose errors are listened to: without a listener the first one would end the program. */
const guarded = new WeakSet<NodeJS.WritableStream>();

function guard(stream: NodeJS.WritableStream): void {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  // Each write is told by itself what went wrong.
  stream.on('error', () => {});
}

/** Resolves once the far end has taken it, or it is known why not. */
function print(stream: NodeJS.WritableStream, text: string): Promise<Error | null> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve(new Error('it is closed'));
    else stream.write(text, (error) => resolve(error ?? null));
  });
}

/** Null once it is written; else why to wait. */
async function settled(writing: Promise<Error | null>, signal: AbortSignal): Promise<Postponed | null> {
  const error = await orAborted(writing, signal);
  if (error === 'aborted') return { waitMs: 0, hold: false, text: 'standard output: its reader takes nothing' };
  return error === null ? null : held(`standard output: ${messageOf(error)}; nobody reads it any more`);
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | 'aborted'> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve('aborted');
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
