import type { Place } from './client.ts';
import type { Credentials } from './credentials.ts';
import { done, type Tried } from './failure.ts';
import { type Session, type SignInOptions, signIn, tryCredentials } from './session.ts';

export interface KeeperOptions extends SignInOptions {
  readonly onError: (text: string) => void;
}

/** A renewal that failed is tried again after this, or when the token is refused. */
const RENEW_AGAIN_MS = 60_000;
const LONGEST_MS = 900_000;

/** Keeps somebody signed in: it renews tokens before they die, and reads secrets again once they are refused. */
export class SignIn {
  readonly #options: KeeperOptions;
  #session: Session | null = null;
  #place: Place | null = null;
  #renewals = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Where traces are asked for, once it is known; it stays the same. */
  get place(): Place | null {
    return this.#place;
  }

  /** A session that should be good. One whose token may die soon is renewed, and used on if that fails. */
  async session(signal: AbortSignal): Promise<Tried<Session>> {
    const { clock, onError } = this.#options;
    const old = this.#session;
    if (old && clock.now() < old.renewAt) return done(old);
    const tried = await this.#signIn(signal);
    if (tried.ok || !old || clock.now() >= old.expiresAt || signal.aborted) return tried;
    onError(tried.text);
    const waitMs = Math.min(LONGEST_MS, RENEW_AGAIN_MS * 2 ** Math.min(this.#renewals++, 10));
    this.#session = { ...old, renewAt: clock.now() + waitMs };
    return done(this.#session);
  }

  /**
   * The proof of this session was refused: another one, if there may be a better one; null if there is none, as the same
   * secrets would be refused again.
   */
  async renewed({ credentials }: Session, signal: AbortSignal): Promise<Tried<Session> | null> {
    this.#session = null;
    if (credentials.method.kind === 'password') return this.#signIn(signal);
    const read = await tryCredentials(this.#options);
    if (!read.ok || isSame(read.value, credentials)) return null;
    return this.#signInAs(read.value, signal);
  }

  /** What was signed in is of no more use. */
  drop(): void {
    this.#session = null;
  }

  async #signIn(signal: AbortSignal): Promise<Tried<Session>> {
    const read = await tryCredentials(this.#options);
    if (!read.ok) return read;
    const tried = await this.#signInAs(read.value, signal);
    if (tried.ok || tried.kind !== 'refused') return tried;
    // The secret may have been replaced just now.
    const second = await tryCredentials(this.#options);
    if (!second.ok || isSame(second.value, read.value)) return tried;
    this.#options.onError(tried.text);
    return this.#signInAs(second.value, signal);
  }

  async #signInAs(credentials: Credentials, signal: AbortSignal): Promise<Tried<Session>> {
    const tried = await signIn(credentials, this.#place, this.#options, signal);
    if (!tried.ok) return tried;
    this.#session = tried.value;
    this.#place ??= tried.value.place;
    this.#renewals = 0;
    return tried;
  }
}

/** Whether two readings gave the same. */
function isSame(a: Credentials, b: Credentials): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
