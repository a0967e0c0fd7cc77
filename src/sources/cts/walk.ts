import type { SeenTraces } from './seen.ts';
import type { Window } from './windows.ts';

/** An item of an answer, as far as a walk has to know it. */
export interface WalkItem {
  /** Tells it from all others (`seenKey`). */
  readonly key: string;
  /** Its stamps as far as they can be read, in milliseconds since 1970. */
  readonly stamps: readonly number[];
}

/** What is asked for: both ends exclusive, in milliseconds since 1970; `next` is the marker of the page before. */
export interface WalkQuery {
  readonly from: number;
  readonly to: number;
  readonly next: string | null;
}

/** A page of an answer, or that it cannot be decoded. */
export type WalkPage<Item> =
  | { readonly items: readonly Item[]; readonly marker: string | null; readonly limit: number; readonly bytes: number }
  | { readonly undecodable: string };

/** What a walk found: the items of one answer that lie in the window. */
export interface Found<Item> {
  readonly items: readonly Item[];
  readonly bytes: number;
  /** False for what was looked up at the edge of a page. */
  readonly onPage: boolean;
}

/** How a walk ended: the window was read whole, or it has to be read in parts, or cannot be. */
export type Walked =
  | { readonly kind: 'whole' }
  | { readonly kind: 'long' }
  | { readonly kind: 'undecodable'; readonly text: string };

export interface WalkOptions<Item> {
  readonly window: Window;
  readonly list: (query: WalkQuery) => Promise<WalkPage<Item>>;
  /** Told of an item before the next page is judged (`SeenTraces.see`). */
  readonly seen: SeenTraces;
  /** Most pages; then the window has to be read in parts. */
  readonly mostPages?: number;
}

/** An item whose stamps all lie so far before the window is outside of it, in milliseconds. */
const OUTSIDE_MS = 60_000;
/** Stamps that are further apart do not tell where a page ends, in milliseconds. */
const EDGE_MS = 5_000;
const MOST_PAGES = 10_000;

/**
 * Reads one window, from its newest traces to its oldest. Nothing is taken for granted of the order on a page, of `count`,
 * of a marker on the last page, and of whether the next page begins by place or by time: in that case the other traces
 * of the last millisecond of a page would be left out, so that it is looked up on its own.
 */
export async function* walkWindow<Item extends WalkItem>(
  options: WalkOptions<Item>,
): AsyncGenerator<Found<Item>, Walked> {
  const { window, list, seen, mostPages = MOST_PAGES } = options;
  seen.beginWalk();
  const ends = { from: window.from - 1, to: window.to };
  let next: string | null = null;
  /** The last page, as long as its edge was not looked up. */
  let edge: readonly Item[] = [];
  for (let pages = 0; pages < mostPages; pages++) {
    const page = await list({ ...ends, next });
    if ('undecodable' in page) return { kind: 'undecodable', text: page.undecodable };
    const items = page.items.filter((item) => !isOutside(item, window));
    const hasNew = items.some(({ key }) => seen.isNewInWalk(key));
    yield { items, bytes: page.bytes, onPage: true };
    const edges = page.items.length > 0 && edge.length > 0 ? [edge] : [];
    if (page.items.length >= page.limit) edges.push(page.items);
    for (const last of edges) {
      const looked = await lookUpEdge(last, options);
      if (looked === null) continue;
      if ('undecodable' in looked) return { kind: 'undecodable', text: looked.undecodable };
      yield looked;
    }
    edge = page.items.length >= page.limit ? [] : page.items;
    if (page.marker === null || page.marker === next || !hasNew) return { kind: 'whole' };
    next = page.marker;
  }
  return { kind: 'long' };
}

/** The traces about the end of a page, which the next one may leave out; null if nothing tells where that is. */
async function lookUpEdge<Item extends WalkItem>(
  items: readonly Item[],
  { window, list }: WalkOptions<Item>,
): Promise<Found<Item> | { readonly undecodable: string } | null> {
  const last = items.at(-1);
  if (!last || last.stamps.length === 0 || isOutside(last, window)) return null;
  // They may be told more precisely than they can be asked for.
  const low = Math.floor(Math.min(...last.stamps));
  const high = Math.ceil(Math.max(...last.stamps));
  if (high - low > EDGE_MS || high < window.from || low >= window.to) return null;
  // Nothing is asked for that does not belong to the window.
  const ends = { from: Math.max(low, window.from) - 1, to: Math.min(high + 1, window.to) };
  const page = await list({ ...ends, next: null });
  if ('undecodable' in page) return page;
  return { items: page.items.filter((item) => !isOutside(item, window)), bytes: page.bytes, onPage: false };
}

/** Whether an item was not asked for: the service may not heed the beginning of a window. */
function isOutside({ stamps }: WalkItem, { from }: Window): boolean {
  return stamps.length === 2 && stamps.every((stamp) => stamp < from - OUTSIDE_MS);
}
