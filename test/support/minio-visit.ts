import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Minio, MinioAnswer } from './minio.ts';
import { type Keys, presigned } from './sign-v4.ts';

/** The bucket that the audit log goes to. */
export const LOGS = 'logs';
/** Reads the logs, and has no right to anything else. */
export const READER: Keys = { access: 'reader-of-test', secret: 'not-a-real-secret-1' };
/** Lists any bucket, and may do nothing else. */
export const VISITOR: Keys = { access: 'visitor-of-test', secret: 'not-a-real-secret-2' };

/** A call that the test made, and how MinIO answered it. */
export interface Call {
  readonly api: string;
  readonly bucket: string;
  readonly code: number;
  /** `X-Amz-Request-Id`. */
  readonly id: string;
}

/** What was done, all of which has to be found again. */
export class Ledger {
  readonly calls: Call[] = [];
  /** Ids of calls of the reader that are not about the log bucket. */
  readonly own: string[] = [];
  /** Calls that MinIO refuses before it knows what they are for: their records have no name of an operation. */
  nameless = 0;
  /** Bytes of objects sent to and received from the bucket `photos`, in which nothing is refused. */
  sent = 0;
  received = 0;
  /** What MinIO writes down, and nobody else may see. */
  readonly secrets: string[] = [];

  /** A call with the SDK; null if MinIO refused it. */
  async s3<T extends Answered>(api: string, bucket: string, act: () => Promise<T>): Promise<T | null> {
    const [{ $metadata }, output] = await act().then(
      (output) => [output, output] as const,
      (error: unknown) => [answerIn(error), null] as const,
    );
    this.calls.push({ api, bucket, code: $metadata.httpStatusCode ?? 0, id: $metadata.requestId ?? '' });
    return output;
  }

  /** A call without the SDK. */
  async plain(api: string, bucket: string, act: () => Promise<MinioAnswer>): Promise<MinioAnswer> {
    const answer = await act();
    this.calls.push({ api, bucket, code: answer.status, id: answer.id });
    return answer;
  }
}

/** Makes the buckets and users. */
export async function furnish(minio: Minio, ledger: Ledger): Promise<void> {
  const root = minio.client(minio.root);
  for (const Bucket of ['photos', 'shop', LOGS])
    await ledger.s3('PutBucket', Bucket, () => root.send(new CreateBucketCommand({ Bucket })));
  const logs = [`arn:aws:s3:::${LOGS}`, `arn:aws:s3:::${LOGS}/*`];
  await addUser(minio, ledger, READER, { Action: ['s3:ListBucket', 's3:GetObject'], Resource: logs });
  await addUser(minio, ledger, VISITOR, { Action: ['s3:ListBucket'], Resource: ['arn:aws:s3:::*'] });
}

/** Does a number of things, and is refused others. */
export async function visit(minio: Minio, ledger: Ledger): Promise<void> {
  const root = minio.client(minio.root);
  await keepPhotos(minio, root, ledger);
  await upload(root, ledger);
  await ask(root, ledger);
  await change(root, ledger);
  await beRefused(minio, ledger);
}

/** The reader does what is not about the log bucket. */
export async function lookAround(minio: Minio, ledger: Ledger): Promise<void> {
  const reader = minio.client(READER);
  const film = new GetObjectCommand({ Bucket: 'shop', Key: 'film' });
  const answers = [await reader.send(new ListBucketsCommand({})), await reader.send(film).catch(answerIn)];
  ledger.own.push(...answers.map(({ $metadata }) => $metadata.requestId ?? ''));
}

interface Answered {
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** Throws what is no answer. */
function answerIn(error: unknown): Answered {
  const { $metadata } = error as Partial<Answered>;
  if ($metadata?.httpStatusCode === undefined) throw error;
  return { $metadata };
}

async function addUser(minio: Minio, ledger: Ledger, { access, secret }: Keys, statement: object): Promise<void> {
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] };
  const user = { secretKey: secret, status: 'enabled' };
  const attached = { policyName: access, userOrGroup: access, isGroup: 'false' };
  const calls = [
    ['AddCannedPolicy', { name: 'add-canned-policy', query: { name: access }, body: policy }],
    ['AddUser', { name: 'add-user', query: { accessKey: access }, body: user, secret: true }],
    ['SetPolicyForUserOrGroup', { name: 'set-user-or-group-policy', query: attached }],
  ] as const;
  for (const [api, call] of calls) {
    const { status, body } = await ledger.plain(api, '', () => minio.admin(call));
    if (status !== 200) throw new Error(`${api}: found ${status} ${body}, wanted 200`);
  }
}

/** All of it allowed, with every byte counted. */
async function keepPhotos(minio: Minio, root: S3Client, ledger: Ledger): Promise<void> {
  const Bucket = 'photos';
  const put = async (Key: string, Body: Buffer, more: object = {}) => {
    ledger.sent += Body.length;
    await ledger.s3('PutObject', Bucket, () => root.send(new PutObjectCommand({ Bucket, Key, Body, ...more })));
  };
  const read = async (Key: string, more: object = {}) => {
    await ledger.s3('GetObject', Bucket, async () => {
      const output = await root.send(new GetObjectCommand({ Bucket, Key, ...more }));
      ledger.received += (await output.Body?.transformToByteArray())?.length ?? 0;
      return output;
    });
  };
  await put('a b/ü+1.jpg', Buffer.alloc(100_000, 1));
  await put('empty', Buffer.alloc(0));
  await read('a b/ü+1.jpg');
  await read('a b/ü+1.jpg', { Range: 'bytes=10-19' });
  await read('empty');

  const key = createHash('sha256').update(`key ${ledger.calls.length}`).digest();
  const SSECustomerKeyMD5 = createHash('md5').update(key).digest('base64');
  const locked = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64'), SSECustomerKeyMD5 };
  ledger.secrets.push(locked.SSECustomerKey);
  await put('locked', Buffer.alloc(1_000, 2), locked);
  await read('locked', locked);

  const address = presigned(`${minio.url}/photos/a%20b/%C3%BC%2B1.jpg`, minio.root);
  ledger.secrets.push(address.searchParams.get('X-Amz-Signature') ?? '');
  const { body } = await ledger.plain('GetObject', Bucket, () => minio.ask('GET', address));
  ledger.received += body.length;
}

const PART = 5 * 1024 * 1024;

/** In parts, once to the end and once not. */
async function upload(root: S3Client, ledger: Ledger): Promise<void> {
  const place = { Bucket: 'shop', Key: 'film' };
  const begin = () => ledger.s3('NewMultipartUpload', 'shop', () => root.send(new CreateMultipartUploadCommand(place)));
  const UploadId = (await begin())?.UploadId;
  const Parts = [];
  for (const [index, length] of [PART, 100].entries()) {
    const PartNumber = index + 1;
    const part = { ...place, UploadId, PartNumber, Body: Buffer.alloc(length, index) };
    const sent = await ledger.s3('PutObjectPart', 'shop', () => root.send(new UploadPartCommand(part)));
    Parts.push({ PartNumber, ETag: sent?.ETag });
  }
  const complete = new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } });
  await ledger.s3('CompleteMultipartUpload', 'shop', () => root.send(complete));
  const abort = new AbortMultipartUploadCommand({ ...place, UploadId: (await begin())?.UploadId });
  await ledger.s3('AbortMultipartUpload', 'shop', () => root.send(abort));
}

async function ask(root: S3Client, ledger: Ledger): Promise<void> {
  const place = { Bucket: 'shop', Key: 'film' };
  const { Bucket } = place;
  const none = { Bucket, Key: 'none' };
  const head = await ledger.s3('HeadObject', Bucket, () => root.send(new HeadObjectCommand(place)));
  const inputs = [
    none,
    { ...place, IfNoneMatch: head?.ETag },
    { ...place, IfMatch: '"00000000000000000000000000000000"' },
    { ...place, Range: 'bytes=999999999-' },
    { ...place, Bucket: 'nowhere' },
  ];
  for (const input of inputs) await ledger.s3('GetObject', input.Bucket, () => root.send(new GetObjectCommand(input)));
  await ledger.s3('HeadObject', Bucket, () => root.send(new HeadObjectCommand(none)));
  await ledger.s3('HeadBucket', Bucket, () => root.send(new HeadBucketCommand({ Bucket })));
  await ledger.s3('HeadBucket', 'nowhere', () => root.send(new HeadBucketCommand({ Bucket: 'nowhere' })));
  await ledger.s3('ListBuckets', '', () => root.send(new ListBucketsCommand({})));
  await ledger.s3('ListObjectsV2', Bucket, () => root.send(new ListObjectsV2Command({ Bucket })));
  await ledger.s3('ListObjectsV1', Bucket, () => root.send(new ListObjectsCommand({ Bucket })));
}

async function change(root: S3Client, ledger: Ledger): Promise<void> {
  const Bucket = 'shop';
  const copy = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: 'shop/film' });
  await ledger.s3('CopyObject', Bucket, () => root.send(copy));
  await ledger.s3('DeleteObject', Bucket, () => root.send(new DeleteObjectCommand({ Bucket, Key: 'copy' })));
  const many = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }, { Key: 'b' }] } });
  await ledger.s3('DeleteMultipleObjects', Bucket, () => root.send(many));
}

async function beRefused(minio: Minio, ledger: Ledger): Promise<void> {
  const place = { Bucket: 'shop', Key: 'film' };
  const { Bucket } = place;
  const visitor = minio.client(VISITOR);
  await ledger.s3('ListObjectsV2', Bucket, () => visitor.send(new ListObjectsV2Command({ Bucket })));
  await ledger.s3('GetObject', Bucket, () => visitor.send(new GetObjectCommand(place)));
  await ledger.s3('PutObject', Bucket, () => visitor.send(new PutObjectCommand({ ...place, Body: 'x' })));
  const strangers = [
    { ...VISITOR, secret: 'another-secret' },
    { access: 'nobody', secret: 'a-secret' },
  ];
  for (const stranger of strangers)
    await ledger.s3('GetObject', Bucket, () => minio.client(stranger).send(new GetObjectCommand(place)));

  const film = new URL('/shop/film', minio.url);
  await ledger.plain('GetObject', Bucket, () => minio.ask('GET', film));
  const token = createHash('sha256').update(`token ${ledger.calls.length}`).digest('hex');
  ledger.secrets.push(token);
  const action = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15';
  const web = new URL(`/?${action}&WebIdentityToken=${token}`, minio.url);
  await ledger.plain('AssumeRoleSSOCommon', '', () => minio.ask('POST', web));
  await minio.ask('PATCH', film);
  const late = minio.client(minio.root);
  late.config.systemClockOffset = -3_600_000;
  await late.send(new GetObjectCommand(place)).catch(answerIn);
  ledger.nameless += 2;
}
