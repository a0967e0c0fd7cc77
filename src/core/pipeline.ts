import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../lib/backoff.ts';
import type { Addresses } from './addresses.ts';
import type { Cell } from './cells.ts';
import type { Catalogue } from './metrics/define.ts';
import type { CounterSeries, Handles } from './metrics/handles.ts';
import type { Registry } from './metrics/registry.ts';
import { registrySink } from './metrics/registry-sink.ts';
import { type Sink, Stage } from './metrics/stage.ts';
import { SOURCE_METRICS } from './own.ts';
import type { Queue } from './queue.ts';
import { createRate, type Rate } from './rate.ts';
import { type SavedSource, sourceCells } from './saved-source.ts';
import {
  type AnySource,
  type Batch,
  DUPLICATE,
  EXCLUDED,
  isRejected,
  type OpenedSource,
  type Remark,
  type SourceContext,
} from './source.ts';
import type { Spool } from './spool.ts';

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
  /** Age in seconds of the newest event when it was read, or null before the first. */
  readonly lag: number | null;
  /** Milliseconds since 1970 of the newest event, or null. */
  readonly lastEvent: number | null;
  readonly lastError: { readonly time: number; readonly text: string } | null;
  readonly remarks: readonly Remark[];
}

/** The past, in the order in which it is read: where its numbers go, and the length of the steps that they are counted in. */
export interface History {
  readonly sink: Sink;
  readonly stepMs: number;
  /** So many events have no time, and are in no step. */
  onUntimed(events: number): void;
  /** Told after each batch; waited for. */
  settled(): Promise<void>;
}

/** The loop of one source. */
export interface Pipeline {
  readonly name: string;
  /** Resolves when the source knows where it reads from, or why it cannot read yet. */
  readonly ready: Promise<void>;
  /** Resolves when the source has ended: at the end of `once`, or after an abort. */
  readonly done: Promise<void>;
  readonly status: () => SourceStatus;
  /** Takes one more sample now and waits for it. */
  sample(): Promise<void>;
  /** What changed of the position, and of what the source remembers, since the last call. */
  takeCells(): readonly Cell[];
}

export interface PipelineOptions {
  /** `reaction` or `reaction/NAME`. */
  readonly name: string;
  readonly spec: AnySource;
  readonly config: unknown;
  readonly registry: Registry;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  readonly follow: boolean;
  readonly range: SourceContext<Catalogue>['range'];
  readonly addresses: Addresses;
  readonly saved: SavedSource;
  /** Where events go on to writers; null where there are none. */
  readonly queue: Queue | null;
  /** Set where it is the past that is wanted, and not what is shown now. */
  readonly history?: History;
  readonly signal: AbortSignal;
}

/** A reason is logged at most so often. */
const REJECT_LOG_MS = 60_000;

/** Opens a source and runs its loop: read, parse, observe, and move the position on, without a pause in between. */
export function startPipeline(options: PipelineOptions): Pipeline {
  const run = new Run(options);
  const done = run.loop();
  return {
    name: options.name,
    ready: run.ready,
    done,
    status: () => run.status(),
    sample: () => run.sample(),
    takeCells: () => run.takeCells(),
  };
}

/** The value of the label `source`, and the constant labels of the source's own metrics. */
export function sourceLabel(name: string): { readonly label: string; readonly constant: readonly [string, string][] } {
  const slash = name.indexOf('/');
  if (slash < 0) return { label: name, constant: [] };
  const label = name.slice(slash + 1);
  return { label, constant: [['source', label]] };
}

class Run {
  readonly ready: Promise<void>;
  readonly #options: PipelineOptions;
  readonly #own: Handles<typeof SOURCE_METRICS>;
  readonly #label: { readonly source: string };
  readonly #opened: OpenedSource<unknown, unknown>;
  readonly #items: CounterSeries;
  readonly #bytes: CounterSeries;
  readonly #events: CounterSeries;
  readonly #duplicates: CounterSeries;
  readonly #errors: CounterSeries;
  readonly #rate: Rate;
  readonly #rejectLogged = new Map<string, number>();
  readonly #stage: Stage<Catalogue>;
  readonly #sink: Sink;
  readonly #live: Spool | null;
  readonly #spool: Spool | null;
  /** What came aside, and does not count yet. */
  #aside: Tally | null = null;
  /** What is being observed repeats something. */
  #repeats = false;
  #position: unknown;
  #moved = false;
  #becomeReady: () => void = () => {};
  #sampling: Promise<void> | null = null;
  #status: { -readonly [K in keyof SourceStatus]: SourceStatus[K] };

  constructor(options: PipelineOptions) {
    const { name, spec, registry, now, saved } = options;
    const { label, constant } = sourceLabel(name);
    this.#options = options;
    this.#label = { source: label };
    this.#own = registry.register(name, SOURCE_METRICS);
    this.#items = this.#own.items.series(this.#label);
    this.#bytes = this.#own.bytes.series(this.#label);
    this.#events = this.#own.events.series(this.#label);
    this.#duplicates = this.#own.duplicates.series(this.#label);
    this.#errors = this.#own.errors.series(this.#label);
    this.#rate = createRate(now);
    this.#position = saved.position;
    this.#status = {
      name,
      type: spec.type,
      state: 'starting',
      problem: null,
      since: now(),
      events: 0,
      rejected: 0,
      rate: 0,
      lag: null,
      lastEvent: null,
      lastError: null,
      remarks: [],
    };
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
    this.#own.up.set(this.#label, 0);
    for (const reason of spec.reasons ?? []) this.#own.rejected.series({ ...this.#label, reason });
    const metrics = registry.register(name, spec.metrics, constant);
    this.#stage = new Stage(spec.metrics, {
      limitOf: (def) => registry.limitOf(def),
      isKnown: (def, labels) => registry.has(name, def, labels),
      areNative: registry.areNative,
      history: options.history !== undefined,
    });
    this.#sink = options.history?.sink ?? registrySink(spec.metrics, metrics, registry);
    this.#live = options.queue?.live(name) ?? null;
    this.#spool = options.queue?.spool(name) ?? null;
    this.#opened = spec.open(options.config, {
      name,
      metrics: options.history ? this.#stage.handles : metrics,
      aside: this.#stage.handles,
      log: options.log,
      env: options.env,
      report: {
        problem: (text) => this.#problem(text),
        error: (text, cause) => this.#error(text, cause),
        duplicate: () => {
          this.#repeats = true;
          this.#duplicates.inc();
        },
      },
      now,
      follow: options.follow,
      range: options.range,
      addresses: options.addresses,
      signal: options.signal,
    });
    this.#opened.restore?.(saved.entries);
  }

  status(): SourceStatus {
    return { ...this.#status, rate: this.#rate.perSecond(), remarks: this.#opened.remarks?.() ?? [] };
  }

  async loop(): Promise<void> {
    const { signal, spec } = this.#options;
    // What is read first may be on its way while that is prepared which it will be parsed with.
    let first: AsyncIterable<Batch<unknown>> | null = this.#opened.read(this.#position);
    await this.#opened.prepare?.();
    const timer = this.#opened.sample && this.#options.follow ? this.#sampleEvery(spec.sampleMs ?? 10_000) : undefined;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const before = this.#position;
      this.#setState('starting', null);
      try {
        const batches = first ?? this.#opened.read(this.#position);
        first = null;
        for await (const batch of batches) {
          this.#take(batch);
          await this.#room(batch);
        }
        break;
      } catch (cause) {
        this.#abandon();
        if (signal.aborted) break;
        if (!this.#options.follow) throw cause;
        if (before !== this.#position) attempt = 0;
        this.#error('cannot read', cause);
        this.#problem(cause instanceof Error ? cause.message : String(cause));
        await delay(backoffMs(attempt, { firstMs: 500, maxMs: 30_000 }), undefined, { signal }).catch(() => {});
      }
    }
    this.#abandon();
    clearInterval(timer);
    this.#setState('ended', null);
    this.#becomeReady();
    await this.#sampling;
    await this.#opened.close?.();
  }

  sample(): Promise<void> {
    this.#sampling ??= (this.#opened.sample?.() ?? Promise.resolve())
      .catch((cause: unknown) => this.#error('cannot sample', cause))
      .finally(() => (this.#sampling = null));
    return this.#sampling;
  }

  takeCells(): readonly Cell[] {
    const { name } = this.#options;
    const entries = this.#opened.changes?.() ?? [];
    if (!this.#moved && entries.length === 0) return [];
    this.#moved = false;
    return sourceCells(name, { position: this.#position ?? null, entries });
  }

  /** No `await` in here: totals, events, the source's memory and the position always belong together. */
  #take(batch: Batch<unknown>): void {
    const time = this.#options.now();
    this.#options.registry.time = time;
    const tally = this.#aside ?? { items: 0, bytes: 0, events: 0, rejected: new Map(), newest: null };
    this.#read(batch, tally);
    this.#becomeReady();
    if (batch.aside === 'more') {
      this.#aside = tally;
      return;
    }
    this.#aside = null;
    if (batch.aside) this.#conclude(batch.aside === 'done');
    else if (this.#options.history) this.#stage.merge(this.#sink);
    // An object that came late does not make the newest event an older one.
    if (batch.aside && tally.newest !== null && tally.newest < (this.#status.lastEvent ?? 0)) tally.newest = null;
    if (batch.aside !== 'dropped') this.#count(tally, time);
    this.#position = batch.position;
    this.#moved = true;
    // A batch without items tells a position, not that anything can be read.
    if (tally.items > 0 || this.#status.state === 'starting') this.#setState('reading', null);
  }

  #read(batch: Batch<unknown>, tally: Tally): void {
    const opened = this.#opened;
    const spool = batch.aside ? this.#spool : this.#live;
    for (const raw of batch.items) {
      tally.items += 1;
      const parsed = opened.parse(raw);
      if (parsed === null) continue;
      // `parse` gives an object or null: `defineSource` asks for it.
      if (isRejected(parsed as object)) {
        this.#reject(tally, (parsed as { rejected: string }).rejected, 1, raw);
        continue;
      }
      if (this.#options.history && !this.#enterStep(this.#options.history, opened.timeOf(raw))) continue;
      this.#repeats = false;
      opened.observe(parsed, raw);
      if (spool && !this.#repeats) spool.add(opened.event(parsed, raw));
      tally.events += 1;
      // Only of what comes aside the newest is not the last.
      if (batch.aside) noteNewest(tally, opened.timeOf(raw));
      else tally.last = raw;
    }
    opened.settle?.();
    if (tally.last !== undefined) tally.newest = opened.timeOf(tally.last);
    for (const [reason, count] of Object.entries(batch.rejected ?? {})) {
      tally.items += count;
      this.#reject(tally, reason, count, undefined);
    }
    tally.bytes += batch.bytes;
  }

  /** Waits, until the end at most, while too many events of its kind are on their way to the disk. */
  async #room({ aside }: Batch<unknown>): Promise<void> {
    const { signal } = this.#options;
    const spool = aside ? this.#spool : this.#live;
    for (let room = spool?.room(); room && !signal.aborted; room = spool?.room()) await orAborted(room, signal);
  }

  /** What is counted now belongs to the step of this time. */
  #enterStep({ stepMs, onUntimed }: History, time: number | null): boolean {
    if (time === null) {
      onUntimed(1);
      return false;
    }
    const step = Math.ceil(time / stepMs);
    if (step !== this.#stage.step) this.#opened.settle?.();
    this.#stage.step = step;
    return true;
  }

  #conclude(counted: boolean): void {
    this.#opened.conclude?.(counted);
    if (counted) {
      this.#stage.merge(this.#sink);
      this.#spool?.publish();
    } else {
      this.#stage.drop();
      this.#spool?.drop();
    }
  }

  /** What came aside will never be whole. */
  #abandon(): void {
    if (this.#aside) this.#conclude(false);
    this.#aside = null;
  }

  #count({ items, bytes, events, rejected, newest }: Tally, time: number): void {
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

  #noteTime(last: number, now: number): void {
    const lag = Math.max(0, now - last) / 1000;
    this.#status.lastEvent = last;
    this.#status.lag = lag;
    this.#own.lastEvent.set(this.#label, last / 1000);
    this.#own.lag.set(this.#label, lag);
  }

  #reject({ rejected }: Tally, reason: string, count: number, raw: unknown): void {
    rejected.set(reason, (rejected.get(reason) ?? 0) + count);
    if (reason === DUPLICATE.rejected || reason === EXCLUDED.rejected) return;
    const now = this.#options.now();
    if (now - (this.#rejectLogged.get(reason) ?? Number.NEGATIVE_INFINITY) < REJECT_LOG_MS) return;
    this.#rejectLogged.set(reason, now);
    const excerpt = raw === undefined ? undefined : this.#opened.excerpt(raw);
    this.#options.log.warn(
      { reason, excerpt },
      'item rejected; further ones of this reason in the next minute are only counted',
    );
  }

  #problem(text: string | null): void {
    if (text === null) {
      if (this.#status.state === 'waiting') this.#setState('reading', null);
      return;
    }
    if (text !== this.#status.problem) this.#options.log.warn({ problem: text }, 'source cannot be read');
    this.#setState('waiting', text);
    this.#becomeReady();
  }

  #error(text: string, cause: unknown): void {
    this.#options.registry.time = this.#options.now();
    this.#errors.inc();
    const detail = cause instanceof Error ? `${text}: ${cause.message}` : text;
    this.#status.lastError = { time: this.#options.now(), text: detail };
    this.#options.log.error({ detail }, 'source error');
  }

  #setState(state: SourceStatus['state'], problem: string | null): void {
    if (state === this.#status.state && problem === this.#status.problem) return;
    Object.assign(this.#status, { state, problem, since: this.#options.now() });
    this.#own.up.set(this.#label, state === 'reading' || (state === 'ended' && problem === null) ? 1 : 0);
  }

  #sampleEvery(ms: number): NodeJS.Timeout {
    void this.sample();
    return setInterval(() => void this.sample(), ms).unref();
  }
}

/** What came in one batch, or in all that count together. */
interface Tally {
  items: number;
  bytes: number;
  events: number;
  readonly rejected: Map<string, number>;
  /** Time of the newest event, as far as it is told. */
  newest: number | null;
  /** The last item that became an event. */
  last?: unknown;
}

/** Resolves with a promise that never rejects, or at the end. */
function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    void promise.then(end);
  });
}

function noteNewest(tally: Tally, time: number | null): void {
  if (time !== null && (tally.newest === null || time > tally.newest)) tally.newest = time;
}
