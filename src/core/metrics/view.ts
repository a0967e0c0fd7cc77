import type { Negotiated } from './negotiate.ts';
import type { Collection } from './scrape.ts';

/** How an exposition is to look. */
export type View = Pick<Negotiated, 'format' | 'escaping'>;

/** What an exposition shows. */
export interface ExpositionOptions {
  readonly view: View;
  /** Whose collection this is, for what is kept per scraper. */
  readonly collection: Collection;
  /** Series that did not change for so long are left out, in milliseconds; 0 shows all. */
  readonly idleMs: number;
  readonly now: number;
  /** Text of further metrics, each line ended, to stand before the end. There is none in protobuf. */
  readonly more?: string;
}

/** Series that were touched for the last time before this are left out. */
export function idleSince({ idleMs, now }: Pick<ExpositionOptions, 'idleMs' | 'now'>): number {
  return idleMs > 0 ? now - idleMs : -Number.MAX_VALUE;
}
