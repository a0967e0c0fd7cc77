import type { ObjectStore } from './store.ts';

/** A listing to be made. */
export interface Listing {
  readonly prefix: string;
  /** Null: from the beginning. */
  readonly startAfter: string | null;
  /** Keys from this one on are not wanted; all are, if it is left out. */
  readonly until?: string;
  /** Keys in folders below the prefix are not wanted. */
  readonly flat: boolean;
  /** Keys sort by time: those before one that is old need not be looked at again. */
  readonly ordered: boolean;
}

/** What a key is: a log, with the time that it tells; a thing that lies among logs and is none; or nothing at all. */
export type Found = { readonly kind: 'log'; readonly time: number | null } | { readonly kind: 'ignored' | 'nothing' };

/** Milliseconds since 1970; `from` may be minus infinity. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where the objects of a log lie, and how their keys are built. */
export interface Plan {
  /** What all keys begin with; nothing, if it is left out. */
  readonly prefix?: string;
  /** How long after a key another one may still come that sorts before it, in milliseconds. */
  readonly lookBackMs: number;
  /** The listings that show all objects which may have been put there in a span of time, and as few others as can be. */
  listings(store: ObjectStore, span: Span, signal: AbortSignal): AsyncIterable<Listing>;
  find(key: string, size: number): Found;
}

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000;

/** `YYYY/MM/DD` of a time, in UTC. */
export function dayPath(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '/');
}
