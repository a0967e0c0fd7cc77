import { drawing, seeded, zipf } from './random.ts';

/** What a log of S3 requests is made of. */
export interface LyveOptions {
  readonly seed: number;
  readonly records: number;
  readonly buckets: number;
  /** Time of the first record, in milliseconds since 1970; they lie within an hour. */
  readonly begin: number;
}

const CALLS = [
  ['GetObject', 200],
  ['PutObject', 200],
  ['HeadObject', 200],
  ['ListObjectsV2', 200],
  ['GetObject', 206],
  ['PutObjectPart', 200],
  ['DeleteObject', 204],
  ['HeadObject', 404],
  ['GetObject', 403],
  ['CompleteMultipartUpload', 200],
  ['GetObject', 503],
] as const;
/** Calls whose answers tell the object's. */
const WITH_ETAG: ReadonlySet<string> = new Set(['GetObject', 'HeadObject', 'PutObject', 'PutObjectPart']);
const HOUR_MS = 3_600_000;
const ACCOUNTS = 20;

/** Lines of Lyve Cloud's S3 audit log, each with its newline, 1.5 KB on average: as MinIO wrote them in 2020. */
export function* lyveRecords({ seed, records, buckets, begin }: LyveOptions): Generator<string> {
  const random = seeded(seed);
  const call = drawing(zipf(CALLS.length), random);
  const bucket = drawing(zipf(buckets), random);
  const keys = Array.from({ length: ACCOUNTS }, () => `STX1${digits(random, 12)}`);
  for (let index = 0; index < records; index++) {
    const [name, statusCode] = CALLS[call()]!;
    const bucketName = `bucket-${bucket()}`;
    const time = new Date(begin + (index / records) * HOUR_MS)
      .toISOString()
      .replace('Z', `${String(Math.floor(random() * 1e6)).padStart(6, '0')}Z`);
    const object = `folder-${Math.floor(random() * 500)}/object-${Math.floor(random() * 100_000)}.bin`;
    const requestID = digits(random, 16);
    const account = Math.floor(random() * ACCOUNTS);
    const client = `203.0.113.${Math.floor(random() * 250)}`;
    const ns = Math.floor(1e6 * 10 ** (3 * random()));
    yield `${JSON.stringify({
      auditEntry: {
        api: {
          bucket: bucketName,
          name,
          object,
          status: statusCode < 400 ? 'OK' : 'Error',
          statusCode,
          timeToFirstByte: `${ns - 1000}ns`,
          timeToResponse: `${ns}ns`,
        },
        deploymentid: '9a3c1f27-52b8-4bd2-9a4f-5f3a4a1d8f21',
        remotehost: `10.0.${Math.floor(random() * 8)}.${Math.floor(random() * 250)}`,
        requestHeader: {
          'Accept-Encoding': 'identity',
          Authorization: `AWS4-HMAC-SHA256 Credential=${keys[account]}/20240201/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=*REDACTED*`,
          ...(name.startsWith('Put') && { 'Content-Length': String(Math.floor(random() * 1e6)) }),
          'Content-Type': 'application/octet-stream',
          'User-Agent': 'aws-sdk-go/1.44.100 (go1.19; linux; amd64) S3Manager',
          'X-Amz-Content-Sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
          'X-Amz-Date': '20240201T101112Z',
          'X-Forwarded-For': client,
          'X-Forwarded-Host': 's3.us-east-1.lyvecloud.seagate.com',
          'X-Forwarded-Port': '443',
          'X-Forwarded-Proto': 'https',
          'X-Real-Ip': client,
        },
        requestID,
        responseHeader: {
          'Accept-Ranges': 'bytes',
          ...(name === 'GetObject' && { 'Content-Length': String(Math.floor(random() * 1e6)) }),
          'Content-Security-Policy': 'block-all-mixed-content',
          'Content-Type': 'application/octet-stream',
          ...(WITH_ETAG.has(name) && statusCode < 300 && { ETag: `"${digits(random, 16)}${digits(random, 16)}"` }),
          Server: 'LyveCloud',
          'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
          'X-Amz-Request-Id': requestID,
          'X-Content-Type-Options': 'nosniff',
          'X-Xss-Protection': '1; mode=block',
        },
        time,
        userAgent: 'aws-sdk-go/1.44.100 (go1.19; linux; amd64) S3Manager',
        version: '1',
      },
      serviceAccountCreatorId: 'kim@example.com',
      serviceAccountName: `backup-${account}`,
    })}\n`;
  }
}

function digits(random: () => number, count: number): string {
  let text = '';
  while (text.length < count)
    text += Math.floor(random() * 16)
      .toString(16)
      .toUpperCase();
  return text;
}
