import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';

/** The parts of the key of a file, all of which have a value that is as good as any. */
export interface TrailFile {
  readonly time: number;
  readonly account?: string;
  readonly region?: string;
  readonly unique?: string;
  readonly kind?: 'CloudTrail' | 'CloudTrail-Digest' | 'CloudTrail-Insight';
}

/** The key of a file of a trail, below no prefix. */
export function trailKey({ time, account = ACCOUNT, region = REGION, unique = 'a', kind = 'CloudTrail' }: TrailFile) {
  const iso = new Date(time).toISOString();
  const stamp = `${iso.slice(0, 16).replaceAll(/[-:]/g, '')}Z`;
  const day = iso.slice(0, 10).replaceAll('-', '/');
  const end = kind === 'CloudTrail-Digest' ? '' : `_${unique.padEnd(16, '0')}`;
  return `AWSLogs/${account}/${kind}/${region}/${day}/${account}_${kind}_${region}_${stamp}${end}.json.gz`;
}

/** A record, of one event by its id. */
export function trailRecord(eventID: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    eventVersion: '1.09',
    eventTime: '2026-05-01T10:00:00Z',
    eventSource: 's3.amazonaws.com',
    eventName: 'GetObject',
    awsRegion: REGION,
    recipientAccountId: ACCOUNT,
    eventID,
    ...more,
  };
}

/** A file with these records. */
export function trailFile(records: readonly unknown[]): Buffer {
  return gzipSync(JSON.stringify({ Records: records }));
}

/** A digest file that lists files by their keys, with their unpacked content, or any other text. */
export function trailDigest(end: number, files: Readonly<Record<string, string>>, hours = 1): Buffer {
  const time = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const logFiles = Object.entries(files).map(([key, content]) => ({
    s3Bucket: 'memory',
    s3Object: key,
    hashAlgorithm: 'SHA-256',
    hashValue: createHash('sha256').update(content).digest('hex'),
  }));
  return gzipSync(
    JSON.stringify({
      awsAccountId: ACCOUNT,
      digestStartTime: time(end - hours * 3_600_000),
      digestEndTime: time(end),
      logFiles,
    }),
  );
}
