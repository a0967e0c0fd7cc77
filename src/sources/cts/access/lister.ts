import type { HttpAnswer } from '../../../lib/http.ts';
import type { CtsSettings } from '../settings.ts';
import type { Place, TracePage, TraceQuery } from './client.ts';
import type { ServiceClock } from './clock.ts';
import { again, commonFailure, done, errorCode, type Failure, hold, shownAnswer, type Tried } from './failure.ts';
import { APIS, type Api, decodePage, listRequest, PAGE_LIMIT } from './page.ts';
import type { Prover } from './proof.ts';
import type { Session } from './session.ts';
import type { SignIn } from './sign-in.ts';

export interface ListerOptions {
  readonly settings: CtsSettings;
  readonly clock: ServiceClock;
  readonly prover: Prover;
  readonly signIn: SignIn;
  readonly onError: (text: string) => void;
}

type Listed = TracePage | { readonly undecodable: string };

/** After so many answers that cannot be read there is no point in asking for the same again. */
const UNDECODABLE_TRIES = 5;

/** Asks for pages. It finds out which version of the API there is. */
export class Lister {
  readonly #options: ListerOptions;
  /** Null until one has answered. */
  #api: Api | null = null;

  constructor(options: ListerOptions) {
    this.#options = options;
  }

  /** Tries for one page, to be called until one succeeds. */
  begin(query: TraceQuery): (signal: AbortSignal) => Promise<Tried<Listed>> {
    let unread = 0;
    return async (signal) => {
      const tried = await this.#answer(query, signal);
      if (!tried.ok) return tried;
      const answer = tried.value;
      const decoded = decodePage(answer);
      const shown = shownAnswer('list_traces', answer);
      if ('foreign' in decoded) return again(`${shown}: ${decoded.foreign}`);
      if ('items' in decoded) {
        const { items, marker } = decoded;
        const bytes = Buffer.byteLength(answer.text);
        return done({ items, marker, at: this.#options.clock.now(), bytes, limit: PAGE_LIMIT });
      }
      unread += 1;
      if (unread < UNDECODABLE_TRIES) return again(`${shown}: ${decoded.undecodable}`);
      this.#options.onError(`${shown}: ${decoded.undecodable}`);
      return done({ undecodable: `${shown}: ${decoded.undecodable}, in ${UNDECODABLE_TRIES} answers` });
    };
  }

  /** An answer with status 200. */
  async #answer(query: TraceQuery, signal: AbortSignal): Promise<Tried<HttpAnswer>> {
    const opened = await this.#options.signIn.session(signal);
    if (!opened.ok) return opened;
    const first = await this.#ask(opened.value, query, signal);
    if (!first.ok || first.value.status !== 401) return this.#judge(first, opened.value);
    const refusal = this.#options.prover.unproven('list_traces', first.value, opened.value.proof);
    const renewed = await this.#options.signIn.renewed(opened.value, signal);
    if (renewed === null) return refusal;
    if (!renewed.ok) {
      this.#options.onError(refusal.text);
      return renewed;
    }
    const second = await this.#ask(renewed.value, query, signal);
    if (!second.ok || second.value.status !== 401) return this.#judge(second, renewed.value);
    this.#options.onError(refusal.text);
    this.#options.signIn.drop();
    const { text } = this.#options.prover.unproven('list_traces', second.value, renewed.value.proof);
    // A password was taken a moment ago, so no account gets locked by trying again.
    return renewed.value.credentials.method.kind === 'password'
      ? { ...again(text), final: true }
      : { ...refusal, text };
  }

  /** Asks in the version that is known to be there, else in one after the other. */
  async #ask(
    { proof, credentials, place }: Session,
    query: TraceQuery,
    signal: AbortSignal,
  ): Promise<Tried<HttpAnswer>> {
    const { settings, prover } = this.#options;
    const configured = settings.api === 'auto' ? null : settings.api;
    const known = this.#api ?? configured;
    const versions: readonly Api[] = known ? [known] : APIS;
    for (let at = 0; ; at++) {
      const api = versions[at]!;
      const tried = await prover.send(listRequest(query, place, api, settings.tracker), proof, credentials, signal);
      if (!tried.ok) return tried;
      if (tried.value.status === 200) this.#api = api;
      if (!isUnpublished(tried.value) || at + 1 === versions.length) return tried;
    }
  }

  #judge(tried: Tried<HttpAnswer>, { place }: Session): Tried<HttpAnswer> {
    if (!tried.ok || tried.value.status === 200) return tried;
    return listFailure(tried.value, place, this.#options);
  }
}

/** The gateway knows no such API; the service itself has codes of its own. */
function isUnpublished(answer: HttpAnswer): boolean {
  return answer.status === 404 && !errorCode(answer).startsWith('CTS.');
}

function listFailure(answer: HttpAnswer, { base }: Place, { settings, clock }: ListerOptions): Failure {
  const common = commonFailure('list_traces', answer, clock.now());
  if (common) return common;
  const shown = shownAnswer('list_traces', answer);
  const { status } = answer;
  if (status === 403) return hold(`${shown}: wanted a user with the permission CTS ReadOnlyAccess for the project`);
  if (status === 404 && isUnpublished(answer)) {
    const what = settings.api === 'auto' ? 'no version of the API' : `no API ${settings.api}`;
    return hold(`${shown}: there is ${what} at ${base}; check endpoint and region`);
  }
  if (status === 404)
    return hold(`${shown}: found no tracker ${JSON.stringify(settings.tracker)}, wanted one that exists`);
  if (status >= 200 && status < 300) return again(shown);
  return hold(shown);
}
