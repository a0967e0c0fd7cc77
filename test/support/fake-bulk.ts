import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type BulkAction, type BulkBody, readBulk } from './bulk-body.ts';

/**
 * What goes wrong with a bulk request:
 * - `busy`, `unavailable`: 429 or 503 with `Retry-After`; `refused`: 400; `unauthorized`: 401.
 * - `busy items`, `half busy`: all items, or every second one, are answered with 429 and not stored.
 * - `mixed`: items are answered with 201, 409, 400, 429 in turn; those of 201 and 409 are stored.
 * - `forbidden items`: all are answered with 403, as to a key that may not write to this index.
 * - `no index`: all are answered with 404, as there is no such index and none may be made.
 * - `empty`, `fewer`, `page`: stored, but the answer is empty, lacks its last item, or is a web page.
 * - `cut`: stored, and the connection is cut; `gone`: cut before anything is stored.
 */
export type BulkTrouble =
  | 'none'
  | 'busy'
  | 'unavailable'
  | 'refused'
  | 'unauthorized'
  | 'busy items'
  | 'half busy'
  | 'mixed'
  | 'forbidden items'
  | 'no index'
  | 'empty'
  | 'fewer'
  | 'page'
  | 'cut'
  | 'gone';

export interface FakeBulkOptions {
  /** For the first bulk requests, one each; none for those that come after. Asked anew each time, so it may grow. */
  readonly troubles?: readonly BulkTrouble[];
  /** Bodies above so many bytes, unpacked, are answered with 413. */
  readonly limit?: number;
  /** Documents with this text in them are answered with 400. */
  readonly bad?: string;
  /** A document with this text ends the reading of its request: what comes before is stored, and nothing is answered. */
  readonly unreadable?: string;
  /** Seconds of `Retry-After`. */
  readonly retryAfter?: number;
  /** What stands before the end points, such as `/insert/elasticsearch`. */
  readonly prefix?: string;
  /** Value of `Authorization` without which all is answered with 401. */
  readonly authorization?: string | (() => string);
  /** `version` of the answer to `GET /`; null for a server that does not say. */
  readonly version?: Readonly<Record<string, unknown>> | null;
  /** Status of requests about templates; 200 and 404 as they are there, unless it is set. */
  readonly templateStatus?: number;
  readonly port?: number;
}

/** A request as it came. */
export interface BulkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked. */
  readonly body: string;
  /** Items of a bulk request. */
  readonly count: number;
  /** Of the answer; 0 where the connection was cut instead. */
  readonly status: number;
}

/** A document as it was stored. */
export type StoredDocument = Readonly<Record<string, unknown>>;

export interface FakeBulk {
  readonly url: string;
  /** By `_id`, in the order in which they came. */
  readonly documents: ReadonlyMap<string, StoredDocument>;
  readonly indexes: ReadonlySet<string>;
  readonly requests: readonly BulkRequest[];
  /** Index templates by name. */
  readonly templates: Map<string, StoredDocument>;
  /** What was against the protocol; such requests were answered with 400. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/**
 * A server that takes bulk requests as Elasticsearch does: `create` stores an id once and answers 409 to the second.
 * It holds requests to the protocol: headers, packing, a newline after the last line, an action before each document.
 */
export async function fakeBulk(t: Test, options: FakeBulkOptions = {}): Promise<FakeBulk> {
  const store: Store = { documents: new Map(), indexes: new Set(), templates: new Map() };
  const requests: BulkRequest[] = [];
  const problems: string[] = [];
  const turns = { bulk: 0 };
  const server = createServer(async (request, response) => {
    // A client that gave up is no matter of the server.
    const body = await readBulk(request).catch(() => null);
    if (!body) return;
    const reply = replyTo(request, body, { options, store, turns });
    problems.push(...reply.problems);
    const { method = '', url: path = '', headers } = request;
    const { status, count = 0 } = reply;
    requests.push({ method, path, headers, body: body.text, count, status });
    send(response, reply, options.retryAfter ?? 1);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${options.prefix ?? ''}`, ...store, requests, problems, close };
}

interface Store {
  readonly documents: Map<string, StoredDocument>;
  readonly indexes: Set<string>;
  readonly templates: Map<string, StoredDocument>;
}

interface Asked {
  readonly options: FakeBulkOptions;
  readonly store: Store;
  readonly turns: { bulk: number };
}

interface Reply {
  /** 0 cuts the connection. */
  readonly status: number;
  readonly body?: unknown;
  /** Items of a bulk request. */
  readonly count?: number;
  readonly problems: readonly string[];
}

function replyTo(request: IncomingMessage, body: BulkBody, asked: Asked): Reply {
  const { options, store } = asked;
  const { prefix = '', authorization } = options;
  const path = (request.url ?? '').split('?')[0] ?? '';
  const wanted = typeof authorization === 'function' ? authorization() : authorization;
  if (wanted !== undefined && request.headers.authorization !== wanted) return { status: 401, body: {}, problems: [] };
  if (!path.startsWith(`${prefix}/`)) return { status: 404, body: {}, problems: [] };
  const place = path.slice(prefix.length);
  if (place === '/_bulk') return bulkReply(request, body, asked);
  const { version = { number: '8.13.4', build_flavor: 'default' } } = options;
  if (place === '/' && version) return { status: 200, body: { name: 'fake', version }, problems: [] };
  const name = /^\/_index_template\/(.+)$/.exec(place)?.[1];
  if (name === undefined) return { status: 404, body: {}, problems: [] };
  return templateReply(request, body, { name: decodeURIComponent(name), store, status: options.templateStatus });
}

function templateReply(
  request: IncomingMessage,
  body: BulkBody,
  { name, store, status }: { readonly name: string; readonly store: Store; readonly status: number | undefined },
): Reply {
  if (status !== undefined) return { status, body: { error: 'no templates for you' }, problems: [] };
  if (request.method === 'GET') return { status: store.templates.has(name) ? 200 : 404, body: {}, problems: [] };
  const problems = store.templates.has(name) ? [`the template ${name} is replaced`] : [];
  const template = JSON.parse(body.text) as StoredDocument;
  const rival = [...store.templates].find(([, other]) => isRival(template, other))?.[0];
  if (rival !== undefined) {
    const reason = `index template [${name}] has index patterns matching patterns from existing templates [${rival}] that have the same priority [${template.priority}]`;
    return { status: 400, body: { error: { type: 'illegal_argument_exception', reason } }, problems };
  }
  store.templates.set(name, template);
  return { status: 200, body: { acknowledged: true }, problems };
}

/** As Elasticsearch and OpenSearch have it: of templates that match the same names, no two have the same priority. */
function isRival(one: StoredDocument, other: StoredDocument): boolean {
  const begins = ({ index_patterns: patterns }: StoredDocument) =>
    Array.isArray(patterns) ? patterns.map((pattern) => String(pattern).replace(/\*$/, '')) : [];
  const isShared = begins(one).some((a) => begins(other).some((b) => a.startsWith(b) || b.startsWith(a)));
  return isShared && one.priority === other.priority;
}

function bulkReply(request: IncomingMessage, body: BulkBody, { options, store, turns }: Asked): Reply {
  const isProbe = body.text === '';
  const trouble = isProbe ? 'none' : (options.troubles?.[turns.bulk++] ?? 'none');
  const { actions, problems } = body.check(request);
  const count = actions.length;
  const whole = { busy: 429, unavailable: 503, refused: 400, unauthorized: 401, gone: 0 }[trouble as string];
  if (whole !== undefined)
    return { status: whole, body: { error: { type: trouble, reason: 'told so' } }, count, problems };
  if (body.bytes > (options.limit ?? Number.POSITIVE_INFINITY)) return { status: 413, count, problems };
  if (isProbe) return { status: 400, body: { error: 'request body is required' }, problems: [] };
  if (problems.length > 0) return { status: 400, body: { error: problems[0] }, count, problems };
  const end = actions.findIndex(({ json }) => options.unreadable !== undefined && json.includes(options.unreadable));
  const read = end < 0 ? actions : actions.slice(0, end);
  const items = read.map((action, index) => itemReply(action, index, { trouble, store, bad: options.bad }));
  if (trouble === 'cut') return { status: 0, count, problems };
  if (trouble === 'empty' || end >= 0) return { status: 200, count, problems };
  if (trouble === 'page') return { status: 200, body: '<!doctype html><p>Log in', count, problems };
  const told = trouble === 'fewer' ? items.slice(0, -1) : items;
  return {
    status: 200,
    body: { took: 1, errors: told.some(({ status }) => status > 299), items: told.map(shown) },
    count,
    problems,
  };
}

interface ItemReply {
  readonly id: string;
  readonly status: number;
  /** Of the error; `some_exception`, unless told. */
  readonly type?: string;
}

interface Storing {
  readonly trouble: BulkTrouble;
  readonly store: Store;
  readonly bad: string | undefined;
}

function itemReply({ index, id, document, json }: BulkAction, at: number, { trouble, store, bad }: Storing): ItemReply {
  if (trouble === 'forbidden items') return { id, status: 403 };
  if (trouble === 'no index') return { id, status: 404, type: 'index_not_found_exception' };
  if (trouble === 'busy items' || (trouble === 'half busy' && at % 2 === 0)) return { id, status: 429 };
  const inTurn = [201, 409, 400, 429][at % 4] ?? 0;
  if (trouble === 'mixed' && inTurn >= 400 && inTurn !== 409) return { id, status: inTurn };
  if (bad !== undefined && json.includes(bad)) return { id, status: 400 };
  const isThere = store.documents.has(id) || (trouble === 'mixed' && inTurn === 409);
  if (!store.documents.has(id)) store.documents.set(id, document);
  store.indexes.add(index);
  return { id, status: isThere ? 409 : 201 };
}

function shown({ id, status, type = 'some_exception' }: ItemReply): object {
  const error = status > 299 ? { error: { type, reason: `status ${status}` } } : {};
  return { create: { _id: id, status, ...error } };
}

function send(response: ServerResponse, { status, body }: Reply, retryAfter: number): void {
  if (status === 0) {
    response.socket?.destroy();
    return;
  }
  const isPage = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json',
    ...([429, 503].includes(status) && { 'retry-after': String(retryAfter) }),
  });
  response.end(body === undefined ? '' : isPage ? body : JSON.stringify(body));
}
