import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is refused: status, code and text of the answer, and elements that it has besides. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly more?: Readonly<Record<string, string>>;
}

export interface Checking {
  /** Access key to secret key. */
  readonly keys: ReadonlyMap<string, string>;
  /** The only region that is right; null takes any. */
  readonly region: string | null;
  readonly now: number;
  /** Refuses requests whose time is off by more than a quarter of an hour. */
  readonly strictTime: boolean;
}

const SKEW_MS = 15 * 60_000;
const WRONG_SIGNATURE =
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.';

/** Checks the signature (version 4) of a request as S3 does; null if it is right. */
export function refusalOf(request: IncomingMessage, checking: Checking): Refusal | null {
  const header = request.headers.authorization;
  if (header === undefined) return { status: 403, code: 'AccessDenied', message: 'Access Denied' };
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (!match) return { status: 400, code: 'AuthorizationHeaderMalformed', message: 'The header is malformed.' };
  const [, access = '', date = '', region = '', signed = '', signature] = match;
  const secret = checking.keys.get(access);
  if (secret === undefined) return unknownKey(access);
  if (checking.region !== null && checking.region !== region) return wrongRegion(region, checking.region);
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = stringToSign(request, scope, signed);
  const key = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (last, part) => createHmac('sha256', last).update(part).digest(),
    `AWS4${secret}`,
  );
  const right = createHmac('sha256', key).update(text).digest('hex') === signature;
  if (!right) return { status: 403, code: 'SignatureDoesNotMatch', message: WRONG_SIGNATURE };
  return checking.strictTime ? skewed(request, checking.now) : null;
}

function unknownKey(access: string): Refusal {
  const message = 'The AWS Access Key Id you provided does not exist in our records.';
  return { status: 403, code: 'InvalidAccessKeyId', message, more: { AWSAccessKeyId: access } };
}

function wrongRegion(found: string, wanted: string): Refusal {
  const message = `The authorization header is malformed; the region '${found}' is wrong; expecting '${wanted}'`;
  return { status: 400, code: 'AuthorizationHeaderMalformed', message, more: { Region: wanted } };
}

function skewed(request: IncomingMessage, now: number): Refusal | null {
  const given = String(request.headers['x-amz-date'] ?? '');
  const time = Date.parse(given.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (Math.abs(time - now) <= SKEW_MS) return null;
  const message = 'The difference between the request time and the current time is too large.';
  const more = {
    RequestTime: given,
    ServerTime: new Date(now).toISOString(),
    MaxAllowedSkewMilliseconds: `${SKEW_MS}`,
  };
  return { status: 403, code: 'RequestTimeTooSkewed', message, more };
}

function stringToSign(request: IncomingMessage, scope: string, signed: string): string {
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  const headers = signed.split(';').map((name) => `${name}:${headerOf(request, name)}\n`);
  const hash = String(request.headers['x-amz-content-sha256'] ?? '');
  const canonical = [request.method, path, canonicalQuery(query), headers.join(''), signed, hash].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  return ['AWS4-HMAC-SHA256', String(request.headers['x-amz-date']), scope, digest].join('\n');
}

function headerOf(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '')
    .trim()
    .replace(/ +/g, ' ');
}

function canonicalQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '');
  return pairs
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return `${encoded(name)}=${encoded(value)}`;
    })
    .toSorted()
    .join('&');
}

function encoded(text: string): string {
  return encodeURIComponent(decodeURIComponent(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
