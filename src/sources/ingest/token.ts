import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PushedHead } from '../../core/receiver.ts';
import { readSecret, type SecretSource } from '../../lib/secrets.ts';

export interface TokenOptions {
  /** Null: nothing has to be shown. */
  readonly token: SecretSource | null;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
}

/** A token that was refused may be a new one: then where it is kept is read again, at most so often, in milliseconds. */
const AGAIN_MS = 1_000;

/** Says whether one of the tokens that a request shows is the right one; rejects if the right one cannot be read. */
export function tokenCheck({ token, env, now }: TokenOptions): (shown: readonly string[]) => Promise<boolean> {
  if (token === null) return async () => true;
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  let known: Buffer | null = null;
  let read = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  /** Those who come while it is read share that. */
  function readAgain(): Promise<void> {
    read = now();
    reading ??= readSecret(token ?? '', env)
      .then((text) => {
        known = digest(text);
      })
      .finally(() => (reading = null));
    return reading;
  }

  // Digests are of one length, so that the comparison tells nothing of the right one.
  const fits = (shown: readonly string[]) =>
    known !== null && shown.some((one) => timingSafeEqual(digest(one), known!));

  return async (shown) => {
    if (known === null) await readAgain();
    if (fits(shown)) return true;
    if (shown.length === 0 || typeof token === 'string' || Math.abs(now() - read) < AGAIN_MS) return false;
    await readAgain();
    return fits(shown);
  };
}

/**
 * What a request shows: `Authorization: Bearer TOKEN`, and `?token=TOKEN` for senders that cannot set a header; a `+` in that
 * means itself, too, as it stands in base64 and few would write it as `%2B`.
 */
export function shownTokens({ headers, query }: PushedHead): readonly string[] {
  const { authorization } = headers;
  const bearer = typeof authorization === 'string' ? /^bearer +(.+)$/i.exec(authorization)?.[1]?.trim() : undefined;
  const given = query.getAll('token').slice(0, 1);
  const plus = given.filter((token) => token.includes(' ')).map((token) => token.replaceAll(' ', '+'));
  return [...(bearer === undefined ? [] : [bearer]), ...given, ...plus];
}
