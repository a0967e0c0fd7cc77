/** How an action ended. */
export type Outcome = 'ok' | 'denied' | 'failed' | 'unknown';

/** Somebody or something that acts, is acted upon, or contains both. */
export interface Party {
  readonly type: string;
  readonly id: string;
  readonly name?: string;
  readonly address?: string;
}

/** A value of `Event.data`: what JSON can say. */
export type Data = string | number | boolean | null | readonly Data[] | { readonly [key: string]: Data };

/**
 * The one record that flows from every source to every writer: who did what to what, and how it ended.
 *
 * `id` is the same whenever the same thing is read again, and differs between different things: it is the key of
 * every writer. `time` is in milliseconds since 1970, as told by the origin, or the moment of reading where it tells none.
 */
export interface Event {
  readonly id: string;
  readonly time: number;
  readonly source: string;
  readonly action: string;
  readonly outcome: Outcome;
  readonly actor?: Party;
  readonly target?: Party;
  readonly scope?: Party;
  readonly data: { readonly [key: string]: Data };
}
