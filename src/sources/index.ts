import type { Listed } from '../core/listed.ts';
import type { AnySource } from '../core/source.ts';

/** All sources, in the order of the documentation. */
export const SOURCES: readonly Listed<AnySource>[] = [
  { type: 'reaction', load: async () => (await import('./reaction/index.ts')).reaction },
  { type: 'cts', load: async () => (await import('./cts/index.ts')).cts },
  { type: 's3-audit', load: async () => (await import('./s3-audit/index.ts')).s3Audit },
  { type: 'cloudtrail', load: async () => (await import('./cloudtrail/index.ts')).cloudTrail },
  { type: 'gcp-logs', load: async () => (await import('./gcp-logs/index.ts')).gcpLogs },
  { type: 'ingest', load: loadIngest },
];

async function loadIngest(): Promise<AnySource> {
  const { ingestSource } = await import('./ingest/index.ts');
  const { ctsRecords } = await import('./cts/records.ts');
  return ingestSource([ctsRecords]);
}
