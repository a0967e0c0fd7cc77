import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Counter, Registry as PromRegistry } from 'prom-client';
import { counter } from '../src/core/metrics/define.ts';
import { expose } from '../src/core/metrics/exposition.ts';
import { Registry } from '../src/core/metrics/registry.ts';
import { Scrapers } from '../src/core/metrics/scrape.ts';
import type { Exposition } from '../src/core/metrics/sheet.ts';
import { ascending, best } from './contest.ts';
import { seeded } from './random.ts';

/** What one contender took, in seconds and bytes; measured in a process of its own. */
export interface EngineRun {
  readonly born: number;
  readonly byLabels: number;
  readonly kept: number;
  /** Scrapes after every series, and after one in a hundred, has changed. */
  readonly scrape: number;
  readonly scrapeFew: number;
  /** The longest that the event loop stood still meanwhile. */
  readonly still: number;
  readonly bytes: number;
  /** Resident memory of one series, after scrapes. */
  readonly memory: number;
  /** Memory that three further scrapes take while a first one is held, in bytes. */
  readonly together: number;
}

const NAMES = ['tenant', 'method', 'path', 'status'] as const;
type Labels = Readonly<Record<(typeof NAMES)[number], string>>;

const CATALOGUE = { requests: counter('bench_requests_total', 'Requests of a benchmark.', NAMES) };
const WARM = counter('bench_others_total', 'Requests before a benchmark.', NAMES);
const WARM_UP = 100_000;
const ROUNDS = 5;
/** Series that are born in all, and in how many registries at least. */
const BIRTHS = 1_000_000;
const LEAST_REGISTRIES = 3;
const INCREMENTS = 1_000_000;
const texts = new Map<string, string>();

/** Counting in a known series, and showing them all. */
interface Contender {
  inc(labels: Labels): void;
  /** The same in another metric. */
  warmUp(labels: Labels): void;
  /** A kept way to a series, as far as there is one. */
  keep(labels: Labels): { inc(): void };
  /** Makes an exposition and holds it until it is called back. */
  scrape(): Promise<{ readonly bytes: number; release(): void }>;
}

const [name = '', size = ''] = process.argv.slice(2);
const make = name === 'trailgauge' ? ours : theirs;
const known = await run(make(), Number(size));
const figures: EngineRun = { ...known, born: births(make, Number(size)) };
process.stdout.write(JSON.stringify(figures));

async function run(contender: Contender, length: number): Promise<Omit<EngineRun, 'born'>> {
  // Both have their code compiled by then.
  for (let index = 0; index < WARM_UP; index++) contender.warmUp(labelsOf(index));
  const before = held();
  for (let index = 0; index < length; index++) contender.inc(labelsOf(index));
  const shown = await show(contender, length, before);
  const labels = Array.from({ length }, (_, index) => labelsOf(index));
  const random = seeded(length);
  const order = Uint32Array.from({ length: INCREMENTS }, () => Math.floor(random() * length));
  const byLabels = repeated(() => each(order.length, (index) => contender.inc(labels[order[index]!]!)));
  const series = labels.map((set) => contender.keep(set));
  const kept = repeated(() => each(order.length, (index) => series[order[index]!]!.inc()));
  return { byLabels, kept, ...shown };
}

/**
 * One series more, in one registry after another that is empty at first, when all else is let go: one alone, of few
 * series, takes too short to be told from what else the machine does.
 */
function births(make: () => Contender, length: number): number {
  const labels = Array.from({ length }, (_, index) => labelsOf(index));
  const rounds = Math.max(LEAST_REGISTRIES, BIRTHS / length);
  return repeated(() => {
    const contender = make();
    // So that nobody clears up what the one before left.
    globalThis.gc?.();
    return each(length, (index) => contender.inc(labels[index]!));
  }, rounds);
}

/** While nothing is in memory but the series. */
async function show(
  contender: Contender,
  length: number,
  before: number,
): Promise<Omit<EngineRun, 'born' | 'byLabels' | 'kept'>> {
  const all = await scrapes(contender, () => {
    for (let index = 0; index < length; index++) contender.inc(labelsOf(index));
  });
  const few = await scrapes(contender, () => {
    for (let index = 0; index < length; index += 100) contender.inc(labelsOf(index));
  });
  return {
    scrape: all.seconds,
    scrapeFew: few.seconds,
    still: Math.max(all.still, few.still),
    bytes: all.bytes,
    // As it is while it is scraped: nobody forces garbage to be collected.
    memory: (process.memoryUsage().rss - before) / length,
    together: await together(contender),
  };
}

function ours(): Contender {
  const registry = new Registry({ seriesLimit: 10_000_000 });
  const { requests } = registry.register('bench', CATALOGUE);
  const { others } = new Registry({ seriesLimit: 10_000_000 }).register('bench', { others: WARM });
  const scrapers = new Scrapers(registry, 0);
  return {
    inc: (labels) => requests.inc(labels),
    warmUp: (labels) => others.inc(labels),
    keep: (labels) => requests.series(labels),
    scrape: async () => {
      const collection = scrapers.begin('bench', 0);
      const shown = await expose(registry, {
        view: { format: 'text', escaping: 'underscores' },
        collection,
        idleMs: 0,
        now: 0,
      });
      const release = () => {
        shown.giveBack();
        collection.delivered();
      };
      return { bytes: lengthOf(shown), release };
    },
  };
}

function theirs(): Contender {
  const registry = new PromRegistry();
  const { name, help } = CATALOGUE.requests;
  const requests = new Counter({ name, help, labelNames: NAMES, registers: [registry] });
  const others = new Counter({ name: WARM.name, help, labelNames: NAMES, registers: [new PromRegistry()] });
  return {
    inc: (labels) => requests.inc(labels),
    warmUp: (labels) => others.inc(labels),
    keep: (labels) => requests.labels(labels),
    scrape: async () => {
      let text: string | null = await registry.metrics();
      return { bytes: text.length, release: () => (text = null) };
    },
  };
}

function lengthOf({ pieces }: Exposition): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

async function scrapes(
  contender: Contender,
  change: () => void,
): Promise<{ seconds: number; still: number; bytes: number }> {
  const seconds: number[] = [];
  let still = 0;
  let bytes = 0;
  const delays = monitorEventLoopDelay({ resolution: 1 });
  for (let round = 0; round < ROUNDS; round++) {
    change();
    delays.enable();
    await delay(20);
    delays.reset();
    const began = performance.now();
    const shown = await contender.scrape();
    seconds.push((performance.now() - began) / 1000);
    // A stop is told at the end of it.
    await delay(20);
    delays.disable();
    still = Math.max(still, delays.max / 1e9);
    bytes = shown.bytes;
    shown.release();
  }
  return { seconds: best(seconds.sort(ascending)), still, bytes };
}

async function together(contender: Contender): Promise<number> {
  const first = await contender.scrape();
  const before = held();
  const others = [await contender.scrape(), await contender.scrape(), await contender.scrape()];
  const more = held() - before;
  for (const shown of [first, ...others]) shown.release();
  return Math.max(0, more);
}

/** Bytes of the process, without what is only waiting to be freed. */
function held(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function repeated(measure: () => number, rounds = ROUNDS): number {
  return best(Array.from({ length: rounds }, measure).sort(ascending));
}

function each(length: number, task: (index: number) => void): number {
  const began = performance.now();
  for (let index = 0; index < length; index++) task(index);
  return (performance.now() - began) / 1000 / length;
}

/** As programs have them: every combination of a few values, which are the same texts each time. */
function labelsOf(index: number): Labels {
  return {
    tenant: text(`tenant-${index % 100}`),
    method: ['GET', 'POST', 'PUT', 'DELETE'][Math.floor(index / 100) % 4]!,
    path: text(`/api/v1/resources/${Math.floor(index / 2_000)}`),
    status: text(String(200 + (Math.floor(index / 400) % 5) * 100)),
  };
}

function text(value: string): string {
  const known = texts.get(value) ?? Buffer.from(value).toString();
  texts.set(value, known);
  return known;
}
