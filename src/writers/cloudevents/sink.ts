import { type HttpAnswer, type HttpClient, type HttpRequest, httpClient } from '../../lib/http.ts';
import type { SinkTarget } from './config.ts';
import { type MountedPlaces, readAuthorities, readToken } from './mounted.ts';

/** A token is read again after so long, in milliseconds: it lives for an hour or less, and is replaced in its place. */
const TOKEN_MS = 50_000;

/** What the sink is sent, beside its address and the token. */
export type SinkRequest = Omit<HttpRequest, 'url'>;

/** The way to a sink. */
export interface Sink {
  /** Reads what is not known yet; throws with the place if it cannot be used. */
  prepare(): Promise<void>;
  /** Sends a request, once it is prepared; only the head of the answer is waited for. Throws if there is none. */
  send(request: SinkRequest): Promise<HttpAnswer>;
  /** Certificates and token may have been replaced: they are read again. Not while a request is under way. */
  forget(): void;
  close(): void;
}

export interface SinkOptions {
  readonly target: SinkTarget;
  readonly places: MountedPlaces;
  /** Milliseconds since 1970, for `Retry-After`. */
  readonly now: () => number;
}

/** Nothing is read or asked before it is prepared. */
export function openSink({ target, places, now }: SinkOptions): Sink {
  let client: HttpClient | null = null;
  let token: { readonly value: string | null; readonly readAt: number } | null = null;
  const refresh = async () => {
    if (token !== null && performance.now() - token.readAt < TOKEN_MS) return;
    const readAt = performance.now();
    token = { value: target.hasToken ? await readToken(places) : null, readAt };
  };
  const forget = () => {
    client?.close();
    client = null;
    token = null;
  };
  return {
    prepare: async () => {
      const ca = client === null ? await readAuthorities(target.ca, places) : null;
      // Few sinks understand a body that is compressed, and a broker hands it on as it is.
      const options = { timeoutMs: target.timeoutMs, now, gzip: false, headOnly: true };
      client ??= httpClient({ ...options, ...(ca !== null && { ca }) });
      await refresh();
    },
    send: async (request) => {
      if (client === null) throw new Error('nothing was prepared');
      await refresh();
      const authorization = token?.value ? { authorization: `Bearer ${token.value}` } : {};
      return client.send({ ...request, url: target.url, headers: { ...request.headers, ...authorization } });
    },
    forget,
    close: forget,
  };
}
