import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SinkTarget } from './config.ts';

/** Where Knative puts what a sender needs. */
export interface MountedPlaces {
  /** Folder of certificates (`*.pem`). */
  readonly certificates: string;
  /** File with the token (OIDC) of this sender, made out to its sink. */
  readonly token: string;
}

/** As SinkBinding and ContainerSource mount them. */
export const KNATIVE_PLACES: MountedPlaces = { certificates: '/knative-custom-certs', token: '/oidc/token' };

/** Longest file that is read, in bytes, and most files of the folder. */
const LONGEST = 1024 * 1024;
const MOST = 200;

/** Certificates (PEM) to trust beside the usual ones; null for none. Throws with the place of what cannot be used. */
export async function readAuthorities(ca: SinkTarget['ca'], { certificates }: MountedPlaces): Promise<string | null> {
  const texts = await mountedCertificates(certificates);
  if (ca !== null && 'pem' in ca)
    texts.push(certificatesIn(ca.pem, '$K_CA_CERTS', 'the text of certificates (PEM), not a path'));
  if (ca !== null && 'file' in ca) texts.push(certificatesIn(await fileText(ca.file, 'ca'), `ca: ${ca.file}`, 'PEM'));
  return texts.length === 0 ? null : texts.join('\n');
}

/** The token, or null if there is no such file. Throws if it cannot be used; its value is never told. */
export async function readToken({ token }: MountedPlaces): Promise<string | null> {
  const text = await fileText(token, 'token').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (text === null) return null;
  const value = text.trim();
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new Error(
    `token: found ${value === '' ? 'nothing' : 'spaces or control characters'} in ${token}, wanted a token`,
  );
}

async function mountedCertificates(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return [];
    throw new Error(`cannot read ${folder}: ${cause.code ?? cause.message}`, { cause });
  });
  const paths = names
    .filter((name) => name.endsWith('.pem'))
    .sort()
    .slice(0, MOST);
  const texts = await Promise.all(paths.map((name) => fileText(join(folder, name), 'certificates')));
  // Bundles may be empty while nobody has put anything into them.
  return texts.filter(hasCertificate);
}

function certificatesIn(text: string, place: string, wish: string): string {
  if (hasCertificate(text)) return text;
  throw new Error(`${place}: found no certificate, wanted ${wish}`);
}

function hasCertificate(text: string): boolean {
  return text.includes('-----BEGIN CERTIFICATE-----');
}

async function fileText(path: string, what: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`${what}: cannot read ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  if (text.length <= LONGEST) return text;
  throw new Error(`${what}: ${path} has ${text.length} characters, wanted at most ${LONGEST}`);
}

function isMissing(error: unknown): boolean {
  const { cause } = error as Error;
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
