import { on } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FileBatch } from './tail.ts';

/** What a thread is to read. */
export interface ScanRequest {
  readonly path: string;
}

/** A batch of lines of a file, each told by a number: equal lines mostly have the same one. */
export interface ScannedLines extends Omit<FileBatch, 'bytes'> {
  /** Bytes of the batch. */
  readonly length: number;
  /** The numbers begin anew: none from before stands for the same line any more. */
  readonly isAnew: boolean;
  /** By line: its number, and where in the batch it begins. */
  readonly numbers: Int32Array;
  readonly starts: Int32Array;
  /** The lines that have their numbers from this batch on, one behind the other, without line feeds, and their ends. */
  readonly fresh: Uint8Array;
  readonly freshEnds: Int32Array;
}

/** What the thread says: a batch, or that it has come to the end, with what was wrong if it was not the file's. */
export type ScanMessage = { readonly batch: ScannedLines } | { readonly end: string | null };

/**
 * Reads a file from its first byte to its end as of now in a thread of its own, which also finds out which of its lines
 * are the same: who works on them has only the new ones to read. It begins at once; what it gives is to be gone through,
 * or the signal aborted. Throws as `followFile` does. An abort ends it quietly.
 */
export function scanFile(path: string, signal: AbortSignal): AsyncIterable<ScannedLines> {
  // The compiled file, or the source where Node.js strips types itself.
  const url = new URL(`./scan-worker${extname(import.meta.url)}`, import.meta.url);
  const request: ScanRequest = { path };
  const worker = new Worker(url, { workerData: request, execArgv: [], name: 'scan' });
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  // What it says before somebody listens would be lost.
  const messages = on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[ScanMessage]>;
  return readThread(worker, messages, { path, signal });
}

async function* readThread(
  worker: Worker,
  messages: AsyncIterable<[ScanMessage]>,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): AsyncGenerator<ScannedLines, void> {
  try {
    for await (const [message] of messages) {
      if (signal.aborted) return;
      if ('end' in message) {
        if (message.end !== null) throw new Error(message.end);
        return;
      }
      yield message.batch;
      worker.postMessage(null);
    }
    if (!signal.aborted) throw new Error(`cannot read ${path}: the thread that reads it ended`);
  } finally {
    // Nobody has to wait until its memory is given back.
    void worker.terminate();
  }
}
