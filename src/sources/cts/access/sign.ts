import { createHash, createHmac } from 'node:crypto';

/** How a request is signed: what the clients of this cloud send, and what those of its elder relative do. */
export type Dialect = 'credential' | 'access';

/** An access key. */
export interface AccessKey {
  readonly ak: string;
  readonly sk: string;
}

/** A request as it is sent. */
export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded or not. */
  readonly path: string;
  /** Not encoded. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** All that are signed, `host` and `x-sdk-date` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The `Authorization` header of a request. Source: the signers of gophertelekomcloud and huaweicloud-sdk. */
export function authorization(dialect: Dialect, { ak, sk }: AccessKey, request: SignedRequest): string {
  const text = stringToSign(dialect, request);
  const signed = signedNames(request).join(';');
  if (dialect === 'access') {
    return `${ALGORITHM} Access=${ak}, SignedHeaders=${signed}, Signature=${mac(sk, text).toString('hex')}`;
  }
  const day = dateOf(request).slice(0, 8);
  // Region and service are part of the chain, and empty.
  const key = [day, '', '', 'sdk_request'].reduce<string | Buffer>((last, part) => mac(last, part), `SDK${sk}`);
  const signature = mac(key, text).toString('hex');
  return `${ALGORITHM} Credential=${ak}/${day}///sdk_request, SignedHeaders=${signed}, Signature=${signature}`;
}

/** The request in the one form of which both sides take the hash. */
export function canonicalRequest(request: SignedRequest): string {
  const headers = lowerCase(request.headers);
  const names = signedNames(request);
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    names.map((name) => `${name}:${headers.get(name)}\n`).join(''),
    names.join(';'),
    sha256(request.body),
  ].join('\n');
}

/** What the signature is made of. */
export function stringToSign(dialect: Dialect, request: SignedRequest): string {
  const date = dateOf(request);
  const scope = dialect === 'credential' ? [`${date.slice(0, 8)}///sdk_request`] : [];
  return [ALGORITHM, date, ...scope, sha256(canonicalRequest(request))].join('\n');
}

/** The time of a signature, `YYYYMMDDTHHMMSSZ`. */
export function sdkDate(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** Percent-encoded but for `A-Z a-z 0-9 - _ . ~`. */
export function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A query as it is sent, in the order that is given. */
export function queryText(query: SignedRequest['query']): string {
  return query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
}

const ALGORITHM = 'SDK-HMAC-SHA256';

function canonicalPath(path: string): string {
  const whole = path.split('/').map((segment) => encoded(decoded(segment)));
  return path.endsWith('/') ? whole.join('/') : `${whole.join('/')}/`;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function canonicalQuery(query: SignedRequest['query']): string {
  const pairs = query.map(([name, value]) => [encoded(name), encoded(value)] as const);
  return pairs
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join('='))
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lowerCase(headers: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim().split(/\s+/).join(' ')]),
  );
}

function signedNames({ headers }: SignedRequest): readonly string[] {
  return [...lowerCase(headers).keys()].toSorted(compare);
}

function dateOf({ headers }: SignedRequest): string {
  return lowerCase(headers).get('x-sdk-date') ?? '';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function mac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
