import { createHash } from 'node:crypto';
import type { Finding } from '../../core/source.ts';
import { ahead } from '../../lib/ahead.ts';
import { unpacked } from '../../lib/objects/body.ts';
import { DAY_MS, type Plan } from '../../lib/objects/plan.ts';
import type { ListPage, ObjectStore, StoredObject } from '../../lib/objects/store.ts';
import { chainName } from './chains.ts';
import { type Digest, parseDigest } from './digest.ts';
import { parseTrailKey } from './keys.ts';

export interface CompleteOptions {
  readonly store: ObjectStore;
  /** One that finds digest files too. */
  readonly plan: Plan;
  /** The folder that keys begin with, before `AWSLogs/`. */
  readonly head: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Digests come hourly, some time after their hour; if none came for so long, something is wrong. */
const NEWEST_MS = 3 * 3_600_000;
const TOUCH_MS = 1_000;
/** Findings that are told one by one. */
const MOST = 20;
const AT_ONCE = 4;

/** Whether the digest files of the last day are all there, and so is each file that they list, with its content. */
export async function* checkComplete(options: CompleteOptions): AsyncGenerator<Finding> {
  const { store } = options;
  try {
    const faults: string[] = [];
    const { logs, digests } = await listed(options);
    const chains = new Map<string, Digest[]>();
    for (const [chain, objects] of digests) chains.set(chain, await readDigests(objects, options, faults));
    for (const chain of logs.keys()) {
      if (!chains.has(chain)) faults.push(`${chain}: ${NONE}`);
    }
    for (const [chain, read] of chains) faults.push(...gapsOf(chain, read, options.now));
    const claims = [...chains.values()].flat().flatMap(({ files }) => files);
    const objects = new Map([...logs.values()].flat().map((object) => [object.key, object]));
    for await (const { result } of ahead(each(claims), AT_ONCE, (file) => check(file, objects, options))) {
      const fault = await result;
      if (fault !== null) faults.push(fault);
    }
    for (const detail of faults.slice(0, MOST)) yield { ok: false, detail };
    if (faults.length > MOST) yield { ok: false, detail: `${faults.length - MOST} more faults of digests` };
    if (faults.length > 0) return;
    const count = [...chains.values()].flat().length;
    yield count === 0
      ? { ok: false, detail: `${store.name}: ${NONE}` }
      : {
          ok: true,
          detail: `${count} digests of the last day list ${claims.length} files; all are there, and none was changed`,
        };
  } catch (error) {
    yield { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    store.close();
  }
}

const NONE = 'found no digest of the last day; turn on log file validation for the trail, or digests off here';

interface Listed {
  /** Of the last days, by account and region. */
  readonly logs: ReadonlyMap<string, readonly StoredObject[]>;
  /** Of the last day. */
  readonly digests: ReadonlyMap<string, readonly StoredObject[]>;
}

async function listed({ store, plan, now, signal }: CompleteOptions): Promise<Listed> {
  const logs = new Map<string, StoredObject[]>();
  const digests = new Map<string, StoredObject[]>();
  for await (const { prefix, startAfter } of plan.listings(store, { from: now - 2 * DAY_MS, to: now }, signal)) {
    for (let next: string | null | undefined; next !== null; ) {
      const from = next === undefined ? (startAfter === null ? {} : { startAfter }) : { next };
      const page: ListPage = await store.list({ prefix, ...from }, signal);
      for (const object of page.objects) {
        const place = parseTrailKey(object.key);
        if (!place || plan.find(object.key, object.size).kind !== 'log') continue;
        if (place.kind === 'digest' && (place.time ?? object.modified) < now - DAY_MS) continue;
        const kept = place.kind === 'digest' ? digests : logs;
        const chain = chainName(place);
        kept.set(chain, [...(kept.get(chain) ?? []), object]);
      }
      next = page.next;
    }
  }
  return { logs, digests };
}

async function readDigests(
  objects: readonly StoredObject[],
  { store, signal }: CompleteOptions,
  faults: string[],
): Promise<Digest[]> {
  const digests: Digest[] = [];
  for (const object of objects) {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of unpacked(await store.get(object, signal), { limit: LONGEST_DIGEST }))
        chunks.push(chunk);
      digests.push(parseDigest(Buffer.concat(chunks).toString('utf8')));
    } catch (error) {
      faults.push(`${object.key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return digests.sort((a, b) => a.start - b.start);
}

const LONGEST_DIGEST = 16 * 1024 * 1024;

function gapsOf(chain: string, digests: readonly Digest[], now: number): readonly string[] {
  const gaps: string[] = [];
  let until = digests[0]?.start ?? now;
  for (const { start, end } of digests) {
    if (start > until + TOUCH_MS) gaps.push(`${chain}: no digest tells of ${textOf(until)} to ${textOf(start)}`);
    until = Math.max(until, end);
  }
  if (digests.length > 0 && until < now - NEWEST_MS)
    gaps.push(`${chain}: the newest digest is of ${textOf(until)}; they come hourly, if log file validation is on`);
  return gaps;
}

async function check(
  { key: told, sha256 }: Digest['files'][number],
  objects: ReadonlyMap<string, StoredObject>,
  { store, head, signal }: CompleteOptions,
): Promise<string | null> {
  const place = parseTrailKey(told);
  const key = place ? head + told.slice(place.prefix.length) : told;
  try {
    const object =
      objects.get(key) ?? (await store.list({ prefix: key }, signal)).objects.find((one) => one.key === key);
    if (!object) return `${key} is missing, though a digest lists it`;
    const hash = createHash('sha256');
    for await (const chunk of unpacked(await store.get(object, signal))) hash.update(chunk);
    return hash.digest('hex') === sha256 ? null : `${key} has not the content that a digest tells of`;
  } catch (error) {
    return `${key}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function textOf(time: number): string {
  return new Date(time).toISOString();
}
