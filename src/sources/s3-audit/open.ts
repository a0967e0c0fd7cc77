import { openStore } from '../../core/objects/config.ts';
import type { ObjectState } from '../../core/objects/ledger.ts';
import { ObjectReader } from '../../core/objects/reader.ts';
import { SeenEvents } from '../../core/seen.ts';
import { DUPLICATE, EXCLUDED, type OpenedSource, type SourceContext } from '../../core/source.ts';
import { durationMs } from '../../lib/duration.ts';
import type { S3AuditConfig } from './config.ts';
import { toEvent } from './event.ts';
import { createExclusion } from './exclude.ts';
import type { S3_AUDIT_METRICS } from './metrics.ts';
import { Observer } from './observe.ts';
import { planOf } from './plan.ts';
import { type AuditItem, auditFormat } from './read.ts';
import type { AuditRecord } from './record.ts';

/** Results of `s3_log_objects_total`. */
const RESULTS: readonly ObjectState[] = ['done', 'ignored', 'changed', 'failed', 'quarantined'];

/** Opens the source: objects of a bucket, each counted as a whole. */
export function openS3Audit(
  config: S3AuditConfig,
  context: SourceContext<typeof S3_AUDIT_METRICS>,
): OpenedSource<AuditItem, AuditRecord> {
  const { metrics, aside, now, env, name, range } = context;
  const { bucket, access_key: accessKey, layout, interval, since, top, distinct } = config;
  const prefix = prefixOf(config);
  const store = openStore(config, env);
  for (const result of RESULTS) metrics.logObjects.series({ result });
  const reader = new ObjectReader<AuditItem>({
    store,
    plan: planOf({ layout, prefix, now }),
    format: auditFormat({ ...config, prefix, range, whole: context.events || top > 0 || distinct }),
    intervalMs: durationMs(interval),
    sinceMs: durationMs(since),
    context,
    onResult: (result) => metrics.logObjects.inc({ result }),
  });
  const isExcluded = createExclusion(config.exclude, { bucket, accessKey });
  const observer = new Observer({ metrics: aside, top, distinct });
  const seen = new SeenEvents();
  return {
    read: (position) => reader.read(position),
    parse: ({ found, line }) => {
      if ('rejected' in found) return found;
      // AWS may write a line twice; of JSON objects it is enough to know which objects were read.
      if (found.form === 'aws-line' || found.form === 'ceph-line') if (seen.isRepeated(line)) return DUPLICATE;
      return isExcluded(found) ? EXCLUDED : found;
    },
    observe: (record, { arrival }) => observer.observe(record, arrival),
    conclude: (counted) => {
      observer.forget();
      seen.conclude(counted, now());
      reader.conclude(counted);
    },
    timeOf: ({ found }) => ('rejected' in found ? null : found.timeMs),
    event: (record, { arrival }) => toEvent({ record, source: name, arrival }),
    excerpt: ({ line }) => line.slice(0, 200),
    restore: (entries) => {
      reader.restore(entries);
      seen.restore(entries);
    },
    changes: () => [...reader.takeChanges(), ...seen.takeChanges()],
    remarks: () => [...reader.remarks(), ...exclusionRemarks(config)],
    close: async () => store.close(),
  };
}

/** The prefix of the keys; where months lie below it, it is a folder. */
export function prefixOf({ prefix, layout }: Pick<S3AuditConfig, 'prefix' | 'layout'>): string {
  return layout === 'lyve' && prefix !== '' && !prefix.endsWith('/') ? `${prefix}/` : prefix;
}

function exclusionRemarks({ exclude, bucket, access_key: accessKey }: S3AuditConfig) {
  const parts = [
    ...(exclude.own && bucket !== null ? [`records about the log bucket ${bucket}`] : []),
    ...(exclude.own && accessKey !== null ? ['requests with the access key of this source'] : []),
    ...(exclude.buckets.length > 0 ? [`records about ${exclude.buckets.join(', ')}`] : []),
    ...(exclude.accounts.length > 0 ? [`records of ${exclude.accounts.join(', ')}`] : []),
    ...(exclude.apis.length > 0 ? [`calls of ${exclude.apis.join(', ')}`] : []),
  ];
  return parts.length === 0 ? [] : [{ text: `not counted (exclude): ${parts.join('; ')}`, bad: false }];
}
