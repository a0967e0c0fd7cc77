import { datedPlan } from '../../lib/objects/dated.ts';
import { loosePlan } from '../../lib/objects/loose.ts';
import { DAY_MS, type Found, type Listing, type Plan } from '../../lib/objects/plan.ts';
import { parseLogKey } from './keys.ts';

/** What of a sink's bucket is read. */
export interface SinkScope {
  /** A folder with its slash, or empty. */
  readonly prefix: string;
  /** LOG_IDs; none: all. */
  readonly logs: readonly string[];
}

/** Files of late entries lie in the folder of the day on which the entries were made. */
const LOOK_BACK_MS = 3 * DAY_MS;

/** The day folders of the logs that are wanted. */
export function sinkPlan({ prefix, logs }: SinkScope, now: () => number): Plan {
  const isLog = (log: string) => log !== '' && (logs.length === 0 || logs.includes(log));
  const inner = datedPlan({
    prefix,
    lookBackMs: LOOK_BACK_MS,
    isBranch: (folder) => logs.length === 0 || logs.some((log) => `${log}/`.startsWith(folder)),
    find: (key): Found => {
      const found = parseLogKey(key);
      return found && isLog(found.log) ? { kind: 'log', time: found.time } : NOTHING;
    },
    now,
  });
  return {
    ...inner,
    listings: async function* (store, span, signal): AsyncGenerator<Listing> {
      // What came late since then lies in the folders of days before.
      for await (const listing of inner.listings(store, { ...span, from: span.from - LOOK_BACK_MS }, signal)) {
        // Years may lie above all logs too, where the listing would be of all there is.
        if (isLog(listing.prefix.slice(prefix.length, -1))) yield listing;
      }
    },
  };
}

/** The same for a local folder: if it has nothing of the layout, all files of JSON in it. */
export function sinkFolderPlan(scope: SinkScope, now: () => number): Plan {
  const { prefix } = scope;
  return loosePlan({
    wanted: sinkPlan(scope, now),
    whole: sinkPlan({ prefix, logs: [] }, now),
    prefix,
    isLog: (key) => /\.json(?:\.gz)?$/.test(key),
  });
}

const NOTHING: Found = { kind: 'nothing' };
