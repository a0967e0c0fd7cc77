import type { AnySource } from '../core/source.ts';
import { cloudTrail } from './cloudtrail/index.ts';
import { cts } from './cts/index.ts';
import { ctsRecords } from './cts/records.ts';
import { gcpLogs } from './gcp-logs/index.ts';
import { ingestSource } from './ingest/index.ts';
import { reaction } from './reaction/index.ts';
import { s3Audit } from './s3-audit/index.ts';

/** All sources, in the order of the documentation. */
export const SOURCES: readonly AnySource[] = [reaction, cts, s3Audit, cloudTrail, gcpLogs, ingestSource([ctsRecords])];
