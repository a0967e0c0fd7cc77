import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { basicAuth } from './web-config/basic-auth.ts';
import { comparer } from './web-config/compare.ts';
import { parseWebSettings } from './web-config/settings.ts';
import { type TlsState, tlsState } from './web-config/tls.ts';
import { tokenBucket } from './web-config/token-bucket.ts';
import { watchedFiles } from './web-config/watched-files.ts';

/**
 * Who may read, and how: a web configuration file in the format of the Prometheus exporter-toolkit,
 * https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. As there, a changed file
 * counts at once (within a second); so do changed certificates and keys. A change that cannot be used is reported, and
 * what was valid before goes on; so does one that switches TLS or `client_auth_type`, which needs a restart.
 */
export interface WebConfig {
  /** Null for plain HTTP. */
  readonly tls: WebTls | null;
  /** To be set on each response. */
  readonly headers: ReadonlyMap<string, string>;
  /** False: to be answered with 429. To be asked once for each request, before anything else. */
  admit(): boolean;
  /**
   * Whether an `Authorization` header is that of a user; always true if the file names none. False: to be answered with
   * 401 and `WWW-Authenticate: Basic`. Fails only if the thread that compares cannot be had.
   */
  authorize(header: string | undefined): Promise<boolean>;
}

export interface WebTls {
  /**
   * An HTTPS server (HTTP/1.1, whatever `http2` says) that renews its certificate and lets in only clients that the file
   * allows. `options` are for timeouts and sizes. For fastify: `serverFactory: (handler) => tls.createServer(handler)`,
   * which holds for all addresses that it may listen on, as `https: options` could not.
   */
  createServer(handler: RequestListener, options?: ServerOptions): Server;
}

export interface WebConfigOptions {
  /** Called for each change of the files that cannot be used, with what is wrong. */
  readonly onProblem: (problem: Error) => void;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

const CHECK_MS = 1000;

/**
 * Loads a web configuration file. Paths in it are relative to its folder. Throws an `Error` whose message has a line
 * `FILE:LINE: PLACE: text` for each mistake; none of them holds a key, a hash or a password.
 */
export function loadWebConfig(path: string, options: WebConfigOptions): WebConfig {
  const now = options.now ?? (() => performance.now());
  const compare = comparer();
  const files = watchedFiles();
  let state = files.load(build);
  let checked = now();

  function build(read: (file: string) => string) {
    const settings = parseWebSettings(path, read(path));
    const problems = [...settings.problems];
    let tls: TlsState | null = null;
    try {
      tls = settings.tls && tlsState(settings, settings.tls, read);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    if (problems.length > 0) throw new Error(problems.join('\n'));
    return {
      headers: settings.headers,
      tls,
      authorize: basicAuth(settings.users, compare),
      admit: settings.rate ? tokenBucket(settings.rate, now) : () => true,
    };
  }

  function current(): typeof state {
    const time = now();
    if (time - checked < CHECK_MS) return state;
    checked = time;
    if (!files.changed()) return state;
    try {
      const next = files.load(build);
      if (next.tls?.clientAuth !== state.tls?.clientAuth) {
        throw new Error(`${path}: a change of TLS or of client_auth_type needs a restart`);
      }
      state = next;
    } catch (cause) {
      options.onProblem(cause instanceof Error ? cause : new Error(`cannot load ${path}`, { cause }));
    }
    return state;
  }

  return {
    tls: state.tls && { createServer: (handler, more) => protectedServer(handler, more, () => current().tls) },
    get headers() {
      return current().headers;
    },
    admit: () => current().admit(),
    authorize: (header) => current().authorize(header),
  };
}

/** A server that looks up the state of TLS at each connection, before the handshake. */
function protectedServer(
  handler: RequestListener,
  options: ServerOptions | undefined,
  current: () => TlsState | null,
): Server {
  let state = current();
  const policy = state?.clientAuth ?? 'NoClientCert';
  const requestCert = policy !== 'NoClientCert';
  const rejectUnauthorized = policy === 'RequireAndVerifyClientCert';
  const server = createServer({ ...options, ...state?.secure, requestCert, rejectUnauthorized }, handler);
  // Before the listeners of node:https, which start the handshake, and hand the connection to HTTP.
  server.prependListener('connection', () => {
    const next = current();
    if (next !== null && next !== state) server.setSecureContext(next.secure);
    state = next ?? state;
  });
  server.prependListener('secureConnection', (socket) => {
    if (!state?.admits(socket)) socket.destroy();
  });
  return server;
}
