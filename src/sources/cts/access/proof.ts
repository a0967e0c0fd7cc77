import type { HttpAnswer } from '../../../lib/http.ts';
import type { CtsConfig } from '../config.ts';
import type { ServiceClock } from './clock.ts';
import type { Credentials } from './credentials.ts';
import { commonFailure, type Failure, hold, keyFailure, refused, shownAnswer, type Tried } from './failure.ts';
import { type AccessKey, authorization, type Dialect, type SignedRequest, sdkDate } from './sign.ts';
import type { Asking, Transport } from './transport.ts';

/** What goes with a request to prove who sends it. */
export type Proof =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'key';
      readonly key: AccessKey & { readonly securityToken: string | null };
      readonly projectId: string | null;
    };

export interface ProverOptions {
  readonly signing: CtsConfig['auth']['signing'];
  readonly clock: ServiceClock;
  readonly transport: Transport;
}

/** A clock that was this much off makes a signature worth another try, in milliseconds. */
const SHIFT_MS = 2_000;

/** Sends requests with a proof. It remembers which way of signing was taken. */
export class Prover {
  readonly #options: ProverOptions;
  readonly #dialects = new Map<string, Dialect>();

  constructor(options: ProverOptions) {
    this.#options = options;
  }

  /** The answer of any status. With an access key, a 401 is what remains when all ways of signing were refused. */
  async send(asked: Asking, proof: Proof, { tls }: Credentials, signal: AbortSignal): Promise<Tried<HttpAnswer>> {
    const { transport, clock } = this.#options;
    // The documents of the cloud call it mandatory, for requests without a body too.
    const asking = { ...asked, headers: { 'content-type': 'application/json', ...asked.headers } };
    if (proof.kind === 'token') return transport.send(withToken(asking, proof.token), tls, signal);
    // Identity and traces may have different gateways.
    const place = `${asking.operation} ${new URL(asking.url).host}`;
    const dialects = this.#dialectsFor(place);
    for (let at = 0; ; at++) {
      const dialect = dialects[Math.min(at, dialects.length - 1)]!;
      const aheadMs = clock.aheadMs;
      let tried = await transport.send(this.#signed(asking, proof, dialect), tls, signal);
      if (isRefused(tried) && Math.abs(clock.aheadMs - aheadMs) >= SHIFT_MS) {
        // It was signed with a wrong time; now the right one is known.
        tried = await transport.send(this.#signed(asking, proof, dialect), tls, signal);
      }
      if (isRefused(tried) && at + 1 < dialects.length) continue;
      if (tried.ok && isAccepted(tried.value)) this.#remember(place, dialect);
      return tried;
    }
  }

  /** The answer with status 200; a failure for any other. */
  async ask(asking: Asking, proof: Proof, credentials: Credentials, signal: AbortSignal): Promise<Tried<HttpAnswer>> {
    const tried = await this.send(asking, proof, credentials, signal);
    return tried.ok && tried.value.status !== 200 ? this.#failure(asking, tried.value, proof) : tried;
  }

  /** What a 401 means that nothing has cured. */
  unproven(operation: Asking['operation'], answer: HttpAnswer, proof: Proof): Failure {
    const name = operation ?? 'list_traces';
    if (proof.kind === 'key') return keyFailure(name, answer, this.#options.clock.aheadMs);
    return refused(`${shownAnswer(name, answer)}: the token was refused; it has expired, or is for another project`);
  }

  #failure(asking: Asking, answer: HttpAnswer, proof: Proof): Failure {
    const name = asking.operation ?? 'list_traces';
    const common = commonFailure(name, answer, this.#options.clock.now());
    if (common) return common;
    if (answer.status === 401) return this.unproven(name, answer, proof);
    const shown = shownAnswer(name, answer);
    if (answer.status === 404) return hold(`${shown}: is the address of auth the one that ends in /v3?`);
    return hold(`${shown}: wanted a user that may ask for it; or set the id of the project and the endpoint`);
  }

  #dialectsFor(place: string): readonly Dialect[] {
    const { signing } = this.#options;
    if (signing !== 'auto') return [signing];
    const known = this.#dialects.get(place) ?? [...this.#dialects.values()].at(-1);
    return known === 'access' ? ['access', 'credential'] : ['credential', 'access'];
  }

  /** The newest is the last. */
  #remember(place: string, dialect: Dialect): void {
    this.#dialects.delete(place);
    this.#dialects.set(place, dialect);
  }

  #signed(asking: Asking, { key, projectId }: Extract<Proof, { readonly kind: 'key' }>, dialect: Dialect): Asking {
    const { host, pathname } = new URL(asking.url);
    const headers = {
      ...asking.headers,
      host,
      'x-sdk-date': sdkDate(this.#options.clock.now()),
      ...(projectId !== null && { 'x-project-id': projectId }),
      ...(key.securityToken !== null && { 'x-security-token': key.securityToken }),
    };
    const { method, query = [], body = '' } = asking;
    const request: SignedRequest = { method, path: pathname, query, headers, body };
    return { ...asking, headers: { ...headers, authorization: authorization(dialect, key, request) } };
  }
}

function withToken(asking: Asking, token: string): Asking {
  return { ...asking, headers: { ...asking.headers, 'x-auth-token': token } };
}

function isRefused(tried: Tried<HttpAnswer>): boolean {
  return tried.ok && tried.value.status === 401;
}

/** Whoever answers so has looked at the signature before. */
function isAccepted({ status }: HttpAnswer): boolean {
  return (status >= 200 && status < 300) || status === 403 || status === 404;
}
