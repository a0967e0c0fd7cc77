import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { FakeS3 } from './fake-s3.ts';
import { parseExposition } from './strict-exposition.ts';

/** `sources.s3-audit` for a fake store. */
export function auditSection(
  s3: FakeS3,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const { url: endpoint, bucket, accessKey: access_key, secretKey: secret_key } = s3;
  return { endpoint, bucket, access_key, secret_key, ...more };
}

/** Puts all files below a folder, their keys being their paths. */
export function putTree(s3: FakeS3, folder: string, modified: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    s3.put(relative(folder, path).split(sep).join('/'), readFileSync(path), { modified });
  }
}

/** A record of Lyve Cloud, with what makes it one of its own. */
export function lyveLine(id: string, more: LineParts = {}): string {
  const {
    api = 'GetObject',
    bucket = 'invoices',
    code = 200,
    time = '2024-01-15T09:05:11.232Z',
    ns = 5_000_000,
  } = more;
  const call = { name: api, bucket, object: `folder/${id}`, statusCode: code, timeToResponse: `${ns}ns` };
  const auditEntry = { api: call, time, version: '1', requestID: id, requestHeader: more.headers ?? {} };
  return JSON.stringify({ auditEntry, serviceAccountName: more.account ?? 'svc' });
}

export interface LineParts {
  readonly api?: string;
  readonly bucket?: string;
  readonly code?: number;
  readonly time?: string;
  readonly ns?: number;
  readonly account?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Values of all series by name and labels, as `expectedSums` has them. */
export function sumsOf(exposition: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { name, labels, value } of parseExposition(exposition).samples.values()) {
    const told = [...labels].filter(([, text]) => text !== '');
    sums.set(`${name} ${JSON.stringify(told.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`, value);
  }
  return sums;
}

/** The value of a series, 0 if there is none. */
export function sumOf(exposition: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return parseExposition(exposition).value(name, labels) ?? 0;
}
