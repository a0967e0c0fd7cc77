import type { Plan } from '../../lib/objects/plan.ts';
import type { ListPage, ObjectStore, StoredObject } from '../../lib/objects/store.ts';
import type { Finding } from '../source.ts';

export interface CheckOptions {
  readonly store: ObjectStore;
  readonly plan: Plan;
  readonly signal: AbortSignal;
}

/** The time in which logs should have come, in milliseconds: they are written hourly, some only once a day. */
const RECENT_MS = 2 * 86_400_000;
/** Clocks that differ by more are worth a word. */
const SKEW_MS = 60_000;

/** Whether the store can be listed, holds logs where they are looked for, and gives them out. */
export async function* checkStore({ store, plan, signal }: CheckOptions): AsyncGenerator<Finding> {
  try {
    const now = Date.now();
    let pages = 0;
    let logs = 0;
    let newest: StoredObject | null = null;
    let isMore = false;
    let time: number | null = null;
    for await (const { prefix, startAfter, flat } of plan.listings(store, { from: now - RECENT_MS, to: now }, signal)) {
      const page: ListPage = await store.list(
        { prefix, folders: flat, ...(startAfter !== null && { startAfter }) },
        signal,
      );
      pages += 1;
      isMore ||= page.next !== null || pages === MOST_PAGES;
      time = page.time ?? time;
      for (const object of page.objects) {
        if (plan.find(object.key, object.size).kind !== 'log') continue;
        logs += 1;
        if (!newest || object.modified > newest.modified) newest = object;
      }
      if (pages >= MOST_PAGES) break;
    }
    if (!newest) {
      yield {
        ok: false,
        detail: `${store.name} can be listed, but holds no logs of the last days where they are looked for; check prefix and layout`,
      };
      return;
    }
    // Of each listing the first page is enough to tell whether all is well.
    const count = `${isMore ? 'at least ' : ''}${logs} ${logs === 1 ? 'log' : 'logs'} of late`;
    const last = `the newest${isMore ? ' of these' : ''} of ${new Date(newest.modified).toISOString()}`;
    yield { ok: true, detail: `${store.name} can be listed and holds ${count}, ${last}` };
    yield await readOne(store, newest, signal);
    if (time !== null && Math.abs(time - now) > SKEW_MS) {
      yield {
        ok: true,
        detail: `its clock differs from the one here by ${Math.round(Math.abs(time - now) / 1000)} s; set the wrong one right`,
      };
    }
  } catch (error) {
    yield { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    store.close();
  }
}

/** A store that tells each time when something of it has come. */
export function heardStore(store: ObjectStore, heard: () => void): ObjectStore {
  const told = <T>(value: T): T => {
    heard();
    return value;
  };
  return {
    ...store,
    list: async (query, signal) => told(await store.list(query, signal)),
    get: async (object, signal) => each(told(await store.get(object, signal)), told),
  };
}

async function* each<T>(chunks: AsyncIterable<T>, told: (chunk: T) => T): AsyncGenerator<T> {
  for await (const chunk of chunks) yield told(chunk);
}

const MOST_PAGES = 20;

async function readOne(store: ObjectStore, object: StoredObject, signal: AbortSignal): Promise<Finding> {
  try {
    for await (const _ of await store.get(object, signal)) break;
    return { ok: true, detail: `${object.key} can be read` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
