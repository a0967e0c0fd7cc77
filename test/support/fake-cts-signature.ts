import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The two ways in which requests with an access key are signed. */
export type FakeDialect = 'credential' | 'access';

export interface SignatureRules {
  /** Access key to secret key. */
  readonly keys: ReadonlyMap<string, string>;
  /** Tokens that have to come with temporary keys. */
  readonly securityTokens: ReadonlyMap<string, string>;
  readonly dialects: ReadonlySet<FakeDialect>;
  readonly now: number;
}

/** Why a signed request is refused, in the gateway's words; null if its signature is right. */
export function signatureFault(request: IncomingMessage, body: string, rules: SignatureRules): string | null {
  const parsed = parse(String(request.headers.authorization ?? ''));
  if (!parsed) return 'Incorrect IAM authentication information: no signature';
  if (!rules.dialects.has(parsed.dialect))
    return 'Incorrect IAM authentication information: verify aksk signature fail';
  const sk = rules.keys.get(parsed.ak);
  if (sk === undefined) return `Incorrect IAM authentication information: ak ${parsed.ak} not exist`;
  const token = rules.securityTokens.get(parsed.ak);
  if (token !== undefined && request.headers['x-security-token'] !== token) return 'the security token is expired';
  if (!parsed.signed.includes('host') || !parsed.signed.includes('x-sdk-date'))
    return 'host and x-sdk-date are not signed';
  if (token !== undefined && !parsed.signed.includes('x-security-token')) return 'the security token is not signed';
  const date = String(request.headers['x-sdk-date'] ?? '');
  const time = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (!(Math.abs(time - rules.now) <= SKEW_MS)) return 'Incorrect IAM authentication information: x-sdk-date expired';
  const canonical = canonicalOf(request, body, parsed.signed);
  const right = parsed.dialect === 'access' ? signAccess(sk, date, canonical) : signCredential(sk, date, canonical);
  if (right === parsed.signature && (parsed.day === null || parsed.day === date.slice(0, 8))) return null;
  // As a gateway does: who logs this logs what was signed.
  return `Incorrect IAM authentication information: verify aksk signature fail, canonical request: ${canonical.replaceAll('\n', '|')}`;
}

const SKEW_MS = 15 * 60_000;

interface Parsed {
  readonly dialect: FakeDialect;
  readonly ak: string;
  readonly day: string | null;
  readonly signed: readonly string[];
  readonly signature: string;
}

function parse(header: string): Parsed | null {
  const found =
    /^SDK-HMAC-SHA256 (?:Access=([^/, ]+)|Credential=([^/, ]+)\/(\d{8})\/\/\/sdk_request), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (!found) return null;
  const [, access, credential, day, signed = '', signature = ''] = found;
  const dialect = access === undefined ? 'credential' : 'access';
  return { dialect, ak: access ?? credential ?? '', day: day ?? null, signed: signed.split(';'), signature };
}

function canonicalOf({ method, url = '', headers }: IncomingMessage, body: string, signed: readonly string[]): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const pairs = query.split('&').filter((pair) => pair !== '');
  return [
    method,
    path.endsWith('/') ? path : `${path}/`,
    pairs.toSorted().join('&'),
    signed.map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`).join(''),
    signed.join(';'),
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
}

function signAccess(sk: string, date: string, canonical: string): string {
  return hmac(sk, `SDK-HMAC-SHA256\n${date}\n${hash(canonical)}`).toString('hex');
}

function signCredential(sk: string, date: string, canonical: string): string {
  const day = date.slice(0, 8);
  const key = hmac(hmac(hmac(hmac(`SDK${sk}`, day), ''), ''), 'sdk_request');
  return hmac(key, `SDK-HMAC-SHA256\n${date}\n${day}///sdk_request\n${hash(canonical)}`).toString('hex');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
