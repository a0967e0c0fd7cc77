import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { folder } from './cli.ts';
import { program } from './services.ts';

/**
 * What a sink does with a request: answers with a status, perhaps with headers; `hang` never answers, `cut` closes the
 * connection, `stall` answers 202 and never ends its body.
 */
export type SinkSays =
  | number
  | 'hang'
  | 'cut'
  | 'stall'
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> };

/** A CloudEvent as it was understood by this sink, in either mode. */
export interface SinkEvent {
  /** Attributes by name, as text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: unknown;
}

/** A request as it came. */
export interface SinkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values of the headers that make the event, as they were sent, and the body. */
  readonly bytes: string;
  readonly body: string;
  /** Null for what is no event. */
  readonly event: SinkEvent | null;
}

export interface FakeSinkOptions {
  /** What is said to each request; 202 unless given. `turn` counts from 0. */
  readonly say?: (request: SinkRequest, turn: number) => SinkSays;
  /** Files of key and certificate; without them it speaks no TLS. */
  readonly tls?: Certificate;
  readonly port?: number;
}

export interface FakeSink {
  /** With a path. */
  readonly url: string;
  readonly requests: readonly SinkRequest[];
  /** How often each event was accepted, by its id. */
  readonly accepted: ReadonlyMap<string, number>;
  /** Most requests that were there at once. */
  most(): number;
  close(): Promise<void>;
}

/** Files of a server's key and of its certificate, which it signed for itself. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A sink of CloudEvents that follows a script. */
export async function fakeSink(t: Test, options: FakeSinkOptions = {}): Promise<FakeSink> {
  const { say = () => 202, tls } = options;
  const requests: SinkRequest[] = [];
  const accepted = new Map<string, number>();
  let here = 0;
  let most = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    most = Math.max(most, ++here);
    response.on('close', () => here--);
    const told = await readRequest(request).catch(() => null);
    if (!told) return;
    const said = say(told, requests.length);
    requests.push(told);
    const status = typeof said === 'object' ? said.status : said === 'stall' ? 202 : said;
    const id = told.event?.attributes.id;
    if (typeof status === 'number' && status >= 200 && status < 300 && id !== undefined) {
      accepted.set(id, (accepted.get(id) ?? 0) + 1);
    }
    send(response, said);
  };
  const server = tls
    ? createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, answer)
    : createServer(answer);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http${tls ? 's' : ''}://127.0.0.1:${port}/ns/broker`, requests, accepted, most: () => most, close };
}

/** A certificate for 127.0.0.1; `openssl` has to be there. */
export function certificate(t: Test): Certificate {
  const place = folder(t);
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', cert];
  execFileSync(program('openssl') ?? 'openssl', args, { stdio: 'pipe' });
  return { key, cert };
}

function send(response: ServerResponse, said: SinkSays): void {
  if (said === 'hang') return;
  if (said === 'cut') {
    response.socket?.destroy();
  } else if (said === 'stall') {
    response.writeHead(202).write('a beginning');
  } else {
    const { status, headers } = typeof said === 'number' ? { status: said, headers: {} } : said;
    response.writeHead(status, headers).end(status < 300 ? '' : 'not for machines');
  }
}

async function readRequest(request: IncomingMessage): Promise<SinkRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const { method = '', url: path = '', headers, rawHeaders } = request;
  const made = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && /^(?:ce-|content-)/.test(name) ? [`${name}: ${rawHeaders[at + 1]}`] : [],
  );
  return { method, path, headers, body, bytes: `${made.join('\n')}\n\n${body}`, event: understood(headers, body) };
}

/** Written anew here, so that it does not stand on what it tests. */
function understood(headers: IncomingHttpHeaders, body: string): SinkEvent | null {
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/cloudevents+json')) {
    const { data, ...rest } = JSON.parse(body) as Record<string, unknown>;
    return { attributes: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])), data };
  }
  if (headers['ce-id'] === undefined) return null;
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') ? [[name.slice(3), decodeURIComponent(String(value))] as const] : [],
  );
  const data: unknown = body === '' ? undefined : type.includes('json') ? JSON.parse(body) : body;
  return { attributes: { ...Object.fromEntries(attributes), ...(type && { datacontenttype: type }) }, data };
}
