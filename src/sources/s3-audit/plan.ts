import { datedPlan } from '../../lib/objects/dated.ts';
import { foldersIn } from '../../lib/objects/folders.ts';
import { DAY_MS, type Found, type Listing, type Plan } from '../../lib/objects/plan.ts';
import { type Layout, monthFolder, monthOf, readKey } from './keys.ts';

/** Logs come late: after a key, for so long, one may come that sorts before it. */
const LOOK_BACK_MS = DAY_MS;

export interface PlanOptions {
  readonly layout: Layout;
  readonly prefix: string;
  readonly now: () => number;
}

/** Where the objects lie, by the layout of their keys. */
export function planOf({ layout, prefix, now }: PlanOptions): Plan {
  const find = (key: string, size: number): Found => {
    const reading = readKey(layout, key, size);
    if (reading.kind === 'log') return { kind: 'log', time: reading.time ?? endOfDay(layout, reading.folder) };
    return { kind: reading.kind === 'ignored' ? 'ignored' : 'nothing' };
  };
  if (layout === 'dated') {
    return datedPlan({ prefix, lookBackMs: LOOK_BACK_MS, isBranch: () => true, find, now });
  }
  const below = (key: string, size: number): Found =>
    key.startsWith(prefix) ? find(key.slice(prefix.length), size) : { kind: 'nothing' };
  return {
    prefix,
    lookBackMs: LOOK_BACK_MS,
    find: below,
    listings: layout === 'lyve' ? lyveListings(prefix) : flatListings(prefix),
  };
}

/** The month folders that are open, whose names do not sort by time, and the keys beside them. */
function lyveListings(prefix: string): Plan['listings'] {
  return async function* (store, { from, to }, signal): AsyncGenerator<Listing> {
    yield { prefix, startAfter: null, flat: true, ordered: false };
    const open = Math.min(from, monthBefore(to));
    for (const folder of await foldersIn(store, prefix, signal)) {
      const month = monthOf(folder.slice(prefix.length, -1));
      if (month === null || month < startOfMonth(open)) continue;
      yield { prefix: folder, startAfter: null, flat: false, ordered: false };
    }
  };
}

/** Keys that begin with their time. */
function flatListings(prefix: string): Plan['listings'] {
  return async function* (_, { from }): AsyncGenerator<Listing> {
    // Ceph writes local time, which the look-back allows for.
    const first = from - LOOK_BACK_MS;
    const startAfter = first > 0 ? prefix + new Date(first).toISOString().slice(0, 10) : null;
    // Names that begin with no digit have no time.
    yield { prefix, startAfter, until: `${prefix}:`, flat: true, ordered: true };
  };
}

/** Names without a time are in no order within their day. */
function endOfDay(layout: Layout, folder: string): number | null {
  if (layout !== 'dated') return null;
  const [year, month, day] = folder.split('/').slice(-4, -1).map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day) + DAY_MS;
}

function startOfMonth(time: number): number {
  return Number.isFinite(time) ? (monthOf(monthFolder(time)) ?? Number.NEGATIVE_INFINITY) : time;
}

function monthBefore(time: number): number {
  return startOfMonth(startOfMonth(time) - 1);
}
