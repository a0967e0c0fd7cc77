import type { HttpRequest } from '../../lib/http.ts';

/** Who writes: a key as the server shows it (base64), or user and password, or nobody in particular. */
export type BulkSecret =
  | { readonly apiKey: string }
  | { readonly username: string; readonly password: string }
  | Record<string, never>;

/** The request that sends such a body. */
export function bulkRequest(url: string, secret: BulkSecret, body: string): HttpRequest {
  return {
    method: 'POST',
    url: endpoint(url, '_bulk'),
    headers: { 'content-type': 'application/x-ndjson', ...authorizationOf(secret) },
    body,
  };
}

/** A request about the server (`''`) or its templates. */
export function serverRequest(url: string, secret: BulkSecret, path: string, body?: string): HttpRequest {
  const headers = { accept: 'application/json', ...authorizationOf(secret) };
  const request = { url: endpoint(url, path), headers };
  if (body === undefined) return { method: 'GET', ...request };
  return { method: 'PUT', ...request, headers: { ...headers, 'content-type': 'application/json' }, body };
}

/** The address of an end point below `url`, whose path and query stay; without a scheme (`host:9200`) it is `http`. */
export function endpoint(url: string, path: string): URL {
  const whole = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`);
  whole.pathname = `${whole.pathname.replace(/\/$/, '')}/${path}`;
  return whole;
}

function authorizationOf(secret: BulkSecret): Readonly<Record<string, string>> {
  if ('apiKey' in secret) return { authorization: `ApiKey ${secret.apiKey}` };
  if (!('username' in secret)) return {};
  return { authorization: `Basic ${Buffer.from(`${secret.username}:${secret.password}`).toString('base64')}` };
}
