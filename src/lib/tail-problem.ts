/** An error with a code of the operating system: something about the files, not about this program. */
export interface Errno extends Error {
  readonly code: string;
}

export function isErrno(error: unknown): error is Errno {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code);
}

/** Why a file cannot be read, in words, with its path. */
export function problemWith(path: string, error: Errno): string {
  if (error.code === 'ENOENT') return `${path} does not exist`;
  if (error.code === 'EACCES' || error.code === 'EPERM') return `no permission to read ${path}`;
  return error.message.includes(path) ? error.message : `${path}: ${error.message}`;
}
