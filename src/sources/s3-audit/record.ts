import type { Outcome } from '../../core/event.ts';
import type { Rejected } from '../../core/source.ts';
import type { Fields } from './fields.ts';

/** What a configuration may say of the records of a bucket; `auto` looks at each. */
export const FORMATS = ['auto', 'lyve', 'minio', 'aws-access-log', 'ceph'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * How a record was written: S3 audit of Lyve Cloud; the same of MinIO; console, account API and IAM of Lyve Cloud;
 * access-log line of AWS or of Ceph; Ceph's ops log.
 */
export type Form = 'lyve' | 'minio' | 'console' | 'account' | 'iam' | 'aws-line' | 'ceph-line' | 'ceph-ops';

/** What a record tells of: work that nobody asked for at that moment (expiry, healing) is no request. */
export type Kind = 'request' | 'background' | 'console' | 'iam';

/** Where a record was found. */
export interface Place {
  readonly format: Format;
  /** Whether the key names the object an IAM log. */
  readonly iam: boolean;
  /** When the object was last modified, or when the record was pushed; milliseconds since 1970. */
  readonly arrival: number;
}

/** A record of whatever form, as the metrics need it; what only writers need is read off `raw` later. */
export interface AuditRecord {
  readonly kind: Kind;
  readonly form: Form;
  /** Labels of requests and background work; empty otherwise. `code` is that of requests alone. */
  readonly api: string;
  readonly bucket: string;
  readonly code: string;
  /** Null is an observation not to be made. */
  readonly durationNs: number | null;
  readonly ttfbNs: number | null;
  readonly requestBytes: number | null;
  readonly responseBytes: number | null;
  /** Milliseconds since 1970; null if it is not told, or cannot be. */
  readonly timeMs: number | null;
  /** Label of console and IAM events; empty otherwise. */
  readonly event: string;
  readonly outcome: Outcome;
  /** Names as written, for exact comparison; empty where they are no text, or none. */
  readonly rawApi: string;
  readonly rawBucket: string;
  /** The JSON object as it came, or the fields of a line (`AccessLine`). */
  readonly raw: Fields;
  /** The line. */
  readonly text: string;
}

/** Neither JSON nor an access-log line. */
export const MALFORMED: Rejected = { rejected: 'malformed' };

/** Syntax that is known, and a record that is not, or that the configured format refuses. */
export const SHAPE: Rejected = { rejected: 'shape' };
