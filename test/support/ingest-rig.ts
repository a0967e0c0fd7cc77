import { pino } from 'pino';
import type { Test } from 'tap';
import { NO_ADDRESSES } from '../../src/core/addresses.ts';
import type { Event } from '../../src/core/event.ts';
import { counter } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { type Pipeline, startPipeline } from '../../src/core/pipeline.ts';
import type { Receiver } from '../../src/core/receiver.ts';
import { defineRecords } from '../../src/core/records.ts';
import { savedSource } from '../../src/core/saved-source.ts';
import { startServer } from '../../src/server/server.ts';
import { ingestSource } from '../../src/sources/ingest/index.ts';
import { MemoryCells } from './cells.ts';
import { show } from './exposition.ts';
import { type Answer, get } from './http.ts';
import { type Disk, queueRig } from './queue-rig.ts';

const METRICS = { records: counter('test_records_total', 'Records.', ['name', 'region']) };

interface Trace {
  readonly name: string;
  readonly region: string;
  readonly time: number;
}

/** Traces as of a source: of an object with a `trace_id`, or one under `cts`; those without a name are refused. */
export const TRACES = defineRecords<typeof METRICS, Trace>({
  type: 'test',
  metrics: METRICS,
  reasons: ['shape', 'nameless'],
  claims: (data) => {
    const at = (value: unknown, name: string) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Readonly<Record<string, unknown>>)[name]
        : undefined;
    const record = at(data, 'cts') ?? data;
    return at(record, 'trace_id') === undefined ? null : record;
  },
  open: ({ name: section, metrics }) => ({
    parse: (record, { attributes, arrival }) => {
      // `claims` gave an object.
      const { trace_name: name } = record as { readonly trace_name?: unknown };
      if (typeof name !== 'string') return { rejected: 'nameless' };
      return { name, region: attributes.get('region') ?? '', time: arrival };
    },
    observe: ({ name, region }) => metrics.records.inc({ name, region }),
    timeOf: ({ time }) => time,
    event: ({ name, time }): Event => ({
      id: name,
      time,
      source: section,
      action: name,
      outcome: 'ok',
      data: { dataset: 'test' },
    }),
  }),
});

export interface IngestOptions {
  /** The section of its one receiver. */
  readonly section?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  /** What was saved by an earlier one. */
  readonly disk?: MemoryCells;
  /** Stands for the keeper's; by default it saves to the disk. */
  readonly commit?: (save: () => void) => Promise<void>;
  /** Where there is a writer, this is where its queue is. */
  readonly queueDisk?: Disk;
  readonly webConfig?: string;
}

/** The source in a pipeline, with its receivers on a port of their own. */
export interface Ingest {
  readonly url: string;
  readonly pipeline: Pipeline;
  readonly receiver: Receiver;
  readonly disk: MemoryCells;
  readonly logged: () => string;
  /** Events that wait for the writer. */
  readonly queued: () => readonly Event[];
  /** Values of all series but those that are 0. */
  shown(): Promise<Readonly<Record<string, number>>>;
  post(headers: Readonly<Record<string, string>>, body?: string, query?: string): Promise<Answer>;
  /** Ends the source, the server goes on. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startIngest(t: Test, options: IngestOptions = {}): Promise<Ingest> {
  const { section = {}, name = 'ingest', env = {}, now = Date.now, disk = new MemoryCells() } = options;
  const { commit = async (save) => save(), webConfig = null } = options;
  const ending = new AbortController();
  const registry = new Registry({ seriesLimit: 1_000 });
  const spec = ingestSource([TRACES]);
  let logged = '';
  const log = pino({ level: 'info' }, { write: (line: string) => void (logged += line) });
  const rig = options.queueDisk && (await queueRig(options.queueDisk, { readers: [{ name: 'one' }], sources: [] }));
  const pipeline: Pipeline = startPipeline({
    name,
    spec,
    config: spec.config.parse({ cloudevents: section }),
    registry,
    log,
    env,
    now,
    follow: true,
    range: { since: null, until: null },
    addresses: NO_ADDRESSES,
    saved: savedSource(disk.load(), name),
    queue: rig?.queue ?? null,
    commit: () =>
      commit(() => {
        rig?.commit();
        disk.save(pipeline.takeCells());
      }),
    signal: ending.signal,
  });
  const server = await startServer({
    listen: { address: '127.0.0.1', port: 0, web_config: webConfig },
    log,
    scrape: () => Promise.reject(new Error('nothing is shown')),
    formats: ['text'],
    status: () => {
      throw new Error('a broken page');
    },
    unready: () => null,
    receivers: pipeline.receivers,
  });
  let isOpen = true;
  const end = async () => {
    ending.abort();
    await pipeline.done;
  };
  const close = async () => {
    if (isOpen) await server.close();
    isOpen = false;
    await end();
  };
  t.teardown(close);
  const [receiver] = pipeline.receivers as [Receiver];
  return {
    url: server.url,
    pipeline,
    receiver,
    disk,
    logged: () => logged,
    queued: () => rig?.readers.get('one')?.take({ events: 1e6, bytes: 1e12 }) ?? [],
    shown: async () => Object.fromEntries(Object.entries(await show(registry)).filter(([, value]) => value !== 0)),
    post: (headers, body = '', query = '') =>
      get(`${server.url}${receiver.path}${query}`, { method: 'POST', headers, body }),
    end,
    close,
  };
}
