import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../lib/backoff.ts';
import type { Addresses } from './addresses.ts';
import type { Cell } from './cells.ts';
import { type History, stepOf } from './history/steps.ts';
import type { Catalogue } from './metrics/define.ts';
import type { Registry } from './metrics/registry.ts';
import { handlesOf, registrySink } from './metrics/registry-sink.ts';
import { type Sink, Stage } from './metrics/stage.ts';
import type { Queue } from './queue.ts';
import type { Receiver } from './receiver.ts';
import { type SavedSource, sourceCells } from './saved-source.ts';
import { type AnySource, type Batch, isRejected, type OpenedSource, type SourceContext } from './source.ts';
import {
  emptyTally,
  noteBeside,
  noteNewest,
  noteRejected,
  SourceFigures,
  type SourceStatus,
  type Tally,
} from './source-figures.ts';
import { sourceLabel } from './source-label.ts';
import type { Spool } from './spool.ts';

/** The loop of one source. */
export interface Pipeline {
  readonly name: string;
  /** Resolves when the source knows where it reads from, or why it cannot read yet. */
  readonly ready: Promise<void>;
  /** Resolves when the source has ended: at the end of `once`, or after an abort. */
  readonly done: Promise<void>;
  readonly status: () => SourceStatus;
  /** Where the source takes what is pushed to it. */
  readonly receivers: readonly Receiver[];
  /** Brings the gauges of what is now up to date. */
  show(): void;
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
  /** Brings all that counts by now to disk; absent where nothing is kept. */
  readonly commit?: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Opens a source and runs its loop: read, parse, observe, and move the position on, without a pause in between. */
export function startPipeline(options: PipelineOptions): Pipeline {
  const run = new Run(options);
  return {
    name: options.name,
    ready: run.ready,
    done: run.loop(),
    status: () => run.status(),
    receivers: run.receivers,
    show: () => run.show(),
    sample: () => run.sample(),
    takeCells: () => run.takeCells(),
  };
}

class Run {
  readonly ready: Promise<void>;
  readonly receivers: readonly Receiver[];
  readonly #options: PipelineOptions;
  readonly #figures: SourceFigures;
  readonly #opened: OpenedSource<unknown, unknown>;
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

  constructor(options: PipelineOptions) {
    const { name, spec, registry, now, saved } = options;
    const { label, constant } = sourceLabel(name);
    this.#options = options;
    this.#position = saved.position;
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
    const { type, reasons = [], tellsUp = false } = spec;
    this.#figures = new SourceFigures({ ...options, type, label, reasons, tellsUp });
    const metrics = registry.register(name, spec.metrics, constant);
    this.#stage = new Stage(spec.metrics, {
      limitOf: (def) => registry.limitOf(def),
      isKnown: (def, labels) => registry.has(name, def, labels),
      ...registry.forms,
      history: options.history !== undefined,
      ...(!options.history && { sketches: { handleOf: handlesOf(spec.metrics, metrics), clock: registry } }),
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
        error: (text, cause) => this.#figures.error(text, cause),
        duplicate: () => {
          this.#repeats = true;
          this.#figures.duplicate();
        },
      },
      now,
      follow: options.follow,
      events: this.#spool !== null,
      mayPass: !options.follow && this.#spool === null && !options.history,
      range: options.range,
      addresses: options.addresses,
      commit: options.commit,
      signal: options.signal,
    });
    this.#opened.restore?.(saved.entries);
    this.receivers = this.#opened.receivers ?? [];
  }

  status(): SourceStatus {
    this.show();
    return { ...this.#figures.status(), remarks: this.#opened.remarks?.() ?? [] };
  }

  show(): void {
    const lagMs = this.#opened.lagMs?.() ?? null;
    if (lagMs !== null) this.#figures.lag(lagMs);
  }

  async loop(): Promise<void> {
    const { signal, spec } = this.#options;
    // What is read first may be on its way while that is prepared which it will be parsed with.
    let first: AsyncIterable<Batch<unknown>> | null = this.#opened.read(this.#position);
    await this.#opened.prepare?.();
    const timer = this.#opened.sample && this.#options.follow ? this.#sampleEvery(spec.sampleMs ?? 10_000) : undefined;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const before = this.#position;
      this.#figures.setState('starting', null);
      try {
        const batches = first ?? this.#opened.read(this.#position);
        first = null;
        for await (const batch of batches) {
          this.#take(batch);
          await (batch.aside ? this.#spool : this.#live)?.whenRoom(signal);
          await this.#options.history?.settled();
        }
        break;
      } catch (cause) {
        this.#abandon();
        if (signal.aborted) break;
        if (!this.#options.follow) throw cause;
        if (before !== this.#position) attempt = 0;
        this.#figures.error('cannot read', cause);
        this.#problem(cause instanceof Error ? cause.message : String(cause));
        await delay(backoffMs(attempt, { firstMs: 500, maxMs: 30_000 }), undefined, { signal }).catch(() => {});
      }
    }
    this.#abandon();
    clearInterval(timer);
    this.#figures.setState('ended', null);
    this.#becomeReady();
    await this.#sampling;
    await this.#opened.close?.();
  }

  sample(): Promise<void> {
    this.#sampling ??= (this.#opened.sample?.() ?? Promise.resolve())
      .catch((cause: unknown) => this.#figures.error('cannot sample', cause))
      .finally(() => (this.#sampling = null));
    return this.#sampling;
  }

  takeCells(): readonly Cell[] {
    const entries = this.#opened.changes?.() ?? [];
    if (!this.#moved && entries.length === 0) return [];
    this.#moved = false;
    return sourceCells(this.#options.name, { position: this.#position ?? null, entries });
  }

  /** No `await` in here: totals, events, the source's memory and the position always belong together. */
  #take(batch: Batch<unknown>): void {
    const time = this.#options.now();
    this.#options.registry.time = time;
    const tally = this.#aside ?? emptyTally();
    // Known before it is read: should that fail, nothing of it may stay.
    this.#aside = batch.aside ? tally : null;
    this.#read(batch, tally);
    this.#becomeReady();
    if (batch.aside === 'more') return;
    this.#aside = null;
    if (batch.aside) this.#conclude(batch.aside === 'done');
    else if (this.#options.history) this.#stage.merge(this.#sink);
    // An object that came late does not make the newest event an older one.
    if (batch.aside && tally.newest !== null && tally.newest < (this.#figures.lastEvent ?? 0)) tally.newest = null;
    if (batch.aside !== 'dropped') this.#figures.count(tally, time);
    this.#position = batch.position;
    this.#moved = true;
    this.#figures.arrived(tally.items);
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
        const reason = (parsed as { rejected: string }).rejected;
        noteRejected(tally, reason, 1);
        this.#figures.logRejected(reason, () => opened.excerpt(raw));
        continue;
      }
      if (this.#options.history && !this.#enterStep(this.#options.history, opened.timeOf(raw))) continue;
      this.#repeats = false;
      opened.observe(parsed, raw);
      // What repeats an earlier one is counted as that, and goes nowhere.
      if (!this.#repeats) {
        tally.events += 1;
        spool?.add(opened.event(parsed, raw));
      }
      // Only of what comes aside the newest is not the last.
      if (batch.aside) noteNewest(tally, opened.timeOf(raw));
      else tally.last = raw;
    }
    noteBeside(tally, batch);
    opened.settle?.();
    // What is counted from here on belongs to no event, and so to no step.
    this.#stage.step = 0;
    if (tally.last !== undefined) tally.newest = opened.timeOf(tally.last);
    for (const reason of Object.keys(batch.rejected ?? {})) this.#figures.logRejected(reason, () => undefined);
  }

  /** What is counted now belongs to the step of this time; false for what belongs to none. */
  #enterStep(history: History, time: number | null): boolean {
    const step = stepOf(history, time);
    if (step === null) return false;
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

  /** Told once what keeps it from reading. */
  #problem(text: string | null): void {
    this.#figures.problem(text);
    if (text !== null) this.#becomeReady();
  }

  #sampleEvery(ms: number): NodeJS.Timeout {
    void this.sample();
    return setInterval(() => void this.sample(), ms).unref();
  }
}
