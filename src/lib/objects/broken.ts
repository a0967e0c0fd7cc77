/** An error that is the fault of the content, and not of who delivered it. */
export function brokenError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { broken: true });
}

/** Whether an error is the fault of the content. */
export function isBroken(error: unknown): boolean {
  return (error as { broken?: boolean } | null)?.broken === true;
}
