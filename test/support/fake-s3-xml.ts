import type { FakeBucket, Listing } from './fake-s3-bucket.ts';
import type { Refusal } from './fake-s3-signature.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An error as S3 writes it. */
export function errorXml({ code, message, more = {} }: Refusal, resource: string): string {
  const elements = { Code: code, Message: message, ...more, Resource: resource, RequestId: 'FAKE0123456789AB' };
  return `${HEAD}<Error>${xml(elements)}<HostId>fake</HostId></Error>`;
}

/** A page of ListObjectsV2 as S3 writes it. */
export function listingXml(bucket: FakeBucket, name: string, query: Listing & { readonly encoding: string }): string {
  const { keys, folders, next } = bucket.list(query);
  const text = query.encoding === 'url' ? urlEncoded : (value: string) => value;
  const head = {
    Name: name,
    Prefix: text(query.prefix),
    ...(query.startAfter !== '' && { StartAfter: text(query.startAfter) }),
    ...(query.delimiter !== '' && { Delimiter: text(query.delimiter) }),
    ...(query.encoding === 'url' && { EncodingType: 'url' }),
    KeyCount: String(keys.length + folders.length),
    MaxKeys: String(query.maxKeys),
    IsTruncated: String(next !== null),
    ...(next !== null && { NextContinuationToken: tokenOf(next) }),
  };
  const contents = keys.map((key) => {
    const { etag, size, modified } = bucket.get(key)!;
    const LastModified = new Date(modified).toISOString();
    const Size = String(size);
    return `<Contents>${xml({ Key: text(key), LastModified, ETag: `"${etag}"`, Size, StorageClass: 'STANDARD' })}</Contents>`;
  });
  const prefixes = folders.map((folder) => `<CommonPrefixes>${xml({ Prefix: text(folder) })}</CommonPrefixes>`);
  const inner = xml(head) + contents.join('') + prefixes.join('');
  return `${HEAD}<ListBucketResult xmlns="${NAMESPACE}">${inner}</ListBucketResult>`;
}

/** A continuation token, which means nothing to the one that gets it; `afterOf` undoes it. */
export function tokenOf(last: string): string {
  return `1/${Buffer.from(last).toString('base64')}=+`;
}

/** What a page ended with, by its token; undefined if it is none of ours. */
export function afterOf(token: string): string | undefined {
  const match = /^1\/([A-Za-z0-9+/=]+)=\+$/.exec(token);
  return match ? Buffer.from(match[1]!, 'base64').toString() : undefined;
}

function xml(elements: Readonly<Record<string, string>>): string {
  return Object.entries(elements)
    .map(([name, value]) => `<${name}>${escaped(value)}</${name}>`)
    .join('');
}

function escaped(value: string): string {
  return value.replace(/[&<>"\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** As Java's URLEncoder does it, which S3 follows, but with slashes. */
function urlEncoded(value: string): string {
  return encodeURIComponent(value)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/');
}
