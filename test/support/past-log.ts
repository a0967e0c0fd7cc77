import { join } from 'node:path';
import type { Test } from 'tap';
import { file } from './cli.ts';
import { fakeS3 } from './fake-s3.ts';

export const HOUR = 3_600_000;
/** When most of what is read back was, in milliseconds since 1970. */
export const BEGIN: number = Date.UTC(2026, 4, 9, 10);

// What reaction itself knows would be shown at 0.
export const COMMON = { config: '/nowhere', command: '/nowhere', hold: '0s' } as const;

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** One match at each of these times. */
export function logOf(times: readonly number[]): string {
  return times.map((time) => `${iso(time)} INFO ssh.failedlogin: match ["192.0.2.1"]\n`).join('');
}

/** Writes a configuration with these sources, and gives its path. */
export function config(place: string, sources: Readonly<Record<string, unknown>>, more: object = {}): string {
  return file(place, 'c.json', JSON.stringify({ state: { directory: join(place, 'state') }, sources, ...more }));
}

/** A configuration with one log of reaction, which holds this. */
export function reactionConfig(place: string, log: string, more: object = {}): string {
  return config(place, { reaction: { ...COMMON, logs: { file: file(place, 'r.log', log) } } }, more);
}

/** A line of an AWS server access log. */
export function accessLine(time: number, code: number, ms: number): string {
  const date = new Date(time).toUTCString().slice(5, 25).split(' ');
  const stamp = `${date[0]}/${date[1]}/${date[2]}:${date[3]} +0000`;
  const id = time.toString(16);
  return `ab12 pics [${stamp}] 192.0.2.7 ana ${id} REST.GET.OBJECT k "GET /k HTTP/1.1" ${code} - 20 40 ${ms} 12 "-" "sdk" -\n`;
}

/** A store, the section of a source that reads it, and a way to put an object there. */
export async function auditStore(t: Test) {
  const s3 = await fakeS3(t);
  const section = {
    ...{ endpoint: s3.url, bucket: s3.bucket, access_key: s3.accessKey, secret_key: s3.secretKey },
    layout: 'flat',
  };
  const put = (time: number, name: string, body: string | Buffer) =>
    s3.put(`${iso(time).slice(0, 19).replaceAll(/[T:]/g, '-')}-${name}`, body, { modified: time });
  return { s3, section, put };
}
