import { createHash, createHmac } from 'node:crypto';

/** An access key with its secret. */
export interface Keys {
  readonly access: string;
  readonly secret: string;
}

export interface Signing {
  readonly method: string;
  readonly url: URL;
  readonly body: Buffer;
}

const REGION = 'us-east-1';
/** Seconds for which a signed address holds. */
const EXPIRES = 600;

/** The headers with which a request is signed (AWS signature version 4, service `s3`). */
export function signedHeaders({ method, url, body }: Signing, keys: Keys): Readonly<Record<string, string>> {
  const stamp = stampOf(new Date());
  const hash = sha256(body);
  const headers = { host: url.host, 'x-amz-content-sha256': hash, 'x-amz-date': stamp };
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const names = Object.keys(headers).join(';');
  const canonical = [method, url.pathname, queryOf(url.searchParams), lines.join(''), names, hash].join('\n');
  const credential = `${keys.access}/${scopeOf(stamp)}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature(canonical, stamp, keys)}`;
  return { ...headers, authorization };
}

/** An address that anybody may GET for ten minutes; its path is encoded already. */
export function presigned(address: string, keys: Keys): URL {
  const url = new URL(address);
  const stamp = stampOf(new Date());
  url.searchParams.set('X-Amz-Algorithm', 'AWS4-HMAC-SHA256');
  url.searchParams.set('X-Amz-Credential', `${keys.access}/${scopeOf(stamp)}`);
  url.searchParams.set('X-Amz-Date', stamp);
  url.searchParams.set('X-Amz-Expires', String(EXPIRES));
  url.searchParams.set('X-Amz-SignedHeaders', 'host');
  const query = queryOf(url.searchParams);
  const canonical = ['GET', url.pathname, query, `host:${url.host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  url.searchParams.set('X-Amz-Signature', signature(canonical, stamp, keys));
  return url;
}

function stampOf(time: Date): string {
  return time.toISOString().replace(/[-:]|\.[0-9]+/g, '');
}

function scopeOf(stamp: string): string {
  return `${stamp.slice(0, 8)}/${REGION}/s3/aws4_request`;
}

function signature(canonical: string, stamp: string, { secret }: Keys): string {
  const scope = scopeOf(stamp);
  const key = scope.split('/').reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secret}`);
  return hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')).toString('hex');
}

function queryOf(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.toSorted().join('&');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
