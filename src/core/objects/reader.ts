import { setTimeout as delay } from 'node:timers/promises';
import { ahead } from '../../lib/ahead.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { isBroken, unpacked } from '../../lib/objects/body.ts';
import { compareKeys } from '../../lib/objects/key-order.ts';
import type { Listing, Plan } from '../../lib/objects/plan.ts';
import { failureOf, type ListPage, type ObjectStore, type StoredObject, storeError } from '../../lib/objects/store.ts';
import type { Catalogue } from '../metrics/define.ts';
import type { Batch, Remark, SavedEntries, SourceContext } from '../source.ts';
import { Growth } from './growth.ts';
import { type Counted, Ledger, type LedgerEntry, type ObjectState } from './ledger.ts';

/** How records are told apart within objects. */
export interface ObjectFormat<Raw> {
  /**
   * Whether an object that was put again with more is read on from where it ended. Otherwise it is read again from its
   * beginning, and its records are known by their ids.
   */
  readonly grows: boolean;
  open(object: StoredObject): ObjectContent<Raw>;
}

/** The content of one object. */
export interface ObjectContent<Raw> {
  /** Items that end in this chunk; gone through once, before the next chunk comes. */
  items(chunk: Buffer): Iterable<Raw>;
  /** Items that end with the content. Throws a `brokenError` if it is not whole. */
  end(): Iterable<Raw>;
}

export interface ObjectReaderOptions<Raw> {
  readonly store: ObjectStore;
  readonly plan: Plan;
  readonly format: ObjectFormat<Raw>;
  /** Between two looks at the store. */
  readonly intervalMs: number;
  /** At the very first start, what was put there longer ago is left out. */
  readonly sinceMs: number;
  readonly context: Pick<SourceContext<Catalogue>, 'follow' | 'range' | 'report' | 'log' | 'signal' | 'now'>;
  /** Told what became of each object, when that counts. */
  readonly onResult: (result: ObjectState) => void;
  /** Without following: whether what was read asks for another look at the store. */
  readonly hasMore?: () => boolean;
}

/** Where a reader is: from when on objects are wanted, and when it last saw all there was (milliseconds since 1970). */
interface Position {
  readonly began: number;
  readonly listed: number | null;
}

/** An object whose last fetch failed, through no fault of its own. */
interface Failing {
  /** As it was listed then. */
  readonly etag: string;
  /** Those that failed earlier have the lower number. */
  readonly order: number;
  /** Unpacked bytes that came at best. */
  readonly reached: number;
}

/** An object's beginning, in memory where that is small, or why it could not be had. */
type Fetched = { readonly body: AsyncIterable<Buffer> } | { readonly error: unknown };

/** Objects that are fetched at once, each whole if it is not larger than this. */
const AT_ONCE = 4;
const WHOLE_BYTES = 4 * 1024 * 1024;
/** After so many failures in a row the store is left alone for a while. */
const FAILURES = 3;
/** Tries of an object that is broken; without waiting, where nothing is followed. */
const TRIES = 6;
const TRIES_ONCE = 2;
const LONGEST_RETRY_MS = 3_600_000;
/** Without following, a store may be of no use for so long. */
const STANDSTILL_MS = 30_000;
/** A key that no listing shows any more is remembered for so long. */
const FORGET_MS = 86_400_000;
/** Keys of one page of a listing. */
const PAGE_KEYS = 1_000;
const REMARKS = 20;
/** Objects of which it is known that they failed; further ones are only tried again in their turn. */
const MOST_FAILING = 10_000;

/**
 * Reads the objects of a log, each exactly once: what an object holds counts together with the entry of its key, at its
 * end, or not at all.
 */
export class ObjectReader<Raw> {
  readonly #options: ObjectReaderOptions<Raw>;
  readonly #ledger: Ledger;
  /** Null until the store's clock is known. */
  #position: Position | null = null;
  /** What the object that is being read becomes, once that counts. */
  #verdict: { readonly key: string; readonly entry: LedgerEntry } | null = null;
  /** By how much the store's clock is ahead of ours; null before it told. */
  #skewMs: number | null = null;
  /** When reading began, by our clock. */
  #startedMs = 0;
  #failures = 0;
  readonly #failing = new Map<string, Failing>();
  #failed = 0;
  /** Keys that are being fetched, or are about to be: two listings may show the same one. */
  readonly #underWay = new Set<string>();
  #problem: string | null = null;
  #waitMs = 0;
  #isUnfinished = false;
  /** When something was last achieved, by `performance.now()`: an object was read, or at first, keys were listed. */
  #progress = 0;
  #rounds = 0;

  constructor(options: ObjectReaderOptions<Raw>) {
    this.#options = options;
    this.#ledger = new Ledger({ isSaved: options.context.follow });
  }

  /** Reads what is there, and goes on to look for more if it is to follow. */
  async *read(position: unknown): AsyncGenerator<Batch<Raw>> {
    const { context, intervalMs } = this.#options;
    const { follow, report, signal } = context;
    // A saved position is one that was given out here before.
    this.#position = position as Position | null;
    this.#startedMs = context.now();
    this.#progress = performance.now();
    for (let attempt = 0; !signal.aborted; ) {
      this.#problem = null;
      this.#waitMs = 0;
      this.#isUnfinished = false;
      yield* this.#round();
      this.#rounds += 1;
      if (signal.aborted) return;
      if (this.#problem === null) {
        attempt = 0;
        report.problem(null);
        yield { items: [], position: this.#position, bytes: 0 };
        if (!follow && !this.#isUnfinished && !this.#options.hasMore?.()) return;
      } else {
        report.problem(this.#problem);
        if (!follow && performance.now() - this.#progress > STANDSTILL_MS) throw new Error(this.#problem);
      }
      const backoff = backoffMs(attempt++, { firstMs: 1_000, maxMs: 60_000 });
      const waitMs = this.#problem !== null ? Math.max(backoff, this.#waitMs) : follow ? intervalMs : 0;
      await delay(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /** What became of an object; null for one that is not known, or no longer. */
  stateOf(key: string): ObjectState | null {
    return this.#ledger.get(key)?.state ?? null;
  }

  /** Objects from before this time are not wanted, in milliseconds since 1970. */
  get began(): number {
    return this.#position?.began ?? Number.NEGATIVE_INFINITY;
  }

  /** What was read of an object counts, or never will. */
  conclude(counted: boolean): void {
    const verdict = this.#verdict;
    this.#verdict = null;
    if (!verdict || (verdict.entry.state === 'done' && !counted)) return;
    const { key, entry } = verdict;
    this.#ledger.set(key, entry, this.#now());
    this.#options.onResult(entry.state);
  }

  takeChanges(): SavedEntries {
    return this.#ledger.takeChanges();
  }

  restore(entries: SavedEntries): void {
    this.#ledger.restore(entries, this.#now());
  }

  /** Objects that could not be read. */
  remarks(): readonly Remark[] {
    const bad = [...this.#ledger.inState('quarantined')].map(([key, { problem }]) => ({
      text: `quarantined: ${key}: ${problem}`,
      bad: true,
    }));
    if (bad.length <= REMARKS) return bad;
    return [...bad.slice(0, REMARKS), { text: `quarantined: ${bad.length - REMARKS} more`, bad: true }];
  }

  #now(): number {
    return this.#options.context.now() + (this.#skewMs ?? 0);
  }

  async *#round(): AsyncGenerator<Batch<Raw>> {
    const { context } = this.#options;
    this.#failures = 0;
    this.#underWay.clear();
    let now = 0;
    try {
      if (this.#skewMs === null) await this.#readClock();
      now = this.#now();
      if (this.#position === null) {
        this.#position = { began: this.#beginning(), listed: null };
        // Saved at once: after a crash the beginning must not be a later one.
        yield { items: [], position: this.#position, bytes: 0 };
      }
      const { began, listed } = this.#position;
      // Should the clock have been ahead for a while, that would hide what came meanwhile.
      const wanted = this.#wanted({ from: Math.min(listed ?? began, now), to: now });
      for await (const { item, result } of ahead(wanted, AT_ONCE, (object) => this.#fetch(object))) {
        yield* this.#object(item, await result);
        this.#underWay.delete(item.key);
        if (context.signal.aborted) return;
        if (this.#failures >= FAILURES) return;
      }
    } catch (error) {
      if (!context.signal.aborted) this.#fail(error);
    }
    if (this.#problem !== null || context.signal.aborted) return;
    if (!context.follow || this.#position === null) return;
    this.#position = { ...this.#position, listed: now };
    this.#ledger.sweep(this.#now() - FORGET_MS);
  }

  /** Times of objects are those of the store, so its clock has to be known before any of them is compared. */
  async #readClock(): Promise<void> {
    const { store, plan, context } = this.#options;
    const page = await store.list({ prefix: plan.prefix ?? '', folders: true }, context.signal);
    this.#skewMs = page.time === null ? 0 : page.time - context.now();
  }

  /** What was put there before this is left out, by the store's clock. */
  #beginning(): number {
    const { context, sinceMs } = this.#options;
    const skewMs = this.#skewMs ?? 0;
    if (context.follow) return this.#startedMs + skewMs - sinceMs;
    // Events may have been timed by another clock than the store's.
    return (context.range.since ?? Number.NEGATIVE_INFINITY) + Math.min(0, skewMs);
  }

  /** Objects that there is something to do about; last those that failed before, which else could hold up all others. */
  async *#wanted(span: { readonly from: number; readonly to: number }): AsyncGenerator<StoredObject> {
    const { store, plan, context } = this.#options;
    const late: StoredObject[] = [];
    for await (const listing of plan.listings(store, span, context.signal)) {
      for await (const object of this.#list(listing)) {
        if (this.#failing.has(object.key)) late.push(object);
        else yield object;
      }
    }
    if (context.follow) yield* this.#overdue();
    const orderOf = ({ key }: StoredObject) => this.#failing.get(key)?.order ?? 0;
    yield* late.sort((a, b) => orderOf(a) - orderOf(b));
  }

  /** Broken objects that are to be tried again, and that no listing shows any more. */
  async *#overdue(): AsyncGenerator<StoredObject> {
    const { store, context } = this.#options;
    const now = this.#now();
    const due = [...this.#ledger.inState('failed')].filter(([, { next }]) => next <= now).map(([key]) => key);
    for (const key of due) {
      if (this.#underWay.has(key)) continue;
      const { objects } = await store.list({ prefix: key }, context.signal);
      const object = objects.find((one) => one.key === key);
      if (!object) this.#ledger.forget(key);
      else if (this.#isWanted(object)) {
        this.#underWay.add(key);
        yield object;
      }
    }
  }

  async *#list(listing: Listing): AsyncGenerator<StoredObject> {
    const { store, context } = this.#options;
    const { prefix, until, ordered, flat } = listing;
    const startAfter = laterOf(listing.startAfter, this.#ledger.floor(prefix));
    let floor: string | null = null;
    let isOpen = false;
    let keys = 0;
    for (let next: string | null | undefined; next !== null; ) {
      const from = next === undefined ? (startAfter === null ? {} : { startAfter }) : { next };
      const page: ListPage = await store.list({ prefix, folders: flat, ...from }, context.signal);
      if (this.#rounds === 0) this.#progress = performance.now();
      if (page.time !== null) this.#skewMs = page.time - context.now();
      for (const object of page.objects) {
        if (until !== undefined && compareKeys(object.key, until) >= 0) break;
        keys += 1;
        const isWanted = !this.#underWay.has(object.key) && this.#isWanted(object);
        isOpen ||= isWanted || this.#isOpen(object);
        if (!isOpen) floor = object.key;
        if (!isWanted) continue;
        this.#underWay.add(object.key);
        yield object;
      }
      next = until !== undefined && isPast(page, until) ? null : page.next;
    }
    if (ordered && context.follow && floor !== null && keys > PAGE_KEYS) this.#ledger.raise(prefix, floor);
  }

  /** Whether something may still have to be done about it, or a key may yet come that sorts before it. */
  #isOpen(object: StoredObject): boolean {
    const { plan } = this.#options;
    if (this.#underWay.has(object.key) || this.#ledger.get(object.key)?.state === 'failed') return true;
    const found = plan.find(object.key, object.size);
    return this.#now() - ((found.kind === 'log' ? found.time : null) ?? object.modified) < plan.lookBackMs;
  }

  #isWanted(object: StoredObject): boolean {
    const { plan, onResult } = this.#options;
    const found = plan.find(object.key, object.size);
    if (found.kind === 'nothing' || this.#position === null || object.modified < this.#position.began) return false;
    const now = this.#now();
    if (this.#ledger.isSettled(object, now)) return false;
    if (found.kind === 'log') return true;
    this.#ledger.set(object.key, { ...entryOf(object, null), state: 'ignored' }, now);
    onResult('ignored');
    return false;
  }

  /** Never rejects. */
  async #fetch(object: StoredObject): Promise<Fetched> {
    if (object.size > WHOLE_BYTES) return { body: this.#body(object) };
    try {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of this.#body(object)) {
        chunks.push(chunk);
        length += chunk.length;
        if (length <= WHOLE_BYTES) continue;
        const { name } = this.#options.store;
        throw storeError(`${name} gives more of ${JSON.stringify(object.key)} than it lists`, { kind: 'changed' });
      }
      return { body: asIterable(chunks) };
    } catch (error) {
      return { error };
    }
  }

  async *#body(object: StoredObject): AsyncGenerator<Buffer> {
    yield* await this.#options.store.get(object, this.#options.context.signal);
  }

  async *#object(object: StoredObject, fetched: Fetched): AsyncGenerator<Batch<Raw>> {
    const { format, context } = this.#options;
    const known = this.#ledger.get(object.key);
    const growth = new Growth(format.grows ? known : null);
    const nothing = { items: [], bytes: 0, position: this.#position };
    let records = 0;
    let fault: unknown = null;
    // Who goes through the items is not to hear of what is wrong with the object.
    const counted = function* (items: Iterable<Raw>): Generator<Raw> {
      try {
        for (const item of items) {
          records += 1;
          yield item;
        }
      } catch (error) {
        fault = error;
      }
    };
    try {
      if ('error' in fetched) throw fetched.error;
      const content = format.open(object);
      for await (const chunk of unpacked(fetched.body)) {
        const bytes = growth.pass(chunk);
        if (growth.length > (this.#failing.get(object.key)?.reached ?? 0)) this.#progress = performance.now();
        if (bytes.length === 0) continue;
        yield { ...nothing, items: counted(content.items(bytes)), bytes: bytes.length, aside: 'more' };
        if (fault !== null) throw fault;
        if (context.signal.aborted) return;
      }
      // Nothing of the last line may be counted before all is known to be sound.
      const last = [...content.end()];
      if (growth.isOther) {
        this.#conclude(object, known, 'changed', 'was put there again with other content than was counted');
        yield { ...nothing, aside: 'dropped' };
        return;
      }
      const total: Counted = {
        records: records + last.length + (format.grows ? (known?.records ?? 0) : 0),
        length: growth.length,
        crc: growth.crc,
      };
      this.#conclude(object, total, 'done', '');
      yield { ...nothing, items: last, aside: 'done' };
    } catch (error) {
      if (context.signal.aborted) return;
      if (isBroken(error)) this.#broken(object, known, error);
      else this.#missed(object, error, growth.length);
      yield { ...nothing, aside: 'dropped' };
      return;
    }
    this.#failures = 0;
    this.#failing.delete(object.key);
    this.#progress = performance.now();
  }

  #conclude(object: StoredObject, counted: Counted | null, state: ObjectState, problem: string): void {
    if (state === 'changed') this.#options.context.log.warn({ key: object.key, problem }, 'object is not counted');
    this.#verdict = { key: object.key, entry: { ...entryOf(object, counted), state, problem } };
  }

  #broken(object: StoredObject, known: LedgerEntry | null, error: unknown): void {
    const { context, intervalMs } = this.#options;
    const { follow, log } = context;
    const isSame = known?.etag === object.etag && known.size === object.size;
    const tries = (isSame ? known.tries : 0) + 1;
    const problem = messageOf(error);
    const state = tries >= (follow ? TRIES : TRIES_ONCE) ? 'quarantined' : 'failed';
    const next = follow ? this.#now() + Math.min(intervalMs * 2 ** (tries - 1), LONGEST_RETRY_MS) : 0;
    if (state === 'failed') this.#isUnfinished = true;
    log.warn({ key: object.key, problem, tries, state }, 'object is broken');
    const entry = { ...entryOf(object, known), state, tries, next, problem } as const;
    this.#verdict = { key: object.key, entry };
    this.#failing.delete(object.key);
    this.#failures = 0;
    this.#progress = performance.now();
  }

  /** It could not be had, or not to its end. */
  #missed(object: StoredObject, error: unknown, reached: number): void {
    const { key, etag } = object;
    const { kind } = failureOf(error);
    const before = this.#failing.get(key);
    this.#verdict = null;
    this.#failing.delete(key);
    if (kind !== 'gone' && this.#failing.size < MOST_FAILING) {
      const order = this.#failed++;
      this.#failing.set(key, { etag, order, reached: Math.max(reached, before?.reached ?? 0) });
    }
    // The next listing shows what is there now; if that is as before, listings and objects do not fit together.
    const isNews = kind === 'changed' && before?.etag !== etag;
    if (isNews) this.#isUnfinished = true;
    if (isNews || kind === 'gone') {
      this.#options.context.log.info({ key }, kind === 'gone' ? 'object is gone' : 'object has changed');
      return;
    }
    this.#failures += 1;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    const { report } = this.#options.context;
    report.error('cannot read', error);
    this.#problem ??= messageOf(error);
    this.#waitMs = Math.max(this.#waitMs, failureOf(error).waitMs ?? 0);
  }
}

function entryOf({ etag, size }: StoredObject, counted: Counted | null): LedgerEntry {
  const { records = 0, length = 0, crc = 0 } = counted ?? {};
  return { etag, size, records, length, crc, state: 'done', tries: 0, next: 0, problem: '' };
}

function laterOf(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareKeys(a, b) < 0 ? b : a;
}

/** Whether all that a page has at its end, and so all that follows, is behind a key. */
function isPast({ objects, folders }: ListPage, key: string): boolean {
  return [objects.at(-1)?.key, folders.at(-1)].some((last) => last !== undefined && compareKeys(last, key) >= 0);
}

async function* asIterable(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
