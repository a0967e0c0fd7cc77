import type { Logger } from 'pino';
import type { CounterSeries, Handles } from './metrics/handles.ts';
import type { Registry } from './metrics/registry.ts';
import { SOURCE_METRICS } from './own.ts';
import { createRate, type Rate } from './rate.ts';
import { type Batch, DUPLICATE, EXCLUDED, type Remark } from './source.ts';

/** What a person wants to know of a source. */
export interface SourceStatus {
  readonly name: string;
  readonly type: string;
  readonly state: 'starting' | 'reading' | 'waiting' | 'ended';
  /** What keeps it from reading, or null. */
  readonly problem: string | null;
  /** When `state` or `problem` last changed, in milliseconds since 1970. */
  readonly since: number;
  readonly events: number;
  readonly rejected: number;
  /** Events a second, over the last minute. */
  readonly rate: number;
  /** Age in seconds of the newest event when it was read, or how far the reading is behind; null if not known yet. */
  readonly lag: number | null;
  /** Milliseconds since 1970 of the newest event, or null. */
  readonly lastEvent: number | null;
  readonly lastError: { readonly time: number; readonly text: string } | null;
  readonly remarks: readonly Remark[];
}

/** What came in one batch, or in all that count together. */
export interface Tally {
  items: number;
  bytes: number;
  events: number;
  readonly rejected: Map<string, number>;
  /** Time of the newest event, as far as it is told. */
  newest: number | null;
  /** The last item that became an event. */
  last?: unknown;
}

export function emptyTally(): Tally {
  return { items: 0, bytes: 0, events: 0, rejected: new Map(), newest: null };
}

/** Items that were refused. */
export function noteRejected({ rejected }: Tally, reason: string, count: number): void {
  rejected.set(reason, (rejected.get(reason) ?? 0) + count);
}

/** What a batch tells beside its items. */
export function noteBeside(
  tally: Tally,
  { bytes, rejected = {}, passed }: Pick<Batch<unknown>, 'bytes' | 'rejected' | 'passed'>,
): void {
  const events = passed?.() ?? 0;
  tally.items += events;
  tally.events += events;
  for (const [reason, count] of Object.entries(rejected)) {
    tally.items += count;
    noteRejected(tally, reason, count);
  }
  tally.bytes += bytes;
}

/** The time of an event, which may be older than others. */
export function noteNewest(tally: Tally, time: number | null): void {
  if (time !== null && (tally.newest === null || time > tally.newest)) tally.newest = time;
}

export interface FiguresOptions {
  readonly name: string;
  /** Value of the label `source`. */
  readonly label: string;
  readonly type: string;
  /** Reasons that are shown from the start. */
  readonly reasons: readonly string[];
  /** Whether the source says by itself when it can be read. */
  readonly tellsUp: boolean;
  readonly registry: Registry;
  readonly log: Logger;
  readonly now: () => number;
}

/** A reason is logged at most so often. */
const REJECT_LOG_MS = 60_000;

/** What is told of a source itself: the metrics that all sources have, its status, and its log. */
export class SourceFigures {
  readonly #options: FiguresOptions;
  readonly #own: Handles<typeof SOURCE_METRICS>;
  readonly #label: { readonly source: string };
  readonly #items: CounterSeries;
  readonly #bytes: CounterSeries;
  readonly #events: CounterSeries;
  readonly #duplicates: CounterSeries;
  readonly #errors: CounterSeries;
  readonly #rate: Rate;
  readonly #rejectLogged = new Map<string, number>();
  #status: { -readonly [K in keyof Omit<SourceStatus, 'rate' | 'remarks'>]: SourceStatus[K] };

  constructor(options: FiguresOptions) {
    const { name, label, type, reasons, registry, now } = options;
    this.#options = options;
    this.#label = { source: label };
    this.#own = registry.register(name, SOURCE_METRICS);
    this.#items = this.#own.items.series(this.#label);
    this.#bytes = this.#own.bytes.series(this.#label);
    this.#events = this.#own.events.series(this.#label);
    this.#duplicates = this.#own.duplicates.series(this.#label);
    this.#errors = this.#own.errors.series(this.#label);
    this.#rate = createRate(now);
    this.#status = {
      name,
      type,
      state: 'starting',
      problem: null,
      since: now(),
      events: 0,
      rejected: 0,
      lag: null,
      lastEvent: null,
      lastError: null,
    };
    this.#own.up.set(this.#label, 0);
    for (const reason of reasons) this.#own.rejected.series({ ...this.#label, reason });
  }

  get lastEvent(): number | null {
    return this.#status.lastEvent;
  }

  status(): Omit<SourceStatus, 'remarks'> {
    return { ...this.#status, rate: this.#rate.perSecond() };
  }

  count({ items, bytes, events, rejected, newest }: Tally, time: number): void {
    if (items > 0) this.#items.inc(items);
    if (bytes > 0) this.#bytes.inc(bytes);
    if (events > 0) this.#events.inc(events);
    this.#status.events += events;
    this.#rate.add(events);
    for (const [reason, count] of rejected) {
      if (reason === DUPLICATE.rejected) {
        this.#duplicates.inc(count);
        continue;
      }
      this.#own.rejected.inc({ ...this.#label, reason }, count);
      this.#status.rejected += count;
    }
    if (newest !== null) this.#noteTime(newest, time);
  }

  /** A batch came. One without items tells a position, not that anything can be read. */
  arrived(items: number): void {
    if (this.#options.tellsUp) return;
    if (items > 0 || this.#status.state === 'starting') this.setState('reading', null);
  }

  /** An item that was known already. */
  duplicate(): void {
    this.#duplicates.inc();
  }

  /** Says now and then that items are refused; they are counted with the others of their batch. */
  logRejected(reason: string, excerpt: () => string | undefined): void {
    if (reason === DUPLICATE.rejected || reason === EXCLUDED.rejected) return;
    const now = this.#options.now();
    if (now - (this.#rejectLogged.get(reason) ?? Number.NEGATIVE_INFINITY) < REJECT_LOG_MS) return;
    this.#rejectLogged.set(reason, now);
    this.#options.log.warn(
      { reason, excerpt: excerpt() },
      'item rejected; further ones of this reason in the next minute are only counted',
    );
  }

  /** What keeps it from reading, or null: it reads again. */
  problem(text: string | null): void {
    if (text === null) {
      if (this.#status.state !== 'ended') this.setState('reading', null);
      return;
    }
    if (text !== this.#status.problem) this.#options.log.warn({ problem: text }, 'source cannot be read');
    this.setState('waiting', text);
  }

  error(text: string, cause: unknown): void {
    this.#options.registry.time = this.#options.now();
    this.#errors.inc();
    const detail = cause instanceof Error ? `${text}: ${cause.message}` : text;
    this.#status.lastError = { time: this.#options.now(), text: detail };
    this.#options.log.error({ detail }, 'source error');
  }

  setState(state: SourceStatus['state'], problem: string | null): void {
    if (state === this.#status.state && problem === this.#status.problem) return;
    Object.assign(this.#status, { state, problem, since: this.#options.now() });
    this.#own.up.set(this.#label, state === 'reading' || (state === 'ended' && problem === null) ? 1 : 0);
  }

  /** How far the reading is behind, in milliseconds. */
  lag(ms: number): void {
    this.#status.lag = ms / 1000;
    this.#own.lag.set(this.#label, ms / 1000);
  }

  #noteTime(last: number, now: number): void {
    this.#status.lastEvent = last;
    this.#own.lastEvent.set(this.#label, last / 1000);
    this.lag(Math.max(0, now - last));
  }
}
