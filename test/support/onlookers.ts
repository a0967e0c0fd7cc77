import { counter, histogram } from '../../src/core/metrics/define.ts';
import { expose } from '../../src/core/metrics/exposition.ts';
import type { ExpositionFormat } from '../../src/core/metrics/negotiate.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { restoreSeries, takeSeries } from '../../src/core/metrics/saved.ts';
import { type Scraper, Scrapers } from '../../src/core/metrics/scrape.ts';
import { MemoryCells } from './cells.ts';
import { readSamples } from './exposition.ts';
import { readFamilies } from './protobuf.ts';

const CATALOGUE = {
  hits: counter('hits_total', 'Hits.', ['who']),
  took: histogram('took_seconds', 'Took.', ['who'], [0.5, 2]),
};

/** How an answer ends: it arrives or does not, or all ends when it is saved, and nobody knows. */
export type End = 'arrives' | 'fails' | 'kill';

export type Samples = ReadonlyMap<string, number>;

/** A program that leaves out what is idle, with a clock of its own, and a disk that outlives it. */
export class Watched {
  readonly idleMs: number;
  /** Milliseconds since 1970. */
  now = 1_700_000_000_000;
  registry!: Registry;
  scrapers!: Scrapers;
  readonly #disk = new MemoryCells();
  /** What was counted and not saved yet. */
  #unsaved: (() => void)[] = [];
  #handles!: ReturnType<typeof register>;

  constructor(idleMs: number) {
    this.idleMs = idleMs;
    this.start();
  }

  /** Begins with what is on disk, and counts what is not there once more, as a source that goes back to its place does. */
  start(): void {
    this.registry = new Registry({ seriesLimit: 100_000, nativeHistograms: true, areLeftOut: this.idleMs > 0 });
    this.registry.time = this.now;
    this.#handles = register(this.registry);
    this.scrapers = new Scrapers(this.registry, this.now);
    const saved = this.#disk.load();
    restoreSeries(this.registry, saved);
    this.scrapers.restore((saved.under('scrapers')[0]?.[1] ?? []) as readonly Scraper[]);
    for (const count of this.#unsaved) count();
  }

  save(): void {
    this.#unsaved = [];
    this.#disk.save([...takeSeries(this.registry), [['scrapers'], this.scrapers.saved()]]);
  }

  hit(who: string, by = 1): void {
    this.#count(() => this.#handles.hits.inc({ who }, by));
  }

  observe(who: string, value: number): void {
    this.#count(() => this.#handles.took.observe({ who }, value));
  }

  #count(count: () => void): void {
    this.registry.time = this.now;
    count();
    this.#unsaved.push(count);
  }

  /** What a scraper is shown, by series; native histograms as their count and sum. */
  async scrape(id: string, format: ExpositionFormat, end: End = 'arrives'): Promise<Samples> {
    this.registry.time = this.now;
    const collection = this.scrapers.begin(id, this.now);
    const view = { format, escaping: 'underscores' } as const;
    const shown = await expose(this.registry, { view, collection, idleMs: this.idleMs, now: this.now });
    const bytes = Buffer.concat(shown.pieces);
    shown.giveBack();
    this.save();
    if (end === 'arrives') collection.delivered();
    else if (end === 'fails') collection.failed();
    else this.start();
    return samplesOf(bytes, format);
  }

  /** How many series are kept with what they were before they returned. */
  get kept(): number {
    const cells = [...this.registry.families.values()].flatMap(({ table }) =>
      Array.from({ length: table?.length ?? 0 }, (_, row) => table!.returns.find(row, 0)),
    );
    return cells.filter((base) => base !== undefined).length;
  }
}

/** One who adds up what series grew by, and takes one that was missing in an answer for a new one. */
export class Onlooker {
  readonly grew = new Map<string, number>();
  #last: Samples = new Map();
  readonly #highest = new Map<string, number>();

  /** Throws if a series falls. */
  see(samples: Samples): void {
    for (const [series, value] of samples) {
      const highest = this.#highest.get(series) ?? 0;
      if (value < highest) throw new Error(`${series} fell from ${highest} to ${value}`);
      this.#highest.set(series, value);
      const by = value - (this.#last.get(series) ?? value);
      this.grew.set(series, (this.grew.get(series) ?? 0) + by);
    }
    this.#last = samples;
  }
}

function register(registry: Registry) {
  return registry.register('o', CATALOGUE);
}

function samplesOf(bytes: Buffer, format: ExpositionFormat): Samples {
  if (format !== 'protobuf') {
    return new Map(Object.entries(readSamples(bytes.toString())).filter(([series]) => !series.includes('_created')));
  }
  const samples = new Map<string, number>();
  for (const { name, metrics } of readFamilies(bytes)) {
    for (const { labels, value, histogram } of metrics) {
      const who = `{who="${labels[0]?.[1]}"}`;
      if (value !== undefined) samples.set(name + who, value);
      if (!histogram) continue;
      samples.set(`${name}_count${who}`, Number(histogram.get(1)?.[0] ?? 0));
      samples.set(`${name}_sum${who}`, Number(histogram.get(2)?.[0] ?? 0));
    }
  }
  return samples;
}
