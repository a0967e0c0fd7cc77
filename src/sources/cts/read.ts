import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Batch, SourceContext } from '../../core/source.ts';
import type { CtsClient } from './access/client.ts';
import { type CtsItem, ctsItem } from './item.ts';
import type { SeenTraces } from './seen.ts';
import { type CtsSettings, LONGEST_TIMER_MS } from './settings.ts';
import { type Found, type Walked, type WalkPage, type WalkQuery, walkWindow } from './walk.ts';
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
  /** A window is read: whole (null), or why not. */
  readonly onPoll: (problem: string | null) => void;
  readonly onError: (text: string) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * What lies before the window by more than this is forgotten, in milliseconds: windows begin earlier again where the
 * clock of the service turns out to have been ahead.
 */
const REMEMBER_MS = 3_660_000;
/** What one answer says of the time may be wrong: a clock that jumps by more is asked again, in milliseconds. */
const JUMP_MS = 60_000;
const MOST_QUESTIONS = 5;
/** A window that cannot be decoded is read in parts, down to this length in milliseconds. */
const SHORTEST_MS = 1_000;
/** Late by two intervals and this, an answer tells nothing of how fast traces can be seen, in milliseconds. */
const ON_TIME_MS = 10_000;

/** Reads the traces of one project in one region, window by window. */
export class CtsReader {
  readonly #options: ReaderOptions;
  #cursor: number | null = null;
  /** By how much the service's clock was ahead of `performance.now`. */
  #aheadMs: number | null = null;
  /** When the last poll began that read its whole window, by `performance.now`. */
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
      let isWhole = true;
      for (let more = true; more; ) {
        await client.place(signal);
        const now = await this.#clock(at);
        at = yield* this.#expire(at, now);
        const next = nextWindow(at, { ...settings, now });
        const asked = performance.now();
        // A clock that was set back meanwhile must not leave out what is recorded by it.
        const reached = () => Math.floor(Math.min(next.cursor, client.now() - (performance.now() - asked)));
        const polled: Polled = yield* this.#poll(at, { ...next, reached, visible: !next.more, isPatient: true });
        at = polled.position;
        this.#options.onPoll(polled.problem);
        isWhole &&= polled.problem === null;
        more = next.more;
      }
      if (isWhole) this.#wholeAt = began;
      const waitMs = Math.min(LONGEST_TIMER_MS, settings.intervalMs - (performance.now() - began));
      await delay(waitMs, undefined, { signal }).catch(() => {});
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
      at = (yield* this.#poll(at, { window, reached: () => window.to, visible: false, isPatient: false })).position;
    }
  }

  /** Moves the cursor to what the service still keeps. */
  async *#expire(at: CtsPosition, now: number): AsyncGenerator<Batch<CtsItem>, CtsPosition> {
    const { settings, onGap, onError } = this.#options;
    const seconds = expiredSeconds(at, { ...settings, now });
    if (seconds === 0) return at;
    onError(`traces of ${Math.round(seconds)} s are older than what the service keeps, and were not read`);
    const moved = { ...at, cursor: now - settings.retentionMs };
    yield this.#moveTo(moved, () => onGap(seconds));
    return moved;
  }

  /** The service's clock. A jump, and that there was a long outage, is believed where answers agree on it. */
  async #clock(at: CtsPosition): Promise<number> {
    const { client, settings } = this.#options;
    const jumpMs = this.#aheadMs === null ? 0 : this.#ahead() - this.#aheadMs;
    const isLate = expiredSeconds(at, { ...settings, now: client.now() }) > 0;
    if (isLate || Math.abs(jumpMs) > JUMP_MS) await this.#askTime(at);
    this.#aheadMs = this.#ahead();
    return client.now();
  }

  #ahead(): number {
    return this.#options.client.now() - performance.now();
  }

  /** Asks for the time until two answers in a row agree. */
  async #askTime(at: CtsPosition): Promise<void> {
    let last = this.#ahead();
    for (let tries = 0; tries < MOST_QUESTIONS; tries++) {
      await this.#probe(at);
      const ahead = this.#ahead();
      if (Math.abs(ahead - last) <= JUMP_MS) return;
      last = ahead;
    }
  }

  /** Asks what costs nothing, to know the time anew; tells whether the answer can be read. */
  async #probe({ floor }: CtsPosition): Promise<boolean> {
    const { client, signal } = this.#options;
    const from = Math.max(floor, Math.floor(client.now()));
    return !('undecodable' in (await client.list({ from: from - 1, to: from + 1, next: null }, signal)));
  }

  async *#poll(at: CtsPosition, poll: Poll): AsyncGenerator<Batch<CtsItem>, Polled> {
    const { window, reached, visible, isPatient } = poll;
    const { seen, settings, onGap } = this.#options;
    const firstWalk = seen.walks + 1;
    const gaps: Window[] = [];
    for (const part of withoutPassed(window, at.passed)) {
      yield* this.#readWindow(part, { at, gaps, visible, isPatient });
    }
    if (reached() < at.cursor - JUMP_MS) await this.#askTime(at);
    const cursor = reached();
    // A first start may have begun by a clock that was ahead.
    const floor = Math.min(at.floor, cursor);
    const from = Math.max(floor, cursor - settings.overlapMs);
    const position = { cursor, floor, passed: addPassed(at.passed, gaps, from) };
    yield this.#moveTo(position, () => {
      for (const gap of gaps) onGap((gap.to - gap.from) / 1000);
      seen.forget(from - REMEMBER_MS, firstWalk);
    });
    const [gap] = gaps;
    return { position, problem: gap ? `traces about ${new Date(gap.from).toISOString()} cannot be read` : null };
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
    let walked = yield* this.#walk(window, poll);
    while (walked.kind === 'undecodable' && !(await this.#probe(poll.at))) {
      // It is not for what lies in this window.
      if (!poll.isPatient) throw new Error(walked.text);
      const { settings, signal } = this.#options;
      await delay(Math.min(LONGEST_TIMER_MS, settings.intervalMs), undefined, { signal });
      walked = yield* this.#walk(window, poll);
    }
    if (walked.kind === 'whole') return;
    const length = window.to - window.from;
    if (length > (walked.kind === 'undecodable' ? SHORTEST_MS : 1)) {
      const middle = window.from + Math.floor(length / 2);
      yield* this.#readWindow({ from: window.from, to: middle }, poll);
      yield* this.#readWindow({ from: middle, to: window.to }, poll);
      return;
    }
    const why = walked.kind === 'undecodable' ? walked.text : 'it has too many pages';
    this.#options.onError(`${new Date(window.from).toISOString()} and ${length} ms on cannot be read: ${why}`);
    poll.gaps.push(window);
  }

  async *#walk(window: Window, { at, visible }: Reading): AsyncGenerator<Batch<CtsItem>, Walked> {
    const { seen } = this.#options;
    const walk = walkWindow<CtsItem>({ window, seen, list: (query) => this.#list(query, visible) });
    let step = await walk.next();
    for (; !step.done; step = await walk.next()) yield batchOf(step.value, at);
    return step.value;
  }

  async #list(query: WalkQuery, visible: boolean): Promise<WalkPage<CtsItem>> {
    const { client, settings, signal } = this.#options;
    const page = await client.list(query, signal);
    if ('undecodable' in page) return page;
    const isOnTime = performance.now() - this.#wholeAt <= 2 * settings.intervalMs + ON_TIME_MS;
    return { ...page, items: page.items.map((item) => ctsItem(item, { at: page.at, visible: visible && isOnTime })) };
  }
}

interface Poll extends Pick<NextWindow, 'window'> {
  /** Where the cursor stands once all is read. */
  readonly reached: () => number;
  /** Whether it reads the newest traces. */
  readonly visible: boolean;
  /** Whether it waits where no answer at all can be read; otherwise it gives up. */
  readonly isPatient: boolean;
}

interface Polled {
  readonly position: CtsPosition;
  /** Why not all of the window was read, or null. */
  readonly problem: string | null;
}

interface Reading extends Pick<Poll, 'visible' | 'isPatient'> {
  readonly at: CtsPosition;
  readonly gaps: Window[];
}

function beginning(floor: number): CtsPosition {
  return { cursor: floor, floor, passed: [] };
}

function batchOf({ items, bytes, onPage }: Found<CtsItem>, position: CtsPosition): Batch<CtsItem> {
  return { items: onPage ? items : items.map((item) => ({ ...item, onPage })), bytes, position };
}
