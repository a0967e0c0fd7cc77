import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { durationMs } from '../lib/duration.ts';
import { startWaits } from '../lib/retry.ts';
import { sizeBytes } from '../lib/size.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Event } from './event.ts';
import type { CounterSeries, Handles } from './metrics/handles.ts';
import type { Registry } from './metrics/registry.ts';
import { WRITER_METRICS } from './own.ts';
import type { Queue } from './queue.ts';
import type { QueueReader } from './queue-reader.ts';
import { createRate, type Rate } from './rate.ts';
import { sourceLabel } from './source-label.ts';
import type { AnyWriter, OpenedWriter, Refused, WriterConfig, WriterStatus, Written } from './writer.ts';

export interface DeliveryOptions {
  /** `influx` or `influx/NAME`. */
  readonly name: string;
  readonly spec: AnyWriter;
  readonly config: WriterConfig;
  readonly queue: Queue;
  readonly registry: Registry;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  /** Where `stdout` writes. */
  readonly stdout?: NodeJS.WritableStream;
}

/** The loop of one writer. */
export interface Delivery {
  readonly name: string;
  readonly status: () => WriterStatus;
  /** Brings the gauges of what waits up to date. */
  show(): void;
  /** Begins to deliver. */
  start(): void;
  /** Nothing more will come: what waits is delivered without waiting for more. Resolves when that is done. */
  finish(): Promise<void>;
  /** Ends, at the latest when the configured time for it has passed. */
  close(): Promise<void>;
}

/** Most bytes of the events that are handed over at once, as they lie in the queue. */
const BATCH_BYTES = 5 * 1024 * 1024;
/** The first event of a batch waits at most so long for others. */
const LINGER_MS = 1_000;

/** Opens a writer; the queue's readers are made by this. */
export function openDelivery(options: DeliveryOptions): Delivery {
  const loop = new Loop(options);
  return {
    name: options.name,
    status: () => loop.status(),
    show: () => loop.show(),
    start: () => loop.start(),
    finish: () => loop.finish(),
    close: () => loop.close(),
  };
}

class Loop {
  readonly #options: DeliveryOptions;
  readonly #label: { readonly writer: string };
  readonly #own: Handles<typeof WRITER_METRICS>;
  readonly #delivered: CounterSeries;
  readonly #errors: CounterSeries;
  readonly #rate: Rate;
  readonly #reader: QueueReader;
  readonly #opened: OpenedWriter;
  /** Most events that are handed over at once. */
  readonly #batch: number;
  /** Nothing more will come. */
  readonly #ending = new AbortController();
  /** What is under way is given up. */
  readonly #stopping = new AbortController();
  #lingering: AbortController | null = null;
  #running: Promise<void> = Promise.resolve();
  #status: { -readonly [K in keyof Omit<WriterStatus, 'rate' | 'queue'>]: WriterStatus[K] };

  constructor(options: DeliveryOptions) {
    const { name, spec, config, queue, registry, log, env, now } = options;
    this.#options = options;
    this.#batch = Math.min(config.batch, spec.atOnce ?? config.batch);
    this.#label = { writer: sourceLabel(name).label };
    this.#own = registry.register('', WRITER_METRICS);
    this.#delivered = this.#own.events.series(this.#label);
    this.#errors = this.#own.errors.series(this.#label);
    for (const reason of ['rejected', 'too_large', 'queue_full'] as const)
      this.#own.dropped.series({ ...this.#label, reason });
    this.#own.up.set(this.#label, 1);
    this.#rate = createRate(now);
    this.#status = {
      name,
      type: spec.type,
      state: 'idle',
      problem: null,
      since: now(),
      events: 0,
      dropped: 0,
      lastError: null,
      deadLetters: null,
    };
    this.#reader = queue.reader({
      name,
      wants: (source) => config.sources.length === 0 || config.sources.includes(source),
      limit: sizeBytes(config.queue),
      onDropped: (events, reason) => this.#dropped(reason, events),
      onLost: (events) => {
        this.#dropped('rejected', events);
        this.#error(`${events} events of the queue are damaged`);
      },
    });
    this.#opened = spec.open(config, { name, log, env, now, ...(options.stdout && { stdout: options.stdout }) });
  }

  status(): WriterStatus {
    const { events, bytes, limit } = this.#reader;
    return { ...this.#status, rate: this.#rate.perSecond(), queue: { events, bytes, limit } };
  }

  show(): void {
    this.#own.queueEvents.set(this.#label, this.#reader.events);
    this.#own.queueBytes.set(this.#label, this.#reader.bytes);
  }

  start(): void {
    const { problem } = this.#opened;
    if (problem === undefined) this.#running = this.#run();
    else this.#problem(problem);
  }

  async finish(): Promise<void> {
    this.#ending.abort();
    this.#lingering?.abort();
    await this.#running;
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(), durationMs(this.#options.config.drain));
    await this.finish();
    clearTimeout(timer);
    await this.#opened.close();
  }

  async #run(): Promise<void> {
    const reader = this.#reader;
    for (let since = performance.now(); ; ) {
      if (reader.events === 0) {
        this.#setState('idle', null);
        await reader.some(this.#ending.signal);
        since = performance.now();
      }
      if (reader.events === 0 || this.#stopping.signal.aborted) break;
      await this.#linger(since + LINGER_MS - performance.now());
      // What it leaves behind waits from now on at the latest.
      since = performance.now();
      const events = reader.take({ events: this.#batch, bytes: BATCH_BYTES });
      if (events.length > 0 && !(await this.#deliver(events))) break;
    }
    this.#setState('ended', this.#status.problem);
  }

  /** Waits for a full batch, but not for long. */
  async #linger(ms: number): Promise<void> {
    if (this.#ending.signal.aborted || ms <= 0) return;
    const enough = new AbortController();
    const timer = setTimeout(() => enough.abort(), ms);
    this.#lingering = enough;
    while (!enough.signal.aborted && !this.#isBatchFull()) await this.#reader.more(enough.signal);
    clearTimeout(timer);
    this.#lingering = null;
  }

  #isBatchFull(): boolean {
    return this.#reader.events >= this.#batch || this.#reader.bytes >= BATCH_BYTES;
  }

  /** Gives events until all of them are settled; false if it was stopped before that. */
  async #deliver(taken: readonly Event[]): Promise<boolean> {
    const signal = this.#stopping.signal;
    const waits = startWaits(this.#options.spec.pace);
    const lost: Lost = { rejected: 0, too_large: 0 };
    let events = taken;
    let left = taken;
    for (let state: WriterStatus['state'] = 'delivering'; ; state = 'waiting') {
      this.#setState(state, this.#status.problem);
      const began = performance.now();
      const written = await this.#write(left);
      lost.rejected += written.dropped ?? 0;
      for (const { reason } of written.dead) lost[reason] += 1;
      await this.#bury(left, written.dead);
      if (written.kind === 'done') {
        this.#own.deliverySeconds.observe(this.#label, (performance.now() - began) / 1000);
        this.#settle(events.length, lost);
        return true;
      }
      if (signal.aborted) return false;
      if (written.settled.length > 0) {
        const settled = new Set(written.settled);
        left = left.filter((_, index) => !settled.has(index));
        waits.reset();
        if (left.length === 0) {
          this.#settle(events.length, lost);
          return true;
        }
      }
      this.#error(written.text, written.failures);
      this.#problem(written.text);
      await delay(waits.next(written), undefined, { signal }).catch(() => {});
      if (signal.aborted) return false;
      if (written.more !== true) continue;
      const more = this.#takeBehind(events);
      events = [...events, ...more];
      left = [...left, ...more];
    }
  }

  /** Events behind those that were taken, as far as there is room for them in the batch. */
  #takeBehind(events: readonly Event[]): readonly Event[] {
    const again = this.#reader.take({ events: this.#batch, bytes: BATCH_BYTES });
    return again[events.length - 1]?.id === events.at(-1)?.id ? again.slice(events.length) : [];
  }

  async #write(events: readonly Event[]): Promise<Written> {
    try {
      return await this.#opened.write(events, this.#stopping.signal);
    } catch (error) {
      // A writer that throws has not said that anything arrived.
      const text = error instanceof Error ? error.message : String(error);
      return { kind: 'later', settled: [], dead: [], waitMs: 0, hold: false, text };
    }
  }

  /** What is counted, and where the reader stands, move together. */
  #settle(events: number, lost: Lost): void {
    const arrived = events - lost.rejected - lost.too_large;
    this.#options.registry.time = this.#options.now();
    if (arrived > 0) this.#delivered.inc(arrived);
    this.#status.events += arrived;
    this.#rate.add(arrived);
    for (const reason of ['rejected', 'too_large'] as const) if (lost[reason] > 0) this.#dropped(reason, lost[reason]);
    this.#reader.settle(events);
    this.#setState('delivering', null);
  }

  async #bury(events: readonly Event[], dead: readonly Refused[]): Promise<void> {
    if (dead.length === 0) return;
    const { deadLetters, log } = this.#options;
    const [first] = dead;
    log.error({ events: dead.length, first: first?.text, file: deadLetters.path }, 'events were refused for good');
    try {
      await deadLetters.add(dead.map(({ index, ...refused }) => ({ event: events[index]!, refused })));
      this.#status.deadLetters = deadLetters.path;
    } catch (cause) {
      this.#error(`cannot keep refused events: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }

  #dropped(reason: 'rejected' | 'too_large' | 'queue_full', events: number): void {
    this.#options.registry.time = this.#options.now();
    this.#own.dropped.inc({ ...this.#label, reason }, events);
    this.#status.dropped += events;
  }

  #error(text: string, failures = 1): void {
    this.#options.registry.time = this.#options.now();
    this.#errors.inc(failures);
    this.#status.lastError = { time: this.#options.now(), text };
  }

  #problem(text: string): void {
    if (text !== this.#status.problem) this.#options.log.warn({ problem: text }, 'writer cannot deliver');
    this.#setState('waiting', text);
  }

  #setState(state: WriterStatus['state'], problem: string | null): void {
    if (state === this.#status.state && problem === this.#status.problem) return;
    Object.assign(this.#status, { state, problem, since: this.#options.now() });
    this.#own.up.set(this.#label, problem === null ? 1 : 0);
  }
}

/** Events of a batch that will not be delivered, by reason. */
interface Lost {
  rejected: number;
  too_large: number;
}
