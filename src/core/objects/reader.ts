import { setTimeout as delay } from 'node:timers/promises';
import { ahead } from '../../lib/ahead.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { unpacked } from '../../lib/objects/body.ts';
import { isBroken } from '../../lib/objects/broken.ts';
import { Checksum } from '../../lib/objects/checksum.ts';
import type { Plan } from '../../lib/objects/plan.ts';
import { failureOf, type ObjectStore, type StoredObject } from '../../lib/objects/store.ts';
import type { Catalogue } from '../metrics/define.ts';
import type { Batch, Remark, SavedEntries, SourceContext } from '../source.ts';
import { brokenEntry, quarantineRemarks } from './broken.ts';
import { FailingObjects } from './failing.ts';
import { type Fetched, fetchObject } from './fetch.ts';
import type { ObjectFormat } from './format.ts';
import { Growth } from './growth.ts';
import { type Counted, entryOf, Ledger, type LedgerEntry, type ObjectState } from './ledger.ts';
import { ObjectLister } from './lister.ts';
import { StoreClock } from './store-clock.ts';

export type { ObjectContent, ObjectFormat } from './format.ts';

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

/** Objects that are fetched at once. */
const AT_ONCE = 4;
/** After so many failures in a row the store is left alone for a while. */
const FAILURES = 3;
/** Without following, a store may be of no use for so long. */
const STANDSTILL_MS = 30_000;
/** A key that no listing shows any more is remembered for so long. */
const FORGET_MS = 86_400_000;

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
  /** When reading began, by our clock. */
  #startedMs = 0;
  readonly #clock: StoreClock;
  readonly #failing = new FailingObjects();
  readonly #lister: ObjectLister;
  /** In a row. */
  #failures = 0;
  #problem: string | null = null;
  #waitMs = 0;
  #isUnfinished = false;
  /** Whether this round has read an object. */
  #isGettingOn = false;
  /** When something was last achieved, by `performance.now()`: an object was read, or at first, keys were listed. */
  #progress = 0;
  #rounds = 0;

  constructor(options: ObjectReaderOptions<Raw>) {
    const { store, plan, context, onResult } = options;
    const { follow, signal, now } = context;
    this.#options = options;
    this.#ledger = new Ledger({ isSaved: follow });
    this.#clock = new StoreClock(now);
    this.#lister = new ObjectLister({
      ...{ store, plan, follow, signal, ledger: this.#ledger, clock: this.#clock, failing: this.#failing },
      onPage: () => {
        if (this.#rounds === 0) this.#progress = performance.now();
      },
      onIgnored: () => onResult('ignored'),
    });
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
      this.#isGettingOn = false;
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
      }
      // However long the store wants to be left alone.
      const leftMs = follow ? Number.POSITIVE_INFINITY : STANDSTILL_MS - (performance.now() - this.#progress);
      if (this.#problem !== null && leftMs < 0) throw new Error(this.#problem);
      // Of many objects some may always fail: that is no reason to leave the others alone.
      if (this.#isGettingOn) attempt = 0;
      const backoff = backoffMs(attempt++, { firstMs: 1_000, maxMs: 60_000 });
      const waitMs = this.#problem !== null ? Math.max(backoff, this.#waitMs) : follow ? intervalMs : 0;
      await delay(Math.min(waitMs, leftMs + 1), undefined, { signal }).catch(() => {});
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
    this.#ledger.set(key, entry, this.#clock.now());
    this.#options.onResult(entry.state);
  }

  takeChanges(): SavedEntries {
    return this.#ledger.takeChanges();
  }

  restore(entries: SavedEntries): void {
    this.#ledger.restore(entries, this.#clock.now());
  }

  /** Objects that could not be read. */
  remarks(): readonly Remark[] {
    return quarantineRemarks(this.#ledger);
  }

  async *#round(): AsyncGenerator<Batch<Raw>> {
    const { store, context } = this.#options;
    const { follow, signal } = context;
    this.#failures = 0;
    let now = 0;
    try {
      if (!this.#clock.isKnown) await this.#readClock();
      now = this.#clock.now();
      if (this.#position === null || now < this.#position.began) {
        // Later than now it can only be where the clock was set back.
        this.#position = { began: this.#beginning(now), listed: null };
        // Saved at once: after a crash the beginning must not be a later one.
        yield { items: [], position: this.#position, bytes: 0 };
      }
      const { began, listed } = this.#position;
      // Should the clock have been ahead for a while, that would hide what came meanwhile.
      const wanted = this.#lister.wanted({ from: Math.min(listed ?? began, now), to: now }, began);
      for await (const { item, result } of ahead(wanted, AT_ONCE, (object) => fetchObject(store, object, signal))) {
        yield* this.#object(item, await result);
        this.#lister.done(item.key);
        if (signal.aborted || this.#failures >= FAILURES) return;
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
    if (this.#problem !== null || signal.aborted || !follow || this.#position === null) return;
    this.#position = { ...this.#position, listed: now };
    // By the lower of the two: should the clock have leapt meanwhile, all would look old.
    this.#ledger.sweep(Math.min(now, this.#clock.now()) - FORGET_MS);
  }

  /** Times of objects are those of the store, so its clock has to be known before any of them is compared. */
  async #readClock(): Promise<void> {
    const { store, plan, context } = this.#options;
    const { time } = await store.list({ prefix: plan.prefix ?? '', folders: true }, context.signal);
    this.#clock.note(time);
  }

  /** What was put there before this is left out, by the store's clock. */
  #beginning(now: number): number {
    const { context, sinceMs } = this.#options;
    // Events may have been timed by another clock than the store's.
    if (!context.follow) return (context.range.since ?? Number.NEGATIVE_INFINITY) + Math.min(0, this.#clock.aheadMs);
    return (this.#position === null ? this.#startedMs + this.#clock.aheadMs : now) - sinceMs;
  }

  async *#object(object: StoredObject, fetched: Fetched): AsyncGenerator<Batch<Raw>> {
    const { format, context } = this.#options;
    const known = this.#ledger.get(object.key);
    const growth = new Growth(format.grows ? known : null);
    const sum = new Checksum();
    const nothing = { items: [], bytes: 0, position: this.#position };
    const before = format.grows ? (known?.records ?? 0) : 0;
    try {
      if ('error' in fetched) throw fetched.error;
      const content = format.open(object);
      for await (const chunk of unpacked(fetched.body, { sum })) {
        const bytes = growth.pass(chunk);
        if (sum.length > this.#failing.reached(object.key)) this.#progress = performance.now();
        if (bytes.length === 0) continue;
        yield { ...nothing, items: content.items(bytes), bytes: bytes.length, aside: 'more' };
        if (context.signal.aborted) return;
      }
      // Nothing of the last line may be counted before all is known to be sound.
      const last = content.end();
      if (growth.isOther) {
        this.#conclude(object, known, 'changed', 'was put there again with other content than was counted');
        yield { ...nothing, aside: 'dropped' };
        return;
      }
      const { length, crc } = sum;
      this.#conclude(object, { records: before + content.given, length, crc }, 'done', '');
      yield { ...nothing, items: last, aside: 'done' };
    } catch (error) {
      if (context.signal.aborted) return;
      if (isBroken(error)) this.#broken(object, known, error);
      else this.#missed(object, error, sum.length);
      yield { ...nothing, aside: 'dropped' };
      return;
    }
    this.#gotOn(object);
  }

  #gotOn({ key }: StoredObject): void {
    this.#failures = 0;
    this.#failing.delete(key);
    this.#isGettingOn = true;
    this.#progress = performance.now();
  }

  #conclude(object: StoredObject, counted: Counted | null, state: ObjectState, problem: string): void {
    if (state === 'changed') this.#options.context.log.warn({ key: object.key, problem }, 'object is not counted');
    this.#verdict = { key: object.key, entry: { ...entryOf(object, counted), state, problem } };
  }

  #broken(object: StoredObject, known: LedgerEntry | null, error: unknown): void {
    const { context, intervalMs } = this.#options;
    const { follow, log } = context;
    const entry = brokenEntry(object, known, { follow, intervalMs, now: this.#clock.now(), problem: messageOf(error) });
    const { problem, tries, state } = entry;
    if (state === 'failed') this.#isUnfinished = true;
    log.warn({ key: object.key, problem, tries, state }, 'object is broken');
    this.#verdict = { key: object.key, entry };
    this.#gotOn(object);
  }

  /** It could not be had, or not to its end. */
  #missed(object: StoredObject, error: unknown, reached: number): void {
    const { key } = object;
    const { kind } = failureOf(error);
    // The next listing shows what is there now; if that is as before, listings and objects do not fit together.
    const isNews = kind === 'changed' && !this.#failing.isKnown(object);
    this.#verdict = null;
    if (kind === 'gone') this.#failing.delete(key);
    else this.#failing.add(object, reached);
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
