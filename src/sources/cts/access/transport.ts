import { readFile } from 'node:fs/promises';
import { type HttpAnswer, type HttpClient, httpClient } from '../../../lib/http.ts';
import { isTimeout } from '../../../lib/timeout.ts';
import type { ServiceClock } from './clock.ts';
import type { CloudTls } from './credentials.ts';
import { again, done, hold, type Operation, type Tried } from './failure.ts';
import { encoded, queryText, type SignedRequest } from './sign.ts';

/** A request before anybody proves who sends it. */
export interface Asking {
  /** Null: it is for nothing but the time, and not counted. */
  readonly operation: Operation | null;
  readonly method: 'GET' | 'POST';
  /** Address with its path, without a query. */
  readonly url: string;
  readonly query?: SignedRequest['query'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request that was made, for the metrics. */
export interface RequestReport {
  readonly operation: Operation;
  /** Status of a whole answer, else `timeout` or `network`. */
  readonly code: string;
  readonly seconds: number;
}

export interface TransportOptions {
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly clock: ServiceClock;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly onRequest: (report: RequestReport) => void;
}

/** Longest answer, in bytes. */
export const BODY_LIMIT = 64 * 1024 * 1024;

const CONNECT_MS = 10_000;
/** Shorter than what servers leave idle connections open for: one that they close meanwhile costs a failed request. */
const IDLE_MS = 4_000;
/** A token with a catalog in it may have tens of kilobytes. */
const HEADER_LIMIT = 256 * 1024;
/** After a refusal for speed: how long to go slower, and how slow. */
const SLOW_FOR_MS = 300_000;
const SLOW_MS = 200;

/** Sends requests, one after the other; it minds the pace, the clock and the certificates. */
export class Transport {
  readonly #options: TransportOptions;
  #client: { readonly tls: CloudTls; readonly http: HttpClient } | null = null;
  #slowUntil = Number.NEGATIVE_INFINITY;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** The whole answer, whatever its status; or why there is none. */
  async send(asking: Asking, tls: CloudTls, signal: AbortSignal): Promise<Tried<HttpAnswer>> {
    const { now, clock, delay } = this.#options;
    const name = asking.operation ?? 'time';
    const http = await this.#open(tls).catch((error: Error) => hold(error.message));
    if ('ok' in http) return http;
    const pause = now() < this.#slowUntil ? this.#endedAt + SLOW_MS - now() : 0;
    if (pause > 0) await delay(pause, signal);
    const began = performance.now();
    const report = (code: string) => this.#report(asking, code, began, signal);
    try {
      const query = asking.query?.length ? `?${queryText(asking.query)}` : '';
      const { method, url, headers = {}, body = '' } = asking;
      const answer = await http.send({ method, url: `${url}${query}`, headers, body, signal });
      clock.note(answer.headers.date, answer.status);
      if (answer.status === 429) this.#slowUntil = now() + SLOW_FOR_MS;
      report(answer.truncated ? 'network' : String(answer.status));
      return done(answer);
    } catch (error) {
      report(isTimeout(error) ? 'timeout' : 'network');
      // The certificates may have been replaced.
      this.close();
      return again(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#endedAt = now();
    }
  }

  close(): void {
    this.#client?.http.close();
    this.#client = null;
  }

  async #open(tls: CloudTls): Promise<HttpClient> {
    if (this.#client && isSame(this.#client.tls, tls)) return this.#client.http;
    this.close();
    const [ca, cert, key] = await Promise.all([
      pem('ca', tls.ca, 'CERTIFICATE'),
      pem('cert', tls.cert, 'CERTIFICATE'),
      pem('key', tls.key, 'PRIVATE KEY'),
    ]);
    const http = httpClient({
      timeoutMs: this.#options.timeoutMs,
      connectMs: CONNECT_MS,
      idleMs: IDLE_MS,
      headerLimit: HEADER_LIMIT,
      answerLimit: BODY_LIMIT,
      gzip: false,
      insecure: tls.insecure,
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
    });
    this.#client = { tls, http };
    return http;
  }

  #report({ operation }: Asking, code: string, began: number, signal: AbortSignal): void {
    // What was given up says nothing of the service.
    if (operation === null || (signal.aborted && code === 'network')) return;
    this.#options.onRequest({ operation, code, seconds: (performance.now() - began) / 1_000 });
  }
}

/** Parts of a path, each encoded. */
export function pathText(...parts: readonly string[]): string {
  return parts.map((part) => `/${encoded(part)}`).join('');
}

function isSame(a: CloudTls, b: CloudTls): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key && a.insecure === b.insecure;
}

async function pem(what: string, path: string | null, kind: string): Promise<string | null> {
  if (path === null) return null;
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`tls.${what}: cannot read ${path}: ${cause.code ?? cause.message}`, { cause });
  });
  const has = text.includes('-----BEGIN ') && text.includes(`${kind}-----`);
  if (!has) throw new Error(`tls.${what}: found nothing of the kind in ${path}, wanted PEM`);
  return text;
}
