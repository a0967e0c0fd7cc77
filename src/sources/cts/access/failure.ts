import { type HttpAnswer, retryAfterMs } from '../../../lib/http.ts';
import { isObject, objectAt, parseJson, textAt } from '../../../lib/json-value.ts';

/** What a request is for; a label of `cts_api_requests_total`. */
export type Operation = 'auth_token' | 'list_projects' | 'catalog' | 'list_traces';

/** What came of a try. */
export type Tried<T> = { readonly ok: true; readonly value: T } | Failure;

/** A try that failed. */
export interface Failure {
  readonly ok: false;
  /** `again`: it may pass; `hold`: until a person has changed something; `refused`: so too, and accounts get locked. */
  readonly kind: 'again' | 'hold' | 'refused';
  /** Who does not go on for ever need not try again. */
  readonly final: boolean;
  /** One line: what was asked, what came, and what was wanted. Nothing of a body, and no secret. */
  readonly text: string;
  /** The least that the far end wants to be left alone, in milliseconds. */
  readonly atLeastMs: number | null;
}

export function done<T>(value: T): Tried<T> {
  return { ok: true, value };
}

/** It may pass by itself. */
export function again(text: string, atLeastMs: number | null = null): Failure {
  return { ok: false, kind: 'again', final: false, text, atLeastMs };
}

/** It will not pass by itself. */
export function hold(text: string): Failure {
  return { ok: false, kind: 'hold', final: true, text, atLeastMs: null };
}

/** Whoever signs in is not let in. */
export function refused(text: string): Failure {
  return { ok: false, kind: 'refused', final: true, text, atLeastMs: null };
}

/** An answer that is not what was asked for, in words: status, code of the error, and id of the request. */
export function shownAnswer(operation: Operation, answer: HttpAnswer): string {
  const code = errorCode(answer);
  const id = answer.headers['x-request-id'];
  const isPlain = typeof id === 'string' && /^[A-Za-z0-9._:-]{1,100}$/.test(id);
  return `${operation}: HTTP ${answer.status}${code ? ` ${code}` : ''}${isPlain ? ` (request ${id})` : ''}`;
}

/** `error_code` of an answer; empty if there is none that looks like one. */
export function errorCode({ text }: Pick<HttpAnswer, 'text'>): string {
  const body = parseJson(text.slice(0, ERROR_LIMIT));
  const code = isObject(body) ? textAt(body, 'error_code') || textAt(objectAt(body, 'error'), 'code') : '';
  return /^[A-Za-z][A-Za-z0-9._-]{0,40}$/.test(code) ? code : '';
}

/** What is the same for each request: an answer that asks for patience, or sends elsewhere. Null for all others. */
export function commonFailure(operation: Operation, answer: HttpAnswer, now: number): Failure | null {
  const { status, headers } = answer;
  const shown = shownAnswer(operation, answer);
  if (status === 429 || status === 408 || status === 425 || status >= 500) {
    const told = Date.parse(headers.date ?? '');
    return again(shown, retryAfterMs(headers['retry-after'], Number.isNaN(told) ? now : told));
  }
  if (status >= 300 && status < 400)
    return hold(`${shown}: it leads elsewhere, where nobody signs in; is the address right?`);
  return null;
}

/** Why a password was refused. What the answer says is only looked through for words, and not repeated. */
export function passwordFailure(answer: HttpAnswer, project: string): Failure {
  const shown = shownAnswer('auth_token', answer);
  const said = wordsOf(answer);
  const known = answer.status === 404 ? said.includes('project') : true;
  if (!known) return hold(`${shown}: is the address the one that ends in /v3?`);
  if (/disabled|not enabled|suspended|frozen/.test(said))
    return refused(`${shown}: the user or the account is disabled`);
  if (/\block/.test(said)) return refused(`${shown}: the user or the account is locked`);
  if (said.includes('domain in project'))
    return refused(`${shown}: here a project is known by its id alone; wanted the 32 hex digits of ${project}`);
  if (/project/.test(said)) return refused(`${shown}: the project ${project} is not known, or not open to the user`);
  if (/expired/.test(said)) return refused(`${shown}: the password has expired`);
  if (answer.status === 401) {
    // Keystone itself says no more than this of a project that is not open to the user, either.
    const wish = 'wanted a user, domain and password that the cloud knows, and a project that is open to the user';
    return refused(`${shown}: wrong name or password; ${wish}`);
  }
  if (answer.status === 403) return refused(`${shown}: the user may not sign in with a password; is it disabled?`);
  return refused(`${shown}: wanted a user, domain, password and project that the cloud knows`);
}

/** Why a signature was refused. */
export function keyFailure(operation: Operation, answer: HttpAnswer, aheadMs: number): Failure {
  const shown = shownAnswer(operation, answer);
  const said = wordsOf(answer);
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const clock = seconds > 60 ? `; the clock here differs from that of the service by ${seconds} s` : '';
  if (/expire/.test(said)) return refused(`${shown}: the access key, or its security token, has expired${clock}`);
  if (/not exist|not found|no such|unknown/.test(said)) return refused(`${shown}: the access key is not known${clock}`);
  return refused(`${shown}: the signature was refused; wanted an ak and sk that belong together${clock}`);
}

const ERROR_LIMIT = 64 * 1024;

function wordsOf({ text }: HttpAnswer): string {
  return text.slice(0, 4_096).toLowerCase();
}
