import { givenUp, TIMEOUT } from '../timeout.ts';
import type { Seen } from './s3-answer.ts';
import { NO_KEYS } from './s3-client.ts';
import { shown } from './shown.ts';
import { type StoreError, storeError } from './store.ts';

/** A call that failed. */
export interface FailedCall {
  /** What could not be done, such as `cannot list bucket logs at s3.example.com`. */
  readonly cannot: string;
  /** The permission that the call needs. */
  readonly permission: 's3:ListBucket' | 's3:GetObject';
  readonly seen: Seen;
  readonly signal: AbortSignal;
  /** This machine's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** Refusals after which the keys should be asked for again. */
const KEY_CODES: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
]);

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['InvalidAccessKeyId', 'the access key is not known there; check it, and the endpoint'],
  ['SignatureDoesNotMatch', 'the secret key does not fit the access key; check both'],
  ['ExpiredToken', 'the session has expired; renew it'],
  ['InvalidToken', 'the session token is not valid; renew it'],
  ['TokenRefreshRequired', 'the session has expired; renew it'],
  ['NoSuchBucket', 'there is no such bucket; check its name, the endpoint and the region'],
  ['InvalidBucketName', 'no bucket can have this name; correct it'],
  ['InvalidObjectState', 'the object is archived; restore it to a class that can be read'],
  ['NotImplemented', 'the store does not know this call; check the endpoint'],
]);

/** The codes of a bucket that is somewhere else. */
const REGION_CODES: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'InvalidRegion',
]);

const NETWORK: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'the connection was refused; check the host and port of the endpoint, and that the store runs'],
  ['ENOTFOUND', 'the host is not known; check the endpoint, and whether path style is needed'],
  ['EAI_AGAIN', 'no name server could be reached; check the network'],
  ['EHOSTUNREACH', 'there is no way to the host; check the endpoint and the network'],
  ['ENETUNREACH', 'there is no way to the network of the host; check the endpoint and the network'],
  ['EPROTO', 'the answer was not TLS; check whether the endpoint is http:'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate is for another host; check the endpoint'],
  ['CERT_HAS_EXPIRED', 'the certificate has expired; renew it'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map(untrusted),
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'].map(untrusted),
]);

const REACH = 'check the endpoint and the network';

/** The error of a call that the SDK gave up. Its message is one line without secrets, of some 300 characters at most. */
export function s3Failure(error: unknown, call: FailedCall): StoreError {
  const { seen, cannot, signal } = call;
  const fail = (reason: string, kind: StoreError['kind'] = 'store') =>
    storeError(`${cannot}: ${reason}`, { kind, waitMs: seen.retryAfterMs, cause: error });
  if (signal.aborted) return fail(ended(givenUp(signal)));
  if (seen.status === null) return fail(unanswered(error));
  if (seen.status < 300 && !seen.foreign) return fail(brokenOff(error));
  if (seen.status === 412) return fail('it has changed since it was listed', 'changed');
  if (isGone(error, seen)) return fail('it is no longer there', 'gone');
  return fail(refused(error, call));
}

/** True if the keys were not accepted, so that others may have to be used. */
export function isKeyRefusal(error: unknown): boolean {
  return KEY_CODES.has(codeOf(error));
}

/** Why a body did not come to its end. */
export function brokenOff(error: unknown): string {
  const { message, code = '' } = error as NodeJS.ErrnoException;
  const isReset = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
  return `the answer broke off (${isReset ? 'the connection was closed too early' : shown(message, 120)})`;
}

function untrusted(code: string): readonly [string, string] {
  return [code, 'the certificate is not trusted; add the one that signed it as ca'];
}

function codeOf(error: unknown): string {
  const { Code, name } = error as { readonly Code?: unknown; readonly name?: unknown };
  return shown(String(Code ?? name ?? ''), 60);
}

function isGone(error: unknown, { status, foreign }: Seen): boolean {
  // What is not S3 knows nothing about objects.
  return status === 404 && !foreign && ['NoSuchKey', 'NoSuchVersion', 'NotFound'].includes(codeOf(error));
}

function ended({ name, message }: Error): string {
  return name === TIMEOUT ? `${message}; ${REACH}` : message;
}

function unanswered(error: unknown): string {
  const { name, message, code = '' } = error as NodeJS.ErrnoException;
  if (name === NO_KEYS) {
    const found = shown(message, 120);
    return `${found}; set an access key and a secret key, or give this machine a role`;
  }
  const known = NETWORK.get(code);
  if (known !== undefined) return `${known} (${code})`;
  // The SDK calls both of these timeouts.
  if (code === 'ECONNRESET' || code === 'EPIPE') return `the connection was closed without an answer (${code})`;
  if (name === 'TimeoutError') return timedOut(message);
  return shown(message, 160);
}

function timedOut(message: string): string {
  const limit = /\b([0-9]{1,9}) ms\b/.exec(message);
  return `there was no answer${limit ? ` within ${Number(limit[1]) / 1_000} s` : ''}; ${REACH}`;
}

function refused(error: unknown, call: FailedCall): string {
  const { seen } = call;
  if (seen.foreign) {
    const type = shown(seen.type, 40) || 'no type';
    return `the answer was ${seen.status} with a body (${type}) that is not of S3; check the endpoint`;
  }
  const code = codeOf(error);
  const isNamed = !['Unknown', 'UnknownError', 'Error', 'NotFound', ''].includes(code) && !/^[0-9]+$/.test(code);
  const answer = `the answer was ${seen.status}${isNamed ? ` ${code}` : ''}`;
  const advice = adviceOf(error, code, call);
  if (advice !== null) return `${answer}: ${advice}`;
  const { message } = error as Error;
  const told = message === 'UnknownError' || message === code ? '' : ` (${shown(message, 100)})`;
  return `${answer}${told}`;
}

function adviceOf(error: unknown, code: string, { seen, permission, now }: FailedCall): string | null {
  const known = ADVICE.get(code);
  if (known !== undefined) return known;
  if (code === 'RequestTimeTooSkewed') return clocks(seen, now);
  if (REGION_CODES.has(code) || seen.status === 301 || seen.status === 307) return otherRegion(error, seen);
  if (code === 'AccessDenied' || code === 'AllAccessDisabled' || code === 'Forbidden' || seen.status === 403)
    return `not allowed; give the key the permission ${permission}, and check the name of the bucket`;
  if (seen.status === 401) return 'the keys were not accepted; check the access key and the secret key';
  if (code === 'SlowDown' || seen.status === 429 || seen.status === 503)
    return 'the store is too busy; it is asked again';
  return null;
}

function clocks({ time }: Seen, now: number): string {
  const theirs = time === null ? '' : `, that of the store ${new Date(time).toISOString()}`;
  return `the clocks differ too much; that of this machine says ${new Date(now).toISOString()}${theirs}; set the wrong one`;
}

function otherRegion(error: unknown, seen: Seen): string {
  const { Region } = error as { readonly Region?: unknown };
  const region = seen.region ?? /^[a-z0-9-]{2,40}$/.exec(String(Region ?? ''))?.[0];
  return region ? `the bucket is in region ${region}; set it` : 'the region is wrong; check it, and the endpoint';
}
