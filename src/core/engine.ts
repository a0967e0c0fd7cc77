import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import { durationMs } from '../lib/duration.ts';
import type { Addresses } from './addresses.ts';
import type { SavedCells } from './cells.ts';
import type { Config } from './config.ts';
import type { History } from './history/steps.ts';
import { expose } from './metrics/exposition.ts';
import { seriesCount } from './metrics/family.ts';
import type { Handles } from './metrics/handles.ts';
import { contentType, type ExpositionFormat, type Negotiated } from './metrics/negotiate.ts';
import { Registry } from './metrics/registry.ts';
import { createRuntimeMetrics } from './metrics/runtime.ts';
import { restoreSeries } from './metrics/saved.ts';
import { type Scraper, Scrapers } from './metrics/scrape.ts';
import type { Exposition } from './metrics/sheet.ts';
import { OWN_METRICS, SOURCE_METRICS, WRITER_METRICS } from './own.ts';
import { type Pipeline, type PipelineOptions, startPipeline } from './pipeline.ts';
import type { AnySource } from './source.ts';
import { sourceLabel } from './source-label.ts';
import type { Status } from './status.ts';
import type { Version } from './version.ts';
import type { Writing } from './writing.ts';

export interface EngineOptions {
  readonly metrics: Config['metrics'];
  /** Sections of the configuration by `TYPE` or `TYPE/NAME`. */
  readonly sources: Config['sources'];
  readonly types: readonly AnySource[];
  readonly writers: Config['writers'];
  readonly addresses: Addresses;
  readonly version: Version;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
}

/** An exposition that is ready to be sent; whoever sends it says how that went. */
export interface Scrape extends Pick<Exposition, 'pieces' | 'packed'> {
  readonly contentType: string;
  delivered(): void;
  failed(): void;
}

/** The sources with the metrics that they feed: all that runs, without where it is kept and served. */
export interface Engine {
  readonly registry: Registry;
  readonly scrapers: Scrapers;
  readonly own: Handles<typeof OWN_METRICS>;
  /** Takes saved series back. */
  restore(saved: SavedCells): void;
  /** Opens the sources of the configuration; saved series have to be restored before. */
  start(options: StartOptions): readonly Pipeline[];
  /** Formats that can be given. */
  readonly formats: readonly ExpositionFormat[];
  /** What this scraper is to be shown. `commit` is waited for before it is given out. */
  scrape(asked: Negotiated, scraper: string, commit: () => Promise<void>): Promise<Scrape>;
  status(problem: string | null): Status;
}

export interface StartOptions extends Pick<PipelineOptions, 'follow' | 'range' | 'commit' | 'signal'> {
  readonly saved: (name: string) => PipelineOptions['saved'];
  /** Where events go on to; null for nowhere. */
  readonly writing: Writing | null;
  /** Where it is the past that is wanted. */
  readonly history?: (name: string) => History;
}

/** Values of each kind that the status page shows. */
const TOP_SHOWN = 5;

/** A registry with the limits of the configuration. */
export function registryFor(metrics: Config['metrics']): Registry {
  return new Registry({
    seriesLimit: metrics.series_limit,
    seriesLimits: metrics.series_limits,
    seriesTotal: metrics.series_total,
    nativeHistograms: metrics.native_histograms,
    exemplars: metrics.exemplars,
    areLeftOut: durationMs(metrics.idle_ttl) > 0,
  });
}

/** An engine whose metrics are registered, and whose sources are not yet opened. */
export function createEngine(options: EngineOptions): Engine {
  const { log, now, version } = options;
  const started = now();
  const registry = registryFor(options.metrics);
  registry.time = started;
  const own = registry.register('', OWN_METRICS);
  const sections = Object.entries(options.sources).map(([name, config]) => ({
    name,
    config,
    spec: typeOf(name, options.types),
  }));
  for (const { name, spec } of sections) {
    registry.register(name, SOURCE_METRICS);
    registry.register(name, spec.metrics, sourceLabel(name).constant);
  }
  if (Object.keys(options.writers).length > 0) registry.register('', WRITER_METRICS);
  const scrapers = new Scrapers(registry, started);
  const idleMs = durationMs(options.metrics.idle_ttl);
  const runtime = options.metrics.runtime ? createRuntimeMetrics() : null;
  const limited = new Map<string, number>();
  let pipelines: readonly Pipeline[] = [];
  let writing: Writing | null = null;
  own.buildInfo.set({ version: version.version, revision: version.revision, node: version.node }, 1);

  return {
    registry,
    scrapers,
    own,
    // Metrics of the process come as text.
    formats: runtime ? ['text', 'openmetrics'] : ['text', 'openmetrics', 'protobuf'],
    restore: (saved) => {
      restoreSeries(registry, saved);
      // Written by the keeper; the version of the state's format vouches for the shape.
      scrapers.restore((saved.under('scrapers')[0]?.[1] ?? []) as readonly Scraper[]);
    },
    start: ({ saved, writing: writers, history, ...how }) => {
      writing = writers;
      // Each source listens to it several times, and there may be many.
      setMaxListeners(0, how.signal);
      pipelines = sections.map(({ name, config, spec }) =>
        startPipeline({
          name,
          spec,
          config,
          registry,
          log: log.child({ source: name }),
          env: options.env,
          now,
          addresses: options.addresses,
          saved: saved(name),
          queue: writing?.queue ?? null,
          ...(history && { history: history(name) }),
          ...how,
        }),
      );
      return pipelines;
    },
    scrape: async (asked, scraper, commit) => {
      const began = performance.now();
      const time = now();
      registry.time = time;
      countSeries();
      const collection = scrapers.begin(scraper, time);
      let exposition: Exposition | null = null;
      try {
        const more = runtime ? await (await runtime)(asked.format) : '';
        exposition = await expose(registry, { view: asked, collection, idleMs, now: now(), more });
        await commit();
        own.scrapeSeconds.observe({}, (performance.now() - began) / 1000);
      } catch (error) {
        exposition?.giveBack();
        collection.failed();
        throw error;
      }
      const { pieces, packed, giveBack } = exposition;
      return {
        contentType: contentType(asked),
        pieces,
        packed,
        delivered: () => {
          giveBack();
          collection.delivered();
        },
        failed: () => {
          giveBack();
          collection.failed();
        },
      };
    },
    status: (problem) => {
      registry.recount();
      return {
        version,
        started,
        now: now(),
        problem,
        sources: pipelines.map((pipeline) => pipeline.status()),
        writers: writing?.status() ?? [],
        metrics: [...registry.families.values()]
          .map((family) => ({
            metric: family.def.name,
            series: seriesCount(family),
            limit: registry.limitOf(family.def),
            limited: limited.get(family.def.name) ?? 0,
          }))
          .filter(({ series }) => series > 0),
        top: [...registry.families.values()].flatMap(({ def, tops }) =>
          [...(tops?.frequent(TOP_SHOWN, now()) ?? [])].map((found) => ({ metric: def.name, ...found })),
        ),
        scrapers: scrapers.list().map(({ id, seen }) => ({ id, seen })),
      };
    },
  };

  /** The metrics about metrics are brought up to date just before they are shown. */
  function countSeries(): void {
    registry.recount();
    writing?.show();
    for (const pipeline of pipelines) pipeline.show();
    for (const family of registry.families.values()) {
      const metric = family.def.name;
      own.series.set({ metric }, seriesCount(family));
      if (family.limited === 0) continue;
      own.seriesLimited.inc({ metric }, family.limited);
      limited.set(metric, (limited.get(metric) ?? 0) + family.limited);
      family.limited = 0;
    }
  }
}

function typeOf(name: string, types: readonly AnySource[]): AnySource {
  const type = name.split('/', 1)[0];
  const spec = types.find((candidate) => candidate.type === type);
  if (!spec) throw new Error(`no source of type ${String(type)}`);
  return spec;
}
