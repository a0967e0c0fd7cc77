import { Counter, Registry as PromRegistry } from 'prom-client';
import { counter } from '../src/core/metrics/define.ts';
import { expose } from '../src/core/metrics/exposition.ts';
import { Registry } from '../src/core/metrics/registry.ts';
import { Scrapers } from '../src/core/metrics/scrape.ts';
import { ascending, best } from './contest.ts';
import { seeded } from './random.ts';
import { count, type Row, time, times } from './report.ts';

const SIZES = [10_000, 100_000];
const ROUNDS = 7;
const INCREMENTS = 200_000;

const NAMES = ['tenant', 'method', 'path', 'status'] as const;
type Labels = Readonly<Record<(typeof NAMES)[number], string>>;

const CATALOGUE = { requests: counter('bench_requests_total', 'Requests of a benchmark.', NAMES) };

/** The metrics engine in this process, against prom-client: showing many series, and counting in them. */
export async function measureEngine(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const size of SIZES) {
    const contest = enter(Array.from({ length: size }, (_, index) => labelsOf(index)));
    rows.push(...(await measureScrape(size, contest)), ...measureRecording(size, contest));
  }
  return rows;
}

interface Entered {
  readonly labels: readonly Labels[];
  readonly registry: Registry;
  readonly handle: ReturnType<typeof register>;
  readonly prom: PromRegistry;
  readonly promCounter: Counter<(typeof NAMES)[number]>;
}

/** The same series in both. */
function enter(labels: readonly Labels[]): Entered {
  const registry = new Registry({ seriesLimit: 2 * labels.length });
  const handle = register(registry);
  const prom = new PromRegistry();
  const promCounter = new Counter({
    name: CATALOGUE.requests.name,
    help: CATALOGUE.requests.help,
    labelNames: NAMES,
    registers: [prom],
  });
  for (const [index, set] of labels.entries()) {
    handle.inc(set, index);
    promCounter.inc(set, index);
  }
  return { labels, registry, handle, prom, promCounter };
}

function register(registry: Registry) {
  return registry.register('bench', CATALOGUE).requests;
}

async function measureScrape(size: number, { registry, prom }: Entered): Promise<readonly Row[]> {
  const scrapers = new Scrapers(registry, 0);
  const ours: number[] = [];
  const theirs: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(
      await seconds(async () => {
        const collection = scrapers.begin('bench', 0);
        const chunks = await expose(registry, { format: 'text', collection, idleMs: 0, now: 0 });
        bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      }),
    );
    theirs.push(await seconds(async () => Buffer.from(await prom.metrics())));
  }
  return [compared(`scrape of ${count(size)} series, four labels (${(bytes / 1e6).toFixed(1)} MB)`, ours, theirs)];
}

function measureRecording(size: number, { labels, handle, promCounter }: Entered): readonly Row[] {
  const random = seeded(size);
  const order = Uint32Array.from({ length: INCREMENTS }, () => Math.floor(random() * size));
  const kept = labels.map((set) => handle.series(set));
  const byLabels: number[] = [];
  const byHandle: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    byLabels.push(each(order, (index) => handle.inc(labels[index]!)));
    byHandle.push(each(order, (index) => kept[index]!.inc()));
    theirs.push(each(order, (index) => promCounter.inc(labels[index]!)));
  }
  return [
    compared(`one \`inc\` among ${count(size)} known series, by labels`, byLabels, theirs),
    compared(`one \`inc\` among ${count(size)} known series, kept`, byHandle, theirs),
  ];
}

function compared(what: string, ours: number[], theirs: number[]): Row {
  const us = best(ours.sort(ascending));
  const them = best(theirs.sort(ascending));
  return { what, measured: time(us), comparedWith: `prom-client: ${time(them)}`, ratio: times(them / us) };
}

async function seconds(task: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await task();
  return (performance.now() - began) / 1000;
}

function each(order: Uint32Array, task: (index: number) => void): number {
  const began = performance.now();
  for (const index of order) task(index);
  return (performance.now() - began) / 1000 / order.length;
}

function labelsOf(index: number): Labels {
  return {
    tenant: `tenant-${index % 97}`,
    method: ['GET', 'POST', 'PUT', 'DELETE'][index % 4] ?? '',
    path: `/api/v1/resources/${index}`,
    status: String(200 + (index % 5) * 100),
  };
}
