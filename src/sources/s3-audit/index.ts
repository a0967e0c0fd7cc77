import { checkStore, heardStore } from '../../core/objects/check.ts';
import { openStore } from '../../core/objects/config.ts';
import { defineSource } from '../../core/source.ts';
import { unzippedInput } from '../../lib/objects/body.ts';
import { type S3AuditConfig, s3AuditConfig } from './config.ts';
import { S3_AUDIT_METRICS } from './metrics.ts';
import { openS3Audit, prefixOf } from './open.ts';
import { planOf } from './plan.ts';
import { type AuditItem, splitInput } from './read.ts';
import type { AuditRecord } from './record.ts';

/** Audit logs of S3 stores: Lyve Cloud, MinIO, AWS, Ceph. */
export const s3Audit = defineSource<S3AuditConfig, typeof S3_AUDIT_METRICS, AuditItem, AuditRecord>({
  type: 's3-audit',
  summary: 'Audit logs of S3 stores that lie in a bucket: Lyve Cloud, MinIO, AWS server access logs, Ceph.',
  replay: 'Objects that came meanwhile are read then; each object counts once, as a whole.',
  config: s3AuditConfig,
  blank: { directory: '.' },
  metrics: S3_AUDIT_METRICS,
  reasons: ['too_long', 'malformed', 'shape', 'excluded'],
  open: openS3Audit,
  split: (input) => splitInput(unzippedInput(input), { format: 'auto', iam: false, arrival: Date.now() }),
  check: (config, signal, env, heard) =>
    checkStore({
      store: heardStore(openStore(config, env), heard),
      plan: planOf({ layout: config.layout, prefix: prefixOf(config), now: Date.now }),
      signal,
    }),
});
