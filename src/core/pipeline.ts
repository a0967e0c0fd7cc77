import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../lib/backoff.ts';
import type { Addresses } from './addresses.ts';
import type { Cell } from './cells.ts';
import type { Catalogue } from './metrics/define.ts';
import type { CounterSeries, Handles } from './metrics/handles.ts';
import type { Registry } from './metrics/registry.ts';
import { SOURCE_METRICS } from './own.ts';
import { createRate, type Rate } from './rate.ts';
import { type SavedSource, sourceCells } from './saved-source.ts';
import { type AnySource, type Batch, isRejected, type OpenedSource, type SourceContext } from './source.ts';

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
  readonly now: () => number;
  readonly follow: boolean;
  readonly range: SourceContext<Catalogue>['range'];
  readonly addresses: Addresses;
  readonly saved: SavedSource;
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
    };
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
    this.#own.up.set(this.#label, 0);
    this.#opened = spec.open(options.config, {
      name,
      metrics: registry.register(name, spec.metrics, constant),
      log: options.log,
      report: {
        problem: (text) => this.#problem(text),
        error: (text, cause) => this.#error(text, cause),
        duplicate: () => this.#duplicates.inc(),
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
    return { ...this.#status, rate: this.#rate.perSecond() };
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
        for await (const batch of batches) this.#take(batch);
        break;
      } catch (cause) {
        if (signal.aborted) break;
        if (!this.#options.follow) throw cause;
        if (before !== this.#position) attempt = 0;
        this.#error('cannot read', cause);
        this.#problem(cause instanceof Error ? cause.message : String(cause));
        await delay(backoffMs(attempt, { firstMs: 500, maxMs: 30_000 }), undefined, { signal }).catch(() => {});
      }
    }
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

  /** No `await` in here: totals, the source's memory and the position always belong together. */
  #take(batch: Batch<unknown>): void {
    const { registry, now } = this.#options;
    const opened = this.#opened;
    const time = now();
    registry.time = time;
    let items = 0;
    let events = 0;
    let rejected = 0;
    let last: unknown;
    for (const raw of batch.items) {
      items += 1;
      const parsed = opened.parse(raw);
      if (parsed === null) continue;
      // `parse` gives an object or null: `defineSource` asks for it.
      if (isRejected(parsed as object)) {
        rejected += 1;
        this.#reject((parsed as { rejected: string }).rejected, 1, raw);
        continue;
      }
      opened.observe(parsed, raw);
      last = raw;
      events += 1;
    }
    opened.settle?.();
    for (const [reason, count] of Object.entries(batch.rejected ?? {})) {
      items += count;
      rejected += count;
      this.#reject(reason, count, undefined);
    }
    if (items > 0) this.#items.inc(items);
    if (batch.bytes > 0) this.#bytes.inc(batch.bytes);
    if (events > 0) this.#events.inc(events);
    this.#status.events += events;
    this.#status.rejected += rejected;
    this.#rate.add(events);
    const lastTime = last === undefined ? null : opened.timeOf(last);
    if (lastTime !== null) this.#noteTime(lastTime, time);
    this.#position = batch.position;
    this.#moved = true;
    // A batch without items tells a position, not that anything can be read.
    if (items > 0 || this.#status.state === 'starting') this.#setState('reading', null);
    this.#becomeReady();
  }

  #noteTime(last: number, now: number): void {
    const lag = Math.max(0, now - last) / 1000;
    this.#status.lastEvent = last;
    this.#status.lag = lag;
    this.#own.lastEvent.set(this.#label, last / 1000);
    this.#own.lag.set(this.#label, lag);
  }

  #reject(reason: string, count: number, raw: unknown): void {
    this.#own.rejected.inc({ ...this.#label, reason }, count);
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
