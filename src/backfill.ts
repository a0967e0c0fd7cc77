import { openAddresses } from './core/addresses.ts';
import type { Engine } from './core/engine.ts';
import { Past } from './core/history/history.ts';
import { type Size, sizeOfPast, writePast } from './core/history/write.ts';
import type { Pipeline } from './core/pipeline.ts';
import { sourceLabel } from './core/source-label.ts';
import { type AppOptions, engineOf } from './once.ts';

export interface BackfillOptions extends AppOptions {
  /** Milliseconds since 1970; events at `until` are left out. */
  readonly since: number;
  readonly until: number;
  readonly stepMs: number;
  /** Where to put what does not fit in memory. */
  readonly folder: string;
  /** Takes the next piece of the text; the one after it comes when this one is taken. */
  readonly write: (text: string) => Promise<void>;
  /** Told what will be written before that begins; what it throws ends the backfill. */
  readonly onSize: (size: Size) => Promise<void>;
  /** Told now and then how far it is. */
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** How far a backfill is. */
export interface Progress {
  readonly events: number;
  /** Time of the newest event so far, or null. */
  readonly newest: number | null;
  readonly series: number;
  /** Of what is to be written, what is, from 0 to 1; null while events are read. */
  readonly written: number | null;
}

/** What came of a backfill. */
export interface BackfillResult {
  readonly events: number;
  readonly series: number;
  readonly samples: number;
  /** Events that could not be placed, as nothing tells their time, by source. */
  readonly untimed: ReadonlyMap<string, number>;
  /** Events that were counted as `other`, by the metric whose limit they fell over. */
  readonly limited: ReadonlyMap<string, number>;
}

/** How often progress is told, in milliseconds. */
const PROGRESS_MS = 200;

/**
 * Reads the past from all sources and writes it as OpenMetrics with timestamps. Nothing saved is read or written. Throws
 * if a source cannot be read, and if it is stopped before the end.
 */
export async function runBackfill(options: BackfillOptions): Promise<BackfillResult> {
  const { config, log, folder, until, stepMs, onSize } = options;
  // It watches nothing, so there is nothing to close.
  const addresses = openAddresses(config.addresses, { follow: false, log });
  const engine = engineOf(options, addresses);
  const past = new Past({ limitOf: (def) => engine.registry.limitOf(def), most: config.metrics.series_total, folder });
  const untimed = new Map<string, number>();
  try {
    const events = await readPast(options, { engine, past, untimed });
    const size = sizeOfPast(past, { stepMs, until });
    await onSize(size);
    const samples = await writeAll(options, { past, size, events });
    return { events, series: past.size, samples, untimed, limited: past.limited };
  } finally {
    past.close();
  }
}

interface Reading {
  readonly engine: Engine;
  readonly past: Past;
  readonly untimed: Map<string, number>;
}

/** Gives the number of events. */
async function readPast(options: BackfillOptions, { engine, past, untimed }: Reading): Promise<number> {
  const { since, until, stepMs, signal, onProgress } = options;
  // Where one source cannot be read, there is no need to wait for the others.
  const failure = new AbortController();
  const pipelines = engine.start({
    saved: () => ({ position: null, entries: [] }),
    writing: null,
    follow: false,
    range: { since, until },
    history: (name) => ({
      sink: past.sink(sourceLabel(name).constant),
      stepMs,
      onUntimed: (events) => void untimed.set(name, (untimed.get(name) ?? 0) + events),
      settled: async () => past.relieve(),
    }),
    signal: AbortSignal.any([signal, failure.signal]),
  });
  const timer = setInterval(() => onProgress(progressOf(pipelines, past)), PROGRESS_MS);
  const done = pipelines.map((pipeline) => pipeline.done);
  try {
    await Promise.all(done);
  } finally {
    clearInterval(timer);
    failure.abort();
    await Promise.allSettled(done);
  }
  refuseStopped(signal);
  return progressOf(pipelines, past).events;
}

function progressOf(pipelines: readonly Pipeline[], { size: series }: Past): Progress {
  let events = 0;
  let newest: number | null = null;
  for (const pipeline of pipelines) {
    const status = pipeline.status();
    events += status.events;
    if (status.lastEvent !== null) newest = Math.max(status.lastEvent, newest ?? status.lastEvent);
  }
  return { events, newest, series, written: null };
}

interface Known {
  readonly past: Past;
  readonly size: Size;
  readonly events: number;
}

/** Gives the number of samples. */
async function writeAll(options: BackfillOptions, { past, size, events }: Known): Promise<number> {
  const { until, stepMs, write, onProgress, signal } = options;
  const series = past.size;
  let written = 0;
  let told = 0;
  for (const { text, samples } of writePast(past, { stepMs, until })) {
    // Whoever should take it may never do so.
    await orStopped(write(text), signal);
    written = samples;
    if (performance.now() - told < PROGRESS_MS) continue;
    told = performance.now();
    onProgress({ events, newest: null, series, written: samples / Math.max(1, size.samples) });
  }
  return written;
}

function refuseStopped({ aborted }: AbortSignal): void {
  if (aborted) throw new Error('stopped before all was written');
}

/** Waits for a promise, and throws once it is to stop. */
async function orStopped(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (!signal.aborted) await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
  refuseStopped(signal);
}
