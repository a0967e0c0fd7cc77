import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type CtsAnswer, type CtsFault, ctsError, jsonAnswer, sendAnswer } from './fake-cts-faults.ts';
import { type Asked, type CloudFacts, cloudFacts, FakeIdentity } from './fake-cts-identity.ts';
import { type Holding, TraceStore } from './fake-cts-store.ts';

export type { CtsFault } from './fake-cts-faults.ts';
export { ctsError, strange, tooMany } from './fake-cts-faults.ts';

/** What a request is for. */
export type CtsKind = 'auth_token' | 'list_projects' | 'catalog' | 'list_traces' | 'other';

/** A request for a page, as it came in. */
export interface ListedQuery {
  readonly api: string;
  readonly from: number;
  readonly to: number;
  readonly next: string | null;
  readonly limit: number;
  readonly tracker: string;
  /** All parameters. */
  readonly query: URLSearchParams;
  /** The service's clock. */
  readonly at: number;
  /** Status of the right answer, whatever a fault made of it. */
  readonly status: number;
}

export interface FakeCtsOptions {
  /** The service's clock, for `Date`, tokens, signatures and what is visible. */
  readonly now?: () => number;
  readonly facts?: Partial<CloudFacts>;
  /** Which versions there are: `v3`, `v2.0`, `v1.0`. */
  readonly apis?: readonly string[];
  readonly filterBy?: 'record_time' | 'time';
  readonly nextBy?: 'position' | 'stamp';
  readonly markerOnLast?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Any free one, if left out. */
  readonly port?: number;
}

/**
 * Open Telekom Cloud as far as traces need it, over HTTP: Keystone at `/v3`, the Cloud Trace Service beside it. All
 * fields may be changed while it runs.
 */
export class FakeCts {
  readonly facts: CloudFacts;
  readonly store = new TraceStore();
  readonly identity: FakeIdentity;
  now: () => number;
  apis: ReadonlySet<string>;
  nextBy: 'position' | 'stamp';
  markerOnLast: boolean;
  /** Whether answers tell the time. */
  tellsTime = true;
  /** Whether the user may list traces. */
  isAllowed = true;
  /** The only trackers there are. */
  trackers: ReadonlySet<string> = new Set(['system']);
  /** Asked before each request, after the faults that wait; for what goes wrong by chance. */
  chance: ((kind: CtsKind, query: ListedQuery | null) => CtsFault | null) | null = null;
  /** Requests so far. */
  readonly counts = new Map<CtsKind, number>();
  /** Requests for pages so far, oldest first. */
  readonly queries: ListedQuery[] = [];
  readonly #faults: { readonly on: CtsKind | 'any'; readonly fault: CtsFault }[] = [];
  readonly #server: Server;
  #isTls: boolean;

  constructor(options: FakeCtsOptions = {}) {
    this.facts = { ...cloudFacts(), ...options.facts };
    this.identity = new FakeIdentity(this.facts);
    this.now = options.now ?? Date.now;
    this.apis = new Set(options.apis ?? ['v3', 'v2.0', 'v1.0']);
    this.store.by = options.filterBy ?? 'record_time';
    this.nextBy = options.nextBy ?? 'position';
    this.markerOnLast = options.markerOnLast ?? false;
    const listener: RequestListener = (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined);
      });
    };
    const limits = { maxHeaderSize: 512 * 1024 };
    this.#isTls = options.tls !== undefined;
    this.#server = options.tls
      ? createTlsServer({ ...limits, ...options.tls }, listener)
      : createServer(limits, listener);
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Address of the service: what `endpoint` takes. */
  get url(): string {
    return `${this.#isTls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** Address of Keystone. */
  get authUrl(): string {
    return `${this.url}/v3`;
  }

  /** `auth` of a configuration that signs in with the password. */
  get auth(): Readonly<Record<string, string>> {
    const { userName, password, domainName, projectName } = this.facts;
    return { url: this.authUrl, username: userName, password, user_domain: domainName, project: projectName };
  }

  /** `auth` of a configuration that signs with the access key. */
  get keyAuth(): Readonly<Record<string, string>> {
    const [ak = '', sk = ''] = [...this.facts.keys][0] ?? [];
    return { url: this.authUrl, ak, sk, project: this.facts.projectName };
  }

  add(trace: Readonly<Record<string, unknown>>, holding?: Holding): void {
    this.store.add(trace, holding);
  }

  /** These go wrong with the coming requests of this kind, one with each. */
  fail(on: CtsKind | 'any', ...faults: readonly CtsFault[]): void {
    this.#faults.push(...faults.map((fault) => ({ on, fault })));
  }

  /** Faults that no request has met yet. */
  get waiting(): number {
    return this.#faults.length;
  }

  count(kind: CtsKind): number {
    return this.counts.get(kind) ?? 0;
  }

  /** All tokens die at once. */
  revokeTokens(): void {
    this.identity.revoke();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '/', this.url);
    const asked: Asked = { request, body, query: url.searchParams, origin: this.url, now: this.now() };
    const { kind, answer, listed } = this.#answer(url.pathname, asked);
    this.counts.set(kind, this.count(kind) + 1);
    if (listed) this.queries.push(listed);
    response.sendDate = false;
    if (this.tellsTime) response.setHeader('date', new Date(asked.now).toUTCString());
    response.setHeader('x-request-id', `req-${this.counts.get(kind)}`);
    sendAnswer(response, answer, this.#takeFault(kind) ?? this.chance?.(kind, listed) ?? null);
  }

  #takeFault(kind: CtsKind): CtsFault | null {
    const at = this.#faults.findIndex(({ on }) => on === kind || on === 'any');
    return at < 0 ? null : this.#faults.splice(at, 1)[0]!.fault;
  }

  #answer(path: string, asked: Asked): { kind: CtsKind; answer: CtsAnswer; listed: ListedQuery | null } {
    const { method } = asked.request;
    const plain = (kind: CtsKind, answer: CtsAnswer) => ({ kind, answer, listed: null });
    if (path === '/v3/auth/tokens' && method === 'POST') return plain('auth_token', this.identity.token(asked));
    if (path === '/v3/projects' && method === 'GET') return plain('list_projects', this.identity.projects(asked));
    if (path === '/v3/auth/catalog' && method === 'GET') return plain('catalog', this.identity.catalog(asked));
    const [, api = '', project = '', third = '', fourth = '', ...rest] = path.split('/');
    const isNew = api === 'v3' && third === 'traces' && fourth === '';
    const isOld = (api === 'v2.0' || api === 'v1.0') && fourth === 'trace';
    if (method !== 'GET' || rest.length > 0 || !(isNew || isOld)) return plain('other', errorAnswer(404, 'APIGW.0101'));
    const tracker = isNew ? (asked.query.get('tracker_name') ?? 'system') : third;
    const place = { api, project, tracker };
    const answer = this.#list(place, asked);
    const { query, now: at } = asked;
    const [from, to, limit] = ['from', 'to', 'limit'].map((name) => Number(query.get(name))) as [
      number,
      number,
      number,
    ];
    const next = query.get('next');
    return {
      kind: 'list_traces',
      answer,
      listed: { ...place, from, to, limit, next, query, at, status: answer.status },
    };
  }

  #list({ api, project, tracker }: { api: string; project: string; tracker: string }, asked: Asked): CtsAnswer {
    if (!this.apis.has(api)) return errorAnswer(404, 'APIGW.0101');
    const fault = this.identity.refusal(asked);
    if (fault !== null) return errorAnswer(401, 'APIGW.0301', fault);
    const named = asked.request.headers['x-project-id'];
    if (project !== this.facts.projectId || (named !== undefined && named !== project))
      return errorAnswer(403, 'CTS.0002');
    if (!this.isAllowed) return errorAnswer(403, 'CTS.0013');
    if (!this.trackers.has(tracker)) return errorAnswer(404, 'CTS.0214');
    const { query, now } = asked;
    const [from, to] = [query.get('from'), query.get('to')];
    const limit = query.get('limit') ?? (api === 'v3' ? '10' : '50');
    if (api === 'v3' && query.get('trace_type') !== 'system') return errorAnswer(400, 'CTS.0300');
    const isRight = [from, to].every((time) => /^[0-9]{13}$/.test(time ?? '')) && Number(from) <= Number(to);
    if (!isRight || !/^[0-9]{1,3}$/.test(limit) || Number(limit) > 200) return errorAnswer(400, 'CTS.0300');
    const page = this.store.page(
      { from: Number(from), to: Number(to), next: query.get('next'), limit: Number(limit) },
      { now, nextBy: this.nextBy, markerOnLast: this.markerOnLast, isOld: api !== 'v3' },
    );
    return page === null ? errorAnswer(400, 'CTS.0300') : jsonAnswer(200, page);
  }
}

/** Starts a fake cloud that ends with the test. */
export async function startFakeCts(t: Test, options: FakeCtsOptions = {}): Promise<FakeCts> {
  const fake = new FakeCts(options);
  await fake.listen(options.port);
  t.teardown(() => fake.close());
  return fake;
}

function errorAnswer(status: number, code: string, message?: string): CtsAnswer {
  const fault = ctsError(status, code, message);
  return jsonAnswer(status, 'body' in fault ? fault.body : '');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
