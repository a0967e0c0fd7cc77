import { textOf } from './fields.ts';
import type { AuditRecord } from './record.ts';
import { entryOf } from './request.ts';

/** What a user does not want to see counted: exact texts, as the records have them. */
export interface Exclude {
  /** Records about the log bucket, and requests with the access key that this source reads with. */
  readonly own: boolean;
  readonly buckets: readonly string[];
  readonly accounts: readonly string[];
  readonly apis: readonly string[];
}

/** What the source reads, and as whom; null where it is not told. */
export interface Own {
  readonly bucket: string | null;
  readonly accessKey: string | null;
}

/** Whether a record is one that the configuration excludes. */
export function createExclusion(exclude: Exclude, own: Own): (record: AuditRecord) => boolean {
  const ownTexts = (text: string | null) => (exclude.own && text ? [text] : []);
  const buckets = new Set([...exclude.buckets, ...ownTexts(own.bucket)]);
  const apis = new Set(exclude.apis);
  const accounts = new Set(exclude.accounts);
  const keys = new Set([...exclude.accounts, ...ownTexts(own.accessKey)]);
  // Of a record without account the text is empty, which nobody can mean.
  for (const set of [buckets, apis, accounts, keys]) set.delete('');

  return (record) => {
    if (buckets.has(record.rawBucket) || apis.has(record.rawApi)) return true;
    if (keys.size === 0) return false;
    const found = accountsOf(record);
    return found.keys.some((key) => keys.has(key)) || found.names.some((name) => accounts.has(name));
  };
}

interface Accounts {
  readonly names: readonly string[];
  readonly keys: readonly string[];
}

const NONE: Accounts = { names: [], keys: [] };

function accountsOf({ form, raw }: AuditRecord): Accounts {
  switch (form) {
    case 'lyve':
    case 'minio': {
      const entry = entryOf(raw);
      return { names: [textOf(raw.serviceAccountName), textOf(entry.parentUser)], keys: [textOf(entry.accessKey)] };
    }
    case 'ceph-ops':
      return { names: [textOf(raw.user)], keys: [textOf(raw.access_key_id)] };
    case 'aws-line':
    case 'ceph-line':
      return { names: [textOf(raw.requester)], keys: [] };
    default:
      return NONE;
  }
}
