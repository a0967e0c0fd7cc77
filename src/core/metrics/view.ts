import type { Negotiated } from './negotiate.ts';
import type { Collection } from './scrape.ts';

/** How an exposition is to look. */
export type View = Pick<Negotiated, 'format' | 'escaping'>;

/** What an exposition shows. */
export interface ExpositionOptions {
  readonly view: View;
  /** Whose collection this is, for what is kept per scraper. */
  readonly collection: Collection;
  /** Series that did not change for so long, and were shown as they are, are left out, in milliseconds; 0 shows all. */
  readonly idleMs: number;
  readonly now: number;
  /** Text of further metrics, each line ended, to stand before the end. There is none in protobuf. */
  readonly more?: string;
}

/**
 * Series that were touched for the last time before this are left out: never what this scraper has not seen yet, which
 * may be for long if it comes seldom or was away.
 */
export function idleSince({ idleMs, now, collection }: ExpositionOptions): number {
  return idleMs > 0 ? Math.min(now - idleMs, collection.unseen) : -Number.MAX_VALUE;
}
