import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** How a store puts records into objects. */
export interface ObjectShape {
  /** The key of an object of this time (milliseconds since 1970); `number` is that of the object. */
  key(time: number, number: number): string;
  /** Its content. */
  content(lines: readonly string[]): Buffer;
}

export interface ObjectReplay {
  /** A line for each record, in the order of their times. */
  readonly recording: string;
  /** Folder that stands for a bucket. */
  readonly target: string;
  readonly shape: ObjectShape;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Milliseconds between two objects, and between the end of a recording and its next beginning. */
const OBJECT_MS = 4_000;
const PAUSE_MS = 3_000;

/** Log objects as the stores write them. */
export const OBJECT_SHAPES = {
  lyve: {
    key: (time) => `${month(time)}/S3-shop-${stamp(time).replace(/[T:]/g, '-')}.gz`,
    content: (lines) => gzipSync(`${lines.join('\n')}\n`),
  },
  cloudtrail: {
    key: (time, number) => {
      const minute = stamp(time).slice(0, 16).replace(/[-:]/g, '');
      const name = `111122223333_CloudTrail_eu-west-1_${minute}Z_${String(number).padStart(16, '0')}.json.gz`;
      return `AWSLogs/111122223333/CloudTrail/eu-west-1/${day(time)}/${name}`;
    },
    content: (lines) => gzipSync(`{"Records":[${lines.join(',')}]}`),
  },
  google: {
    key: (time, number) => {
      const hour = stamp(time).slice(11, 13);
      return `requests/${day(time)}/${hour}:00:00_${hour}:59:59_S${number}.json`;
    },
    content: (lines) => Buffer.from(`${lines.join('\n')}\n`),
  },
} as const satisfies Readonly<Record<string, ObjectShape>>;

/** Writes a recording again and again at its own pace as objects with the times of now, until it is stopped. */
export async function replayObjects({ recording, target, shape, now, signal }: ObjectReplay): Promise<void> {
  const lines = (await readFile(recording, 'utf8')).split('\n').filter((line) => line !== '');
  const times = lines.map(timeOf);
  const first = times[0] ?? 0;
  const length = (times.at(-1) ?? 0) - first + PAUSE_MS;
  const began = now();
  for (let round = 0, next = 0, number = 0; !signal.aborted; number++) {
    await delay(OBJECT_MS, undefined, { signal }).catch(() => {});
    const shift = began + round * length - first;
    const from = next;
    while (next < lines.length && times[next]! + shift <= now()) next += 1;
    const told = lines.slice(from, next).map((line) => shifted(line, shift, round));
    if (told.length > 0 && !signal.aborted) await put(target, shape.key(now(), number), shape.content(told));
    if (next < lines.length) continue;
    next = 0;
    round += 1;
  }
}

const TIME = /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z/;
const TIMES = new RegExp(TIME, 'g');

function timeOf(line: string): number {
  return Date.parse(TIME.exec(line)?.[0] ?? '');
}

/** A line with its times moved on, and with ids of its own in each round. */
function shifted(line: string, shift: number, round: number): string {
  return line
    .replace(TIMES, (time, fraction: string | undefined) => {
      const moved = new Date(Date.parse(time) + shift).toISOString();
      return fraction === undefined ? `${moved.slice(0, 19)}Z` : moved;
    })
    .replace('@@@@@@@@', (round + 1).toString(16).padStart(8, '0'));
}

/** An object is there as a whole or not at all. */
async function put(target: string, key: string, content: Buffer): Promise<void> {
  const path = join(target, key);
  const unfinished = `${target}.unfinished`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}

function stamp(time: number): string {
  return new Date(time).toISOString().slice(0, 19);
}

function day(time: number): string {
  return stamp(time).slice(0, 10).replaceAll('-', '/');
}

function month(time: number): string {
  return new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
    .format(time)
    .replace(' ', '-');
}
