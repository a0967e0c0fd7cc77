import { createServer, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type FastifyError, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../core/config.ts';
import type { Scrape } from '../core/engine.ts';
import {
  acceptsGzip,
  contentType,
  type ExpositionFormat,
  type Negotiated,
  negotiate,
} from '../core/metrics/negotiate.ts';
import type { Receiver } from '../core/receiver.ts';
import type { Status } from '../core/status.ts';
import { pageHeaders, pageOptions, renderPage } from './page.ts';
import { serveReceivers } from './receivers.ts';
import { loadWebConfig } from './web-config.ts';

export interface ServerOptions {
  readonly listen: Config['listen'];
  readonly log: Logger;
  /** The exposition for a scraper, already saved; rejects if it cannot be. */
  readonly scrape: (asked: Negotiated, scraper: string) => Promise<Scrape>;
  /** Formats that can be given. */
  readonly formats: readonly ExpositionFormat[];
  readonly status: () => Status;
  /** Null when ready, or why not. */
  readonly unready: () => string | null;
  /** Where items are pushed to; each checks by itself who may do that. */
  readonly receivers?: readonly Receiver[];
}

export interface Server {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Bytes from which on an answer is packed while it is sent. */
const STREAMED_LENGTH = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADER_LIMIT = 16 * 1024;

/** Serves metrics, status and health; throws if it cannot listen, with the address and why. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { listen, log } = options;
  const web =
    listen.web_config === null
      ? null
      : loadWebConfig(listen.web_config, {
          onProblem: ({ message }) => log.error({ problem: message }, 'web configuration is not renewed'),
        });
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: HEADER_LIMIT };
  const app = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    serverFactory: (handler) => web?.tls?.createServer(handler, limits) ?? createServer(limits, handler),
  });
  const receiving = serveReceivers(app, options.receivers ?? []);
  app.addHook('onRequest', async (request, reply) => {
    for (const [name, value] of web?.headers ?? []) reply.header(name, value);
    if (web && !web.admit()) return reply.code(429).type('text/plain').send('too many requests\n');
    // Whoever pushes has a token instead.
    if (receiving.isReceiver(request.routeOptions.url)) return;
    if (web && !(await web.authorize(request.headers.authorization))) {
      return reply
        .code(401)
        .header('WWW-Authenticate', 'Basic realm="trailgauge", charset="UTF-8"')
        .type('text/plain')
        .send('unauthorized\n');
    }
    // Before its body is read.
    if (request.is404 && app.hasRoute({ method: 'GET', url: request.url.split('?', 1)[0] ?? '' }))
      return reply.code(405).header('Allow', 'GET, HEAD').type('text/plain').send('wanted GET or HEAD\n');
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const { statusCode = 500 } = error;
    // What is wrong with a request is no failure of ours.
    if (statusCode < 500) return reply.code(statusCode).type('text/plain').send('bad request\n');
    // What stands behind the path may be a token.
    log.error({ err: error, url: request.url.split('?', 1)[0] }, 'request failed');
    return reply.code(500).type('text/plain').send('internal error\n');
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('not found; see /\n'));
  app.get('/metrics', { exposeHeadRoute: false }, (request, reply) => answerScrape(options, request, reply));
  // Without a body nothing would be given, and nothing must count as given: so it is not made, and of unknown length.
  app.head('/metrics', async ({ headers }, reply) =>
    reply.header('Content-Type', contentType(negotiate(headers.accept, options.formats))).send(),
  );
  app.get('/', async (request, reply) => {
    const shown = pageOptions(request.url);
    reply.headers(pageHeaders(shown));
    // What the web configuration says goes before what the page would like.
    for (const [name, value] of web?.headers ?? []) reply.header(name, value);
    return reply.send(renderPage(options.status(), shown));
  });
  app.get('/api/v1/status', async () => options.status());
  app.get('/-/healthy', async (_request, reply) => reply.type('text/plain').send('healthy\n'));
  app.get('/-/ready', async (_request, reply) => {
    const reason = options.unready();
    return reply
      .code(reason === null ? 200 : 503)
      .type('text/plain')
      .send(reason === null ? 'ready\n' : `not ready: ${reason}\n`);
  });
  try {
    await app.listen({ host: listen.address, port: listen.port });
  } catch (cause) {
    await app.close();
    throw new Error(`cannot listen on ${listen.address} port ${listen.port}: ${listenProblem(cause)}`, { cause });
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  const close = async () => {
    await receiving.drain();
    await app.close();
  };
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `${web?.tls ? 'https' : 'http'}://${host}:${address.port}`, close };
}

async function answerScrape(
  options: ServerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = negotiate(request.headers.accept, options.formats);
  let scrape: Scrape;
  try {
    scrape = await options.scrape(asked, scraperOf(request));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return reply.code(503).type('text/plain').send(`metrics are withheld: ${reason}\n`);
  }
  if (reply.raw.destroyed) {
    // The scraper left while the answer was made: nothing will be told of that any more.
    scrape.failed();
    return reply.hijack();
  }
  // An answer that did not get out whole has not been given. `writableFinished` is true of those as well, and `finish`
  // comes for them too: but then their connection has failed.
  const { socket } = request.raw;
  let arrived = false;
  reply.raw.prependOnceListener('finish', () => (arrived = !socket.destroyed && !socket.errored));
  reply.raw.once('close', () => (arrived ? scrape.delivered() : scrape.failed()));
  const packed = acceptsGzip(header(request.raw, 'accept-encoding'));
  reply
    .header('Content-Type', scrape.contentType)
    .header('Vary', 'Accept, Accept-Encoding')
    .header('Cache-Control', 'no-store');
  const length = scrape.pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (!packed) {
    reply.header('Content-Length', length);
    return reply.send(Readable.from(scrape.pieces, { objectMode: false }));
  }
  reply.header('Content-Encoding', 'gzip');
  // The first members of a long answer are under way while the others are made; how long it will be is not known then.
  if (length > STREAMED_LENGTH) return reply.send(Readable.from(scrape.packed(), { objectMode: false }));
  return reply.send(await buffer(scrape.packed()));
}

/** Who collects: the name it gives in `?scraper=`, else user, address and program. */
function scraperOf(request: FastifyRequest): string {
  const given = new URL(request.url, 'http://localhost').searchParams.get('scraper');
  if (given) return `name ${given.slice(0, 100)}`;
  const user = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const name = user ? Buffer.from(user, 'base64').toString('utf8').split(':', 1)[0] : '';
  return `${name} ${request.ip} ${(request.headers['user-agent'] ?? '').slice(0, 200)}`.trim();
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function listenProblem(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return 'another program has it; set listen.port to one that is free';
  if (code === 'EACCES') return 'this user may not; set listen.port to one above 1023';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address; set listen.address to one of its own';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'found no address of that name; set listen.address to one';
  return cause instanceof Error ? cause.message : String(cause);
}
