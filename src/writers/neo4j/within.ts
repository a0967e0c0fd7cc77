import { givenUp } from '../../lib/timeout.ts';

/** What ends a wait before its time. */
export interface Limits {
  readonly ms: number;
  readonly signal: AbortSignal;
}

/** The outcome of a promise, unless that takes too long or is given up: then throws, and what it does later is ignored. */
export async function within<T>(promise: Promise<T>, { ms, signal }: Limits): Promise<T> {
  promise.catch(() => {});
  let end: () => void = () => {};
  const limit = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(lateError(ms)), ms);
    const stop = () => reject(givenUp(signal, 'stopped before the answer came'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    end();
  }
}

/** Whether somebody did not answer in time. */
export function isLate(error: unknown): boolean {
  return error instanceof Error && (error.name === LATE || ACQUISITION.test(error.message));
}

const LATE = 'TimeoutError';
/** The driver's own words for it, without any code. */
const ACQUISITION = /^Connection acquisition timed out/;

function lateError(ms: number): Error {
  const error = new Error(`no answer within ${Math.round(ms / 1_000)} s`);
  error.name = LATE;
  return error;
}

/** What the driver may take on top of a transaction: it repeats one for 10 s, and may wait twice as long. */
const DRIVER_MS = 40_000;

/** How long to wait for a transaction of so many milliseconds. */
export function timeLimit(timeoutMs: number): number {
  return timeoutMs + DRIVER_MS;
}
