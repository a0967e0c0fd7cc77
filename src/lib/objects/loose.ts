import type { Found, Listing, Plan } from './plan.ts';
import type { ObjectStore } from './store.ts';

export interface LooseOptions {
  /** What is wanted of the layout. */
  readonly wanted: Plan;
  /** All of the layout. */
  readonly whole: Plan;
  readonly prefix: string;
  /** Whether a key is a log, where nothing is laid out. */
  readonly isLog: (key: string) => boolean;
}

/** A folder with the layout of a bucket; one that has none of it may hold logs anywhere. */
export function loosePlan({ wanted, whole, prefix, isLog }: LooseOptions): Plan {
  let isLaidOut = false;
  return {
    prefix,
    lookBackMs: wanted.lookBackMs,
    find: (key, size) => {
      if (isLaidOut) return wanted.find(key, size);
      return key.startsWith(prefix) && isLog(key) ? ANY : NOTHING;
    },
    listings: async function* (store, span, signal): AsyncGenerator<Listing> {
      isLaidOut ||= await holdsLogs(whole, store, signal);
      if (isLaidOut) yield* wanted.listings(store, span, signal);
      else yield { prefix, startAfter: null, flat: false, ordered: false };
    },
  };
}

/** The same plan for all that was ever put there. */
export function everPlan(plan: Plan): Plan {
  return {
    ...plan,
    listings: (store, { to }, signal) => plan.listings(store, { from: Number.NEGATIVE_INFINITY, to }, signal),
  };
}

const ANY: Found = { kind: 'log', time: null };
const NOTHING: Found = { kind: 'nothing' };

/** Whether there is a log of all that was ever put there. */
async function holdsLogs(plan: Plan, store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  const ever = { from: Number.NEGATIVE_INFINITY, to: 0 };
  for await (const { prefix } of plan.listings(store, ever, signal)) {
    for (let next: string | null | undefined; next !== null; ) {
      const page: Awaited<ReturnType<ObjectStore['list']>> = await store.list(
        { prefix, ...(next !== undefined && { next }) },
        signal,
      );
      if (page.objects.some(({ key, size }) => plan.find(key, size).kind === 'log')) return true;
      next = page.next;
    }
  }
  return false;
}
