import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Largest file that may hold a secret, in bytes. */
const SECRET_LIMIT = 64 * 1024;

/** A secret as a configuration gives it: itself, or the place that holds it. */
export type SecretSource =
  | string
  | { readonly file: string }
  | { readonly env: string }
  | { readonly credential: string };

/**
 * The secret itself, read now; call again after it was refused, as the file may have changed.
 * `credential` is a systemd credential. One trailing line end is dropped. Throws with the place, never the value.
 */
export async function readSecret(source: SecretSource, env: NodeJS.ProcessEnv): Promise<string> {
  if (typeof source === 'string') return source;
  if ('env' in source) {
    const value = env[source.env];
    if (!value) throw new Error(`secret: environment variable ${source.env} is not set, wanted a value`);
    return value;
  }
  if ('file' in source) return readSecretFile(source.file);
  const directory = env.CREDENTIALS_DIRECTORY;
  if (!directory) throw new Error(`secret: no credential ${source.credential}, as $CREDENTIALS_DIRECTORY is not set`);
  if (!/^[A-Za-z0-9_.@:-]+$/.test(source.credential) || source.credential.startsWith('.')) {
    throw new Error(`secret: found credential name ${JSON.stringify(source.credential)}, wanted a plain name`);
  }
  return readSecretFile(join(directory, source.credential));
}

async function readSecretFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`secret: cannot read ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  if (bytes.length > SECRET_LIMIT)
    throw new Error(`secret: ${path} has ${bytes.length} bytes, wanted at most ${SECRET_LIMIT}`);
  const value = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (value === '') throw new Error(`secret: ${path} is empty, wanted a value`);
  return value;
}
