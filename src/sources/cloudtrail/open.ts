import { reportGivenUp } from '../../core/objects/broken.ts';
import { openStore } from '../../core/objects/config.ts';
import { ObjectReader } from '../../core/objects/reader.ts';
import { SeenEvents } from '../../core/seen.ts';
import { DUPLICATE, EXCLUDED, type OpenedSource, type Remark, type SourceContext } from '../../core/source.ts';
import { durationMs } from '../../lib/duration.ts';
import type { Plan } from '../../lib/objects/plan.ts';
import { shown } from '../../lib/objects/shown.ts';
import type { ObjectStore } from '../../lib/objects/store.ts';
import type { CloudTrailConfig } from './config.ts';
import { CONTROLS } from './controls.ts';
import { toEvent } from './event.ts';
import type { CLOUDTRAIL_METRICS } from './metrics.ts';
import { labelsOf, Observer } from './observe.ts';
import { headOf, type TrailScope, trailFolderPlan, trailPlan } from './plan.ts';
import { Proof } from './proof.ts';
import { provenPlan } from './proven-plan.ts';
import { type TrailItem, timeOf, trailFormat } from './read.ts';
import type { CloudTrailRecord } from './record.ts';

/** Opens the source: log files of a bucket or a folder, each counted as a whole, each event once. */
export function openCloudTrail(
  config: CloudTrailConfig,
  context: SourceContext<typeof CLOUDTRAIL_METRICS>,
  store: ObjectStore = openStore(config, context.env),
): OpenedSource<TrailItem, CloudTrailRecord> {
  const { metrics, aside, now, name, range, follow, report } = context;
  const { interval, since, labels: extra, digests, top, distinct } = config;
  const scope = scopeOf(config);
  for (const control of CONTROLS) metrics.securityEvents.series({ control });
  const isCounted = (key: string) => reader.stateOf(key) === 'done';
  const proof = digests ? new Proof({ head: headOf(scope.prefix), isCounted, follow, report, now }) : null;
  const plan = planOf(config, scope, now);
  const reader: ObjectReader<TrailItem> = new ObjectReader<TrailItem>({
    store,
    plan: proof ? provenPlan(plan, proof, () => reader.began) : plan,
    format: trailFormat(range, proof),
    intervalMs: durationMs(interval),
    sinceMs: durationMs(since),
    context,
    onResult: reportGivenUp(report),
    ...(proof && { hasMore: () => proof.hasWanted() }),
  });
  const observer = new Observer({ metrics: aside, labels: extra, top, distinct });
  const seen = new SeenEvents();
  return {
    read: (position) => reader.read(position),
    parse: ({ found }) => {
      if ('rejected' in found) return found;
      if (isRepeated(found, seen)) return DUPLICATE;
      return found.excluded ? EXCLUDED : found;
    },
    observe: (record, { arrival }) => observer.observe(record, arrival),
    conclude: (counted) => {
      observer.forget();
      seen.conclude(counted, now());
      reader.conclude(counted);
      proof?.conclude(counted);
    },
    timeOf,
    event: (record, { arrival }) => toEvent({ record, source: name, arrival, labels: labelsOf(record, extra) }),
    excerpt: ({ text }) => shown(text, 200),
    restore: (entries) => {
      reader.restore(entries);
      seen.restore(entries);
      proof?.restore(entries);
    },
    changes: () => [...reader.takeChanges(), ...seen.takeChanges(), ...(proof?.takeChanges() ?? [])],
    remarks: () => [...reader.remarks(), ...(proof?.remarks() ?? []), ...scopeRemarks(scope)],
    close: async () => store.close(),
  };
}

/** What of the trail is read; a prefix is a folder. */
export function scopeOf({ prefix, accounts, regions, organization, digests }: CloudTrailConfig): TrailScope {
  const folder = prefix !== '' && !prefix.endsWith('/') ? `${prefix}/` : prefix;
  return { prefix: folder, accounts, regions, organization, digests };
}

/** Where the files are looked for. */
export function planOf({ directory }: CloudTrailConfig, scope: TrailScope, now: () => number): Plan {
  return directory === null ? trailPlan(scope, now) : trailFolderPlan(scope, now);
}

/** An event that was brought up to date comes under another id, and names the one that it had. */
function isRepeated({ id, originalId }: CloudTrailRecord, seen: SeenEvents): boolean {
  const isKnown = seen.isRepeated(id);
  // Both ids are noted, whichever comes first.
  const isUpdate = originalId !== null && originalId !== id && seen.isRepeated(originalId);
  return isKnown || isUpdate;
}

function scopeRemarks({ accounts, regions, organization }: TrailScope): readonly Remark[] {
  const parts = [
    ...(organization === null ? [] : [`organization ${organization}`]),
    ...(accounts.length === 0 ? [] : [`accounts ${accounts.join(', ')}`]),
    ...(regions.length === 0 ? [] : [`regions ${regions.join(', ')}`]),
  ];
  return parts.length === 0 ? [] : [{ text: `only these are read: ${parts.join('; ')}`, bad: false }];
}
