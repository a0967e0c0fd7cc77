import { pino } from 'pino';
import type { Test } from 'tap';
import { NO_ADDRESSES } from '../../src/core/addresses.ts';
import type { Catalogue } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { type Pipeline, startPipeline } from '../../src/core/pipeline.ts';
import { savedSource } from '../../src/core/saved-source.ts';
import type { AnySource, SourceContext } from '../../src/core/source.ts';
import { cloudTrail } from '../../src/sources/cloudtrail/index.ts';
import { openCloudTrail } from '../../src/sources/cloudtrail/open.ts';
import { gcpLogs } from '../../src/sources/gcp-logs/index.ts';
import { openGcpLogs } from '../../src/sources/gcp-logs/open.ts';
import { MemoryCells } from './cells.ts';
import { show } from './exposition.ts';
import type { MemoryStore } from './memory-store.ts';
import { eventually } from './trailgauge.ts';

export interface CloudRigOptions {
  readonly source: 'cloudtrail' | 'gcp-logs';
  readonly store: MemoryStore;
  readonly now: () => number;
  /** Added to the source's section. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly follow?: boolean;
  readonly range?: SourceContext<Catalogue>['range'];
  /** What was saved by an earlier one. */
  readonly disk?: MemoryCells;
}

/** A source on a bucket in memory, in a pipeline. */
export interface CloudRig {
  readonly pipeline: Pipeline;
  readonly disk: MemoryCells;
  readonly logged: readonly { readonly msg: string; readonly detail?: string }[];
  /** Values of all series but those that are 0. */
  shown(): Promise<Readonly<Record<string, number>>>;
  value(series: string): Promise<number>;
  /** Waits until a series has a value, or more. */
  reaches(series: string, value: number): Promise<void>;
  /** Waits until the store was gone through from its beginning once more. */
  rounds(count?: number): Promise<void>;
  /** Ends it, and saves all; a kill would have saved what was saved last. */
  stop(): Promise<void>;
}

/** Starts a source. */
export function startCloud(t: Test, options: CloudRigOptions): CloudRig {
  const { source, store, now, config = {}, follow = true, range = { since: null, until: null } } = options;
  const { disk = new MemoryCells() } = options;
  const ending = new AbortController();
  const registry = new Registry({ seriesLimit: 1_000 });
  const logged: { msg: string; detail?: string }[] = [];
  const spec = specOf(source, store);
  const pipeline = startPipeline({
    name: source,
    spec,
    config: spec.config.parse({ bucket: 'memory', interval: '1ms', ...config }),
    registry,
    log: pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) }),
    env: {},
    now,
    follow,
    range,
    addresses: NO_ADDRESSES,
    saved: savedSource(disk.load(), source),
    queue: null,
    signal: ending.signal,
  });
  t.teardown(() => ending.abort());
  const all = () => show(registry, { now: now() });
  const value = async (series: string) => (await all())[series] ?? 0;
  return {
    pipeline,
    disk,
    logged,
    shown: async () => Object.fromEntries(Object.entries(await all()).filter(([, value]) => value !== 0)),
    value,
    reaches: async (series, wanted) => {
      const why = () => `${series} to be ${wanted}: ${JSON.stringify(logged)}`;
      await eventually(why, async () => (await value(series)) >= wanted, 10_000);
    },
    rounds: async (count = 3) => {
      const from = store.lists.length;
      const isDone = () => {
        const seen = store.lists.slice(from);
        // Nothing is listed more than twice in a round.
        return seen.some((prefix) => seen.filter((other) => other === prefix).length > 2 * count);
      };
      await eventually('further looks at the store', isDone, 10_000);
    },
    stop: async () => {
      ending.abort();
      await pipeline.done;
      disk.save(pipeline.takeCells());
    },
  };
}

/** The source as it is, but for its store. */
function specOf(source: CloudRigOptions['source'], store: MemoryStore): AnySource {
  // What `open` is given went through the source's own schema, and its own catalogue.
  const open: AnySource['open'] =
    source === 'cloudtrail'
      ? (config, context) => openCloudTrail(config as never, context as never, store)
      : (config, context) => openGcpLogs(config as never, context as never, store);
  return { ...(source === 'cloudtrail' ? cloudTrail : gcpLogs), open };
}
