import { resultsAhead } from '../../lib/ahead.ts';
import { compareKeys } from '../../lib/objects/key-order.ts';
import type { Listing, Plan, Span } from '../../lib/objects/plan.ts';
import type { ListPage, ListQuery, ObjectStore, StoredObject } from '../../lib/objects/store.ts';
import type { FailingObjects } from './failing.ts';
import { entryOf, type Ledger } from './ledger.ts';
import type { StoreClock } from './store-clock.ts';

export interface ListerOptions {
  readonly store: ObjectStore;
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly clock: StoreClock;
  readonly failing: FailingObjects;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly onPage: () => void;
  /** Told of a key that lies among logs and is none, once. */
  readonly onIgnored: () => void;
}

/** Keys of one page of a listing. */
const PAGE_KEYS = 1_000;
/** Prefixes that are listed at once. */
const AT_ONCE = 8;

/** Finds the objects that there is something to do about. */
export class ObjectLister {
  readonly #options: ListerOptions;
  /** Keys that were given and are not done with: two listings may show the same one. */
  readonly #underWay = new Set<string>();
  #began = Number.NEGATIVE_INFINITY;

  constructor(options: ListerOptions) {
    this.#options = options;
  }

  /**
   * Objects that may have been put there in this span, and not before `began`; last those that failed before. Whoever
   * takes one tells when it is `done`.
   */
  async *wanted(span: Span, began: number): AsyncGenerator<StoredObject> {
    const { store, plan, failing, follow, signal } = this.#options;
    this.#underWay.clear();
    this.#began = began;
    const late: StoredObject[] = [];
    const listings = plan.listings(store, span, signal);
    for await (const [listing, page] of resultsAhead(listings, AT_ONCE, (one) => this.#firstPage(one))) {
      for await (const object of this.#list(listing, page)) {
        if (failing.has(object.key)) late.push(object);
        else yield object;
      }
    }
    if (follow) yield* this.#overdue();
    yield* late.sort((a, b) => failing.compare(a, b));
  }

  done(key: string): void {
    this.#underWay.delete(key);
  }

  #firstPage({ prefix, startAfter, flat }: Listing): Promise<ListPage> {
    const from = laterOf(startAfter, this.#options.ledger.floor(prefix));
    return this.#page({ prefix, folders: flat, ...(from !== null && { startAfter: from }) });
  }

  /** The time that a page tells is that of its arrival: it may be gone through much later. */
  async #page(query: ListQuery): Promise<ListPage> {
    const { store, clock, signal } = this.#options;
    const page = await store.list(query, signal);
    clock.note(page.time);
    return page;
  }

  async *#list({ prefix, until, ordered, flat }: Listing, first: ListPage): AsyncGenerator<StoredObject> {
    const { ledger, follow, onPage } = this.#options;
    let floor: string | null = null;
    let isOpen = false;
    let keys = 0;
    for (let page: ListPage | null = first; page !== null; ) {
      onPage();
      for (const object of page.objects) {
        if (until !== undefined && compareKeys(object.key, until) >= 0) break;
        keys += 1;
        const isWanted = this.#take(object);
        isOpen ||= isWanted || this.#isOpen(object);
        if (!isOpen) floor = object.key;
        if (isWanted) yield object;
      }
      const next: string | null = until !== undefined && isPast(page, until) ? null : page.next;
      page = next === null ? null : await this.#page({ prefix, folders: flat, next });
    }
    if (ordered && follow && floor !== null && keys > PAGE_KEYS) ledger.raise(prefix, floor);
  }

  /** Broken objects that are to be tried again, and that no listing shows any more. */
  async *#overdue(): AsyncGenerator<StoredObject> {
    const { store, ledger, clock, signal } = this.#options;
    const now = clock.now();
    const due = [...ledger.inState('failed')].filter(([, { next }]) => next <= now).map(([key]) => key);
    for (const key of due) {
      if (this.#underWay.has(key)) continue;
      const { objects } = await store.list({ prefix: key }, signal);
      const object = objects.find((one) => one.key === key);
      if (!object) ledger.forget(key);
      else if (this.#take(object)) yield object;
    }
  }

  /** Whether something may still have to be done about it, or a key may yet come that sorts before it. */
  #isOpen({ key, size, modified }: StoredObject): boolean {
    const { plan, ledger, clock } = this.#options;
    if (this.#underWay.has(key) || ledger.get(key)?.state === 'failed') return true;
    const found = plan.find(key, size);
    return clock.now() - ((found.kind === 'log' ? found.time : null) ?? modified) < plan.lookBackMs;
  }

  /** Whether there is something to do about it, which nobody does yet. */
  #take(object: StoredObject): boolean {
    const { key, size, modified } = object;
    const { plan, ledger, clock, onIgnored } = this.#options;
    if (this.#underWay.has(key)) return false;
    const found = plan.find(key, size);
    if (found.kind === 'nothing' || modified < this.#began) return false;
    const now = clock.now();
    if (ledger.isSettled(object, now)) return false;
    if (found.kind === 'log') {
      this.#underWay.add(key);
      return true;
    }
    ledger.set(key, { ...entryOf(object, null), state: 'ignored' }, now);
    onIgnored();
    return false;
  }
}

function laterOf(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareKeys(a, b) < 0 ? b : a;
}

/** Whether all that a page has at its end, and so all that follows, is behind a key. */
function isPast({ objects, folders }: ListPage, key: string): boolean {
  return [objects.at(-1)?.key, folders.at(-1)].some((last) => last !== undefined && compareKeys(last, key) >= 0);
}
