import { readFile } from 'node:fs/promises';
import { type HttpAnswer, type HttpClient, type HttpRequest, httpClient } from '../lib/http.ts';

/** Asks the server: the request is made with the secret as it was read last. Throws if there is no answer. */
export type Send<S> = (request: (secret: S) => HttpRequest) => Promise<HttpAnswer>;

/** A server that wants a secret, and that may have a certificate of its own authority. */
export interface Connection<S> {
  /** Reads what is not known yet; throws with the place if it cannot be read. `signal` gives up what is then sent. */
  prepare(signal: AbortSignal): Promise<Send<S>>;
  /** The secret or the certificate may have been replaced: both are read again before the next request. */
  forget(): void;
  close(): void;
}

export interface ConnectionOptions<S> {
  /** For a whole request. */
  readonly timeoutMs: number;
  /** File of certificates (PEM) that are trusted beside those of Node.js. */
  readonly ca: string | null;
  readonly now: () => number;
  readonly readSecret: () => Promise<S>;
}

/** Nothing is read or asked before it is prepared. */
export function openConnection<S>({ timeoutMs, ca, now, readSecret }: ConnectionOptions<S>): Connection<S> {
  let known: { readonly client: HttpClient; readonly secret: S } | null = null;
  const forget = () => {
    known?.client.close();
    known = null;
  };
  return {
    prepare: async (signal) => {
      if (!known) {
        const secret = await readSecret();
        const trusted = ca === null ? null : await readCertificates(ca);
        known = { client: httpClient({ timeoutMs, now, ...(trusted !== null && { ca: trusted }) }), secret };
      }
      const { client, secret } = known;
      return (request) => client.send({ ...request(secret), signal });
    },
    forget,
    close: forget,
  };
}

/**
 * Why an answer does not come from what was meant to answer, or null: a page for people, the complaint of a TLS server
 * about a plain request, or of VictoriaMetrics about a path that it has not. Nothing may be concluded from it about what
 * was sent. A gateway that is busy, or finds the body too large, shows a page too and is to be taken by its word.
 */
export function strangeAnswer({ status, headers, text }: HttpAnswer): string | null {
  if (status === 400 && /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/.test(text.slice(0, 1_000))) {
    return `HTTP ${status}: found http, but the server wants https`;
  }
  if (status === 400 && text.includes('unsupported path requested')) {
    return `HTTP ${status}: the server has no such path; does url name another one?`;
  }
  const isPage = (headers['content-type'] ?? '').trim().toLowerCase().startsWith('text/html');
  if (!isPage || [408, 413, 425, 429].includes(status) || status >= 500) return null;
  return `HTTP ${status} with a web page, which is not what this server would answer; does url name another one?`;
}

/** The text of a file of certificates. Throws with its place if it cannot be read, or holds none. */
export async function readCertificates(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`ca: cannot read ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error(`ca: found no certificate in ${path}, wanted PEM`);
  }
  return text;
}
