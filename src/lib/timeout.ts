/** The name of an error that tells of a time that was over. */
export const TIMEOUT = 'TimeoutError';

/** What did not come in time: `no answer within 10 s`. */
export function timeoutError(what: string, ms: number): Error {
  const error = new Error(`${what} within ${ms / 1_000} s`);
  error.name = TIMEOUT;
  return error;
}

/** Why something ends before its time: the `timeoutError` that its signal was aborted with, else as it is told here. */
export function givenUp({ reason }: AbortSignal, otherwise = 'given up'): Error {
  return reason instanceof Error && reason.name === TIMEOUT ? reason : new Error(otherwise);
}

/** Whether there was no answer because the time for it was over. */
export function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === TIMEOUT || (error as NodeJS.ErrnoException).code === 'ETIMEDOUT') return true;
  return isTimeout(error.cause);
}
