import * as http from 'node:http';
import * as https from 'node:https';
import { rootCertificates } from 'node:tls';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { givenUp, timeoutError } from './timeout.ts';

/** Most of an answer's body that is kept, in bytes, unless told otherwise. */
export const ANSWER_LIMIT = 1024 * 1024;

/** Bodies above this are sent compressed, in bytes. */
export const GZIP_ABOVE = 1024;

/** How long a body that nobody wants may go on until its connection is given up, in milliseconds. */
const UNWANTED_MS = 250;

/** Longest wait that `Retry-After` may ask for, in milliseconds. */
export const RETRY_AFTER_LIMIT = 300_000;

export interface HttpOptions {
  /** For a whole request, from its begin to the end of its answer. */
  readonly timeoutMs: number;
  /** For the connection alone; no limit of its own, if left out. */
  readonly connectMs?: number;
  /** How long a connection may lie idle before it is given up; until the far end does, if left out. */
  readonly idleMs?: number;
  /** Certificates (PEM) that are trusted beside those of Node.js. */
  readonly ca?: string;
  /** The client's own certificate and its key (PEM). */
  readonly cert?: string;
  readonly key?: string;
  /** The server's certificate is not looked at. */
  readonly insecure?: boolean;
  /** Most bytes of an answer's headers; as Node.js has it (16 KiB), if left out. */
  readonly headerLimit?: number;
  readonly answerLimit?: number;
  /** Whether a long body is sent compressed; true, unless it is told that the far end may not understand it. */
  readonly gzip?: boolean;
  /** An answer is known by its head: `text` is empty, and a body that does not end at once ends the connection. */
  readonly headOnly?: boolean;
  readonly now?: () => number;
}

export interface HttpRequest {
  readonly method: string;
  /** May hold a user and password, which are then sent as basic authentication. */
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

/** An answer of any status; redirects are answers too. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** The body, or its beginning. */
  readonly text: string;
  /** The body was longer than is kept. */
  readonly truncated: boolean;
  /** Milliseconds that the far end asks to be left alone, at most 5 min; null if it does not say. */
  readonly retryAfterMs: number | null;
}

export interface HttpClient {
  /**
   * Sends a request and waits for its whole answer. Throws if there is none: the message is one line that tells method,
   * address (without user, password and query) and what went wrong; see also `isTimeout`.
   */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Lets go of idle connections. */
  close(): void;
}

/**
 * A client that keeps its connections. It stands on `node:https`, as `fetch` of Node.js 20 cannot be given a root
 * certificate without the package undici. TLS is verified unless told otherwise, and no redirect is followed: what was
 * meant for one server, credentials most of all, goes to no other.
 */
export function httpClient(options: HttpOptions): HttpClient {
  const keeping = { keepAlive: true, ...(options.idleMs !== undefined && { timeout: options.idleMs }) };
  const agents = { http: new http.Agent(keeping), https: new https.Agent({ ...keeping, ...tlsOptions(options) }) };
  return {
    send: async (request) => {
      // The error of URL would hold the address, and with it what is secret in it.
      if (!URL.canParse(String(request.url)))
        throw new Error(`${request.method}: the address is no URL, wanted https://HOST/PATH`);
      const url = new URL(request.url);
      const packed = await pack(request.body ?? '', options.gzip ?? true);
      const headers = { 'accept-encoding': 'identity', ...request.headers, ...packed.headers };
      try {
        return await exchange({ request, url, headers, body: packed.body, agents, options });
      } catch (cause) {
        throw new Error(`${request.method} ${shownUrl(url)}: ${reasonOf(cause)}`, { cause });
      }
    },
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** An address as it may be shown: without user, password, query and fragment. */
export function shownUrl(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/**
 * Milliseconds of a `Retry-After` header: a number of **seconds**, or an HTTP date in any of its three forms (RFC 9110,
 * section 5.6.7). At most 5 min; 0 for a date that is past; null if there is none or it is neither.
 */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? '';
  if (/^[0-9]{1,15}$/.test(text)) return Math.min(Number(text) * 1_000, RETRY_AFTER_LIMIT);
  if (!/^[A-Z][a-z]{2,8},? [A-Za-z0-9: -]{12,30}$/.test(text)) return null;
  // The oldest form names no zone and means the same one.
  const time = Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? null : Math.min(Math.max(0, time - now), RETRY_AFTER_LIMIT);
}

function tlsOptions({ ca, cert, key, insecure }: HttpOptions): https.AgentOptions {
  return {
    // A list of one's own replaces the usual one.
    ...(ca && { ca: [...rootCertificates, ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(insecure && { rejectUnauthorized: false }),
  };
}

const gzip = promisify<string | Uint8Array, Buffer>(zlib.gzip);

interface Packed {
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

async function pack(body: string | Uint8Array, mayPack: boolean): Promise<Packed> {
  const length = Buffer.byteLength(body);
  if (length === 0) return { body, headers: {} };
  if (length <= GZIP_ABOVE || !mayPack) return { body, headers: { 'content-length': String(length) } };
  const packed = await gzip(body);
  return { body: packed, headers: { 'content-encoding': 'gzip', 'content-length': String(packed.length) } };
}

interface Exchange {
  readonly request: HttpRequest;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly agents: { readonly http: http.Agent; readonly https: https.Agent };
  readonly options: HttpOptions;
}

function exchange({ request: { method, signal }, url, headers, body, agents, options }: Exchange): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const isPlain = url.protocol === 'http:';
    if (!isPlain && url.protocol !== 'https:') throw new Error(`found ${url.protocol}, wanted http: or https:`);
    const ask = isPlain ? http.request : https.request;
    const agent = isPlain ? agents.http : agents.https;
    const { timeoutMs, connectMs, headerLimit } = options;
    const asked = ask(url, { method, headers, agent, ...(headerLimit && { maxHeaderSize: headerLimit }) });
    const timer = setTimeout(() => asked.destroy(timeoutError('no answer', timeoutMs)), timeoutMs);
    if (connectMs !== undefined) limitConnect(asked, isPlain ? 'connect' : 'secureConnect', connectMs);
    const giveUp = () => asked.destroy(signal && givenUp(signal));
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    asked.on('error', reject);
    asked.on('response', (response) => collect(response, options).then(resolve, reject));
    asked.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    });
    asked.end(body);
  });
}

/** A connection that is kept is there already. */
function limitConnect(asked: http.ClientRequest, event: 'connect' | 'secureConnect', connectMs: number): void {
  asked.on('socket', (socket) => {
    if (asked.reusedSocket) return;
    const timer = setTimeout(() => asked.destroy(timeoutError('no connection', connectMs)), connectMs);
    const done = () => clearTimeout(timer);
    socket.once(event, done);
    asked.once('close', () => {
      done();
      socket.off(event, done);
    });
  });
}

function collect(
  response: http.IncomingMessage,
  { answerLimit = ANSWER_LIMIT, headOnly = false, now = Date.now }: HttpOptions,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (truncated: boolean) =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: Buffer.concat(chunks).subarray(0, answerLimit).toString('utf8'),
        truncated,
        retryAfterMs: retryAfterMs(response.headers['retry-after'], now()),
      });
    if (headOnly) {
      // At its end the connection is free for the next request; waiting for that, no more are open than are asked at once.
      const timer = setTimeout(() => response.destroy(), UNWANTED_MS);
      const end = () => {
        clearTimeout(timer);
        finish(false);
      };
      response
        .on('error', () => {})
        .once('close', end)
        .resume();
      return;
    }
    response.on('error', reject);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= answerLimit) return;
      finish(true);
      // The rest may never end, so the connection is of no more use.
      response.destroy();
    });
    response.on('end', () => finish(false));
  });
}

/** What went wrong, in one line; Node.js tells several failed addresses of one name without any message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ');
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const text = error.message.replace(/[\r\n]+/g, ' ').slice(0, 300);
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}
