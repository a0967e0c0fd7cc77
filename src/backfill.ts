import { openAddresses } from './core/addresses.ts';
import { Past } from './core/history/history.ts';
import { writePast } from './core/history/write.ts';
import { type Pipeline, sourceLabel } from './core/pipeline.ts';
import { type AppOptions, engineOf } from './once.ts';

export interface BackfillOptions extends AppOptions {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  readonly stepMs: number;
  /** Takes the next piece of the text; the one after it comes when this one is taken. */
  readonly write: (text: string) => Promise<void>;
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
  /** Of the series, those that are written, from 0 to 1; null while events are read. */
  readonly written: number | null;
}

/** What came of a backfill. */
export interface BackfillResult {
  readonly events: number;
  readonly series: number;
  /** Events that could not be placed, as nothing tells their time. */
  readonly untimed: number;
}

/** How often progress is told, in milliseconds. */
const PROGRESS_MS = 200;

/** Reads the past from all sources and writes it as OpenMetrics with timestamps. Nothing saved is read or written. */
export async function runBackfill(options: BackfillOptions): Promise<BackfillResult> {
  const { config, log, signal } = options;
  const addresses = openAddresses(config.addresses, { follow: false, log });
  const engine = engineOf(options, addresses);
  const past = await Past.create({ limitOf: (def) => engine.registry.limitOf(def) });
  try {
    const pipelines = await readPast(options, engine, past);
    signal.throwIfAborted();
    const events = pipelines.reduce((sum, pipeline) => sum + pipeline.status().events, 0);
    await writeAll(options, past, events);
    return { events, series: past.size, untimed: past.untimed };
  } finally {
    await past.close();
  }
}

async function readPast(
  { since, until, stepMs, signal, onProgress }: BackfillOptions,
  engine: ReturnType<typeof engineOf>,
  past: Past,
): Promise<readonly Pipeline[]> {
  const pipelines = engine.start({
    saved: () => ({ position: null, entries: [] }),
    writing: null,
    follow: false,
    range: { since, until },
    history: (name) => ({
      sink: past.sink(sourceLabel(name).constant),
      stepMs,
      onUntimed: (events) => {
        past.untimed += events;
      },
      settled: () => past.relieve(),
    }),
    signal,
  });
  const tell = () => {
    const statuses = pipelines.map((pipeline) => pipeline.status());
    const times = statuses.flatMap(({ lastEvent }) => lastEvent ?? []);
    onProgress({
      events: statuses.reduce((sum, { events }) => sum + events, 0),
      newest: times.length > 0 ? Math.max(...times) : null,
      series: past.size,
      written: null,
    });
  };
  const timer = setInterval(tell, PROGRESS_MS);
  try {
    await Promise.all(pipelines.map((pipeline) => pipeline.done));
  } finally {
    clearInterval(timer);
  }
  return pipelines;
}

async function writeAll({ until, stepMs, write, onProgress, signal }: BackfillOptions, past: Past, events: number) {
  let told = 0;
  for (const { text, series } of writePast(past, { stepMs, until: Math.ceil(until / stepMs) })) {
    await write(text);
    signal.throwIfAborted();
    if (performance.now() - told < PROGRESS_MS) continue;
    told = performance.now();
    onProgress({ events, newest: null, series: past.size, written: series / Math.max(1, past.size) });
  }
}
