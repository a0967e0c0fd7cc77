import type { Finding } from '../../core/source.ts';
import { type HttpAnswer, shownUrl } from '../../lib/http.ts';
import { isObject, parseJson } from '../../lib/json-value.ts';
import { type Connection, type Send, strangeAnswer } from '../connection.ts';
import { explained } from '../hints.ts';
import { reasonIn } from './answer.ts';
import type { BulkTarget, ElasticsearchConfig } from './config.ts';
import { type BulkSecret, bulkRequest, endpoint, serverRequest } from './request.ts';
import { type Server, serverOf } from './template.ts';
import { templatePath } from './templates.ts';

export interface BulkCheck {
  readonly config: Pick<ElasticsearchConfig, 'template' | 'documents'>;
  /** Throws if nothing says where documents go. */
  readonly target: () => BulkTarget;
  readonly connection: Connection<BulkSecret>;
  readonly signal: AbortSignal;
}

/** For `doctor`: the server, what the user may write, the index template. Nothing is stored or changed. */
export async function* checkElasticsearch(check: BulkCheck): AsyncGenerator<Finding> {
  const { config, connection, signal } = check;
  try {
    const target = check.target();
    const send = await connection.prepare(signal);
    const { finding, server } = await checkServer(target, send);
    yield finding;
    if (!finding.ok || server.kind === 'other') return;
    yield await checkIndex(target, server, send);
    if (config.template !== false && (config.template !== 'auto' || config.documents === 'event')) {
      yield await checkTemplate(target, send);
    }
  } catch (error) {
    yield { ok: false, detail: explained(error) };
  } finally {
    connection.close();
  }
}

const OTHER: Server = serverOf('');

interface Found {
  readonly finding: Finding;
  readonly server: Server;
}

async function checkServer({ url }: BulkTarget, send: Send<BulkSecret>): Promise<Found> {
  const at = shownUrl(endpoint(url, ''));
  const answer = await send((secret) => serverRequest(url, secret, ''));
  const wrong = whatIsWrong(answer);
  if (wrong !== null) return { finding: { ok: false, detail: `${at}: ${wrong}` }, server: OTHER };
  // Who may only write does not see what the server is.
  if (answer.status === 403) {
    const server = { ...OTHER, kind: 'elasticsearch' } as const;
    return { finding: { ok: true, detail: `${at}: the user is known, and may not see the version` }, server };
  }
  const server = serverOf(answer.status === 200 ? answer.text : '');
  if (server.kind !== 'other') {
    const name = server.kind === 'opensearch' ? 'OpenSearch' : 'Elasticsearch';
    return { finding: { ok: true, detail: `${at}: ${name} ${server.major}.${server.minor}` }, server };
  }
  return { finding: await checkBulk(url, send), server };
}

/** Of a server that does not say what it is: whether it has the end point. A body of nothing holds no document. */
async function checkBulk(url: string, send: Send<BulkSecret>): Promise<Finding> {
  const answer = await send((secret) => bulkRequest(url, secret, ''));
  const at = shownUrl(endpoint(url, '_bulk'));
  const wrong = whatIsWrong(answer);
  if (wrong !== null) return { ok: false, detail: `${at}: ${wrong}` };
  // 400: a body is wanted.
  if (answer.status < 300 || answer.status === 400) {
    return { ok: true, detail: `${at}: bulk requests are answered; the server does not say which version it is` };
  }
  if (answer.status === 403) return { ok: false, detail: `${at}: HTTP 403; wanted a user that may write` };
  const wish = 'wanted a server that takes bulk requests; does url lack a path, such as /insert/elasticsearch?';
  return { ok: false, detail: `${at}: HTTP ${answer.status}; ${wish}` };
}

function whatIsWrong(answer: HttpAnswer): string | null {
  const { status } = answer;
  const strange = strangeAnswer(answer);
  if (strange !== null) return strange;
  if (status === 401) return 'HTTP 401; wanted a username and password, or an api_key, that the server knows';
  if (status === 408 || status === 429 || status >= 500) return `HTTP ${status}; it is there, but cannot answer now`;
  return null;
}

/** Whether the user may write, where the server has such a question; others are believed to let everybody write. */
async function checkIndex({ url, index }: BulkTarget, server: Server, send: Send<BulkSecret>): Promise<Finding> {
  if (index !== index.toLowerCase()) {
    return {
      ok: false,
      detail: `index: found ${JSON.stringify(index)}, wanted no capitals, as the server refuses them`,
    };
  }
  if (server.kind === 'elasticsearch') {
    const wanted = { index: [{ names: [index], privileges: ['create_doc', 'auto_configure'] }] };
    const path = '_security/user/_has_privileges';
    const body = JSON.stringify(wanted);
    const { status, text } = await send((secret) => ({ ...serverRequest(url, secret, path, body), method: 'POST' }));
    const told = parseJson(text);
    if (status === 200 && isObject(told) && told.has_all_requested === false) {
      const wish = 'wanted a user or key with the index privileges create_doc and auto_configure';
      return { ok: false, detail: `index ${index}: it may not be written to; ${wish}` };
    }
  }
  return { ok: true, detail: `index ${index}: nothing speaks against writing to it` };
}

async function checkTemplate({ url, index }: BulkTarget, send: Send<BulkSecret>): Promise<Finding> {
  const { status, text } = await send((secret) => serverRequest(url, secret, templatePath(index)));
  if (status === 200) return { ok: true, detail: `index template ${index}: it is there, and is left as it is` };
  if (status === 404) return { ok: true, detail: `index template ${index}: it will be put with the first event` };
  const wish = 'wanted a user with the cluster privilege manage_index_templates, or `template: false`';
  return { ok: false, detail: `index template ${index}: HTTP ${status}${reasonIn(text)}; ${wish}` };
}
