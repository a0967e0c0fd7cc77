import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Batch, SourceContext } from '../../core/source.ts';
import type { CtsClient } from './access/client.ts';
import { type CtsItem, ctsItem } from './item.ts';
import type { SeenTraces } from './seen.ts';
import type { CtsSettings } from './settings.ts';
import { type Found, type WalkPage, type WalkQuery, walkWindow } from './walk.ts';
import {
  addPassed,
  type CtsPosition,
  expiredSeconds,
  type NextWindow,
  nextWindow,
  type Window,
  withoutPassed,
} from './windows.ts';

type Range = SourceContext<Record<string, never>>['range'];

export interface ReaderOptions {
  readonly client: CtsClient;
  readonly settings: Pick<CtsSettings, 'intervalMs' | 'overlapMs' | 'sinceMs' | 'retentionMs'>;
  readonly seen: SeenTraces;
  /** Traces of so many seconds are gone for good; called together with the move of the position. */
  readonly onGap: (seconds: number) => void;
  /** A poll read its whole window. */
  readonly onWhole: () => void;
  readonly onError: (text: string) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What lies before the window by more than this is forgotten, in milliseconds. */
const REMEMBER_MS = 60_000;
/** A window that cannot be decoded is read in parts, down to this length in milliseconds. */
const SHORTEST_MS = 1_000;
/** Late by two intervals and this, a poll tells nothing of how fast traces can be seen, in milliseconds. */
const ON_TIME_MS = 10_000;

/** Reads the traces of one project in one region, window by window. */
export class CtsReader {
  readonly #options: ReaderOptions;
  #cursor: number | null = null;
  /** When a poll last read its whole window, by `performance.now`. */
  #wholeAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** How far the reading is behind, in milliseconds; null before the first position. */
  lagMs(): number | null {
    return this.#cursor === null ? null : Math.max(0, this.#options.client.now() - this.#cursor);
  }

  /** Polls until it is stopped. `position` was written by this. */
  async *follow(position: CtsPosition | null): AsyncGenerator<Batch<CtsItem>> {
    const { client, settings, signal } = this.#options;
    await client.place(signal);
    let at = position ?? beginning(client.now() - settings.sinceMs);
    this.#cursor = at.cursor;
    yield { items: [], bytes: 0, position: at };
    while (!signal.aborted) {
      const began = performance.now();
      const isOnTime = began - this.#wholeAt <= 2 * settings.intervalMs + ON_TIME_MS;
      for (let more = true; more; ) {
        await client.place(signal);
        const times = { ...settings, now: client.now() };
        at = yield* this.#expire(at, expiredSeconds(at, times), times);
        const next = nextWindow(at, times);
        const asked = performance.now();
        // A clock that was set back meanwhile must not leave out what is recorded by it.
        const reached = () => Math.floor(Math.min(next.cursor, client.now() - (performance.now() - asked)));
        at = yield* this.#poll(at, { ...next, reached, visible: isOnTime && !next.more });
        more = next.more;
      }
      this.#wholeAt = began;
      this.#options.onWhole();
      await delay(settings.intervalMs - (performance.now() - began), undefined, { signal }).catch(() => {});
    }
  }

  /** Reads a stretch of the past once, hour by hour: all that the service keeps, if nothing is said of it. */
  async *pass({ since, until }: Range): AsyncGenerator<Batch<CtsItem>> {
    const { client, settings, signal, log } = this.#options;
    await client.place(signal);
    const now = client.now();
    const kept = now - settings.retentionMs;
    if (since !== null && since < kept) {
      log.warn(
        { since: new Date(since), kept: new Date(kept) },
        'traces are kept only so long; what is older is not there',
      );
    }
    const floor = Math.max(since ?? kept, kept);
    const end = Math.min(until ?? now + 1, now + 1);
    let at = beginning(floor);
    yield { items: [], bytes: 0, position: at };
    while (at.cursor < end && !signal.aborted) {
      const times = { ...settings, overlapMs: 0, now: end - 1 };
      const next = nextWindow(at, times);
      const window = { from: next.window.from, to: Math.min(next.window.to, end) };
      at = yield* this.#poll(at, { window, reached: () => window.to, visible: false });
    }
  }

  /** Moves the cursor to what the service still keeps. */
  async *#expire(
    at: CtsPosition,
    seconds: number,
    { now, retentionMs }: { readonly now: number; readonly retentionMs: number },
  ): AsyncGenerator<Batch<CtsItem>, CtsPosition> {
    if (seconds <= 0) return at;
    const { onGap, onError } = this.#options;
    onError(`traces of ${Math.round(seconds)} s are older than what the service keeps, and were not read`);
    const moved = { ...at, cursor: now - retentionMs };
    yield this.#moveTo(moved, () => onGap(seconds));
    return moved;
  }

  async *#poll(at: CtsPosition, { window, reached, visible }: Poll): AsyncGenerator<Batch<CtsItem>, CtsPosition> {
    const { seen, settings, onGap } = this.#options;
    const firstWalk = seen.walks + 1;
    const gaps: Window[] = [];
    for (const part of withoutPassed(window, at.passed)) yield* this.#readWindow(part, { at, gaps, visible });
    const cursor = reached();
    const from = Math.max(at.floor, cursor - settings.overlapMs);
    const moved = { ...at, cursor, passed: addPassed(at.passed, gaps, from) };
    yield this.#moveTo(moved, () => {
      for (const gap of gaps) onGap((gap.to - gap.from) / 1000);
      seen.forget(from - REMEMBER_MS, firstWalk);
    });
    return moved;
  }

  /** `act` is called when the position moves, neither before nor after: what it counts is saved together with it. */
  #moveTo(position: CtsPosition, act: () => void): Batch<CtsItem> {
    // Items are asked for when the batch is counted, and this one has none.
    const items: Iterable<CtsItem> = {
      [Symbol.iterator]: () => {
        act();
        return [][Symbol.iterator]();
      },
    };
    this.#cursor = position.cursor;
    return { items, bytes: 0, position };
  }

  /** Reads a window, in parts if it has to be; what cannot be read is added to `gaps`. */
  async *#readWindow(window: Window, poll: Reading): AsyncGenerator<Batch<CtsItem>> {
    const { seen, onError } = this.#options;
    const walk = walkWindow<CtsItem>({ window, seen, list: (query) => this.#list(query, poll.visible) });
    let step = await walk.next();
    for (; !step.done; step = await walk.next()) yield batchOf(step.value, poll.at);
    const walked = step.value;
    if (walked.kind === 'whole') return;
    const length = window.to - window.from;
    if (length > (walked.kind === 'undecodable' ? SHORTEST_MS : 1)) {
      const middle = window.from + Math.floor(length / 2);
      yield* this.#readWindow({ from: window.from, to: middle }, poll);
      yield* this.#readWindow({ from: middle, to: window.to }, poll);
      return;
    }
    const why = walked.kind === 'undecodable' ? walked.text : 'it has too many pages';
    onError(`${new Date(window.from).toISOString()} and ${length} ms on cannot be read: ${why}`);
    poll.gaps.push(window);
  }

  async #list(query: WalkQuery, visible: boolean): Promise<WalkPage<CtsItem>> {
    const page = await this.#options.client.list(query, this.#options.signal);
    if ('undecodable' in page) return page;
    return { ...page, items: page.items.map((item) => ctsItem(item, { at: page.at, visible })) };
  }
}

interface Poll extends Pick<NextWindow, 'window'> {
  /** Where the cursor stands once all is read. */
  readonly reached: () => number;
  readonly visible: boolean;
}

interface Reading {
  readonly at: CtsPosition;
  readonly gaps: Window[];
  /** Whether traces came as soon as they could be seen. */
  readonly visible: boolean;
}

function beginning(floor: number): CtsPosition {
  return { cursor: floor, floor, passed: [] };
}

function batchOf({ items, bytes, onPage }: Found<CtsItem>, position: CtsPosition): Batch<CtsItem> {
  return { items: onPage ? items : items.map((item) => ({ ...item, onPage })), bytes, position };
}
