import type { HttpRequest } from '../../lib/http.ts';

/** Where points go; `database` chooses the end point of version 1, else that of version 2 is used. */
export interface InfluxTarget {
  /** May have a path, which is put before that of the end point. */
  readonly url: string;
  readonly org?: string;
  readonly bucket?: string;
  readonly database?: string;
}

/** Who writes: a token, or user and password. */
export type InfluxSecret =
  | { readonly token: string }
  | { readonly username: string; readonly password: string }
  | Record<string, never>;

/** The request that writes these lines. */
export function writeRequest(target: InfluxTarget, secret: InfluxSecret, lines: readonly string[]): HttpRequest {
  const authorization = authorizationOf(secret);
  return {
    method: 'POST',
    url: writeUrl(target),
    headers: { 'content-type': 'text/plain; charset=utf-8', ...(authorization && { authorization }) },
    body: lines.map((line) => `${line}\n`).join(''),
  };
}

function writeUrl({ url, org, bucket, database }: InfluxTarget): URL {
  const whole = new URL(url);
  const base = whole.pathname.replace(/\/$/, '');
  const isOld = database !== undefined;
  whole.pathname = `${base}${isOld ? '/write' : '/api/v2/write'}`;
  const names = isOld ? { db: database } : { org, bucket };
  for (const [name, value] of Object.entries(names)) if (value !== undefined) whole.searchParams.set(name, value);
  whole.searchParams.set('precision', 'ns');
  return whole;
}

function authorizationOf(secret: InfluxSecret): string | null {
  if ('token' in secret) return `Token ${secret.token}`;
  if (!('username' in secret)) return null;
  return `Basic ${Buffer.from(`${secret.username}:${secret.password}`).toString('base64')}`;
}
