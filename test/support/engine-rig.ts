import { gunzipSync } from 'node:zlib';
import { counter, gauge, histogram, since } from '../../src/core/metrics/define.ts';
import { expose } from '../../src/core/metrics/exposition.ts';
import type { Handles } from '../../src/core/metrics/handles.ts';
import type { Label } from '../../src/core/metrics/labels.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { restoreSeries, takeSeries } from '../../src/core/metrics/saved.ts';
import { type Collection, NEWCOMER_MS, type Scraper, Scrapers } from '../../src/core/metrics/scrape.ts';
import type { Exposition } from '../../src/core/metrics/sheet.ts';
import { MemoryCells } from './cells.ts';
import { OWNERS, type Owner, SCRAPERS, type Step } from './engine-steps.ts';
import { BOUNDS, type Format, NaiveEngine, type NaiveScrape } from './naive-engine.ts';
import { parseExposition } from './strict-exposition.ts';

const CATALOGUE = {
  hits: counter('hits_total', 'Help.', ['a', 'b'], { exemplar: 'id' }),
  took: histogram('took_seconds', 'Help.', ['a'], BOUNDS, { exemplar: 'id' }),
  seen: since('seen', 'Help.', ['a'], 'any'),
  level: gauge('level', 'Help.', ['a']),
};

/** Milliseconds since 1970. */
const BEGIN = 1_700_000_000_000;
const IDLE_MS = 1_000;
const CONSTANT: Readonly<Record<Owner, readonly Label[]>> = { one: [], two: [['source', 'two']] };

interface Held {
  readonly exposition: Exposition;
  readonly collection: Collection;
  readonly naive: NaiveScrape;
  readonly copy: Buffer;
}

/** The engine beside a naive one: each step is done by both, and throws where they differ. */
export class EngineRig {
  readonly #crowd: number;
  readonly #disk = new MemoryCells();
  readonly #naive = new NaiveEngine(BEGIN);
  #registry = new Registry({ seriesLimit: 100_000, exemplars: true, areLeftOut: true });
  #scrapers = new Scrapers(this.#registry, BEGIN);
  #handles = new Map<Owner, Handles<typeof CATALOGUE>>();
  #saved: unknown = this.#naive.save();
  #held: Held[] = [];
  #now = BEGIN;

  /** With so many counters that a step `crowd` adds to. */
  constructor(crowd = 0) {
    this.#crowd = crowd;
    this.#register(OWNERS);
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#registry.time = this.#now;
    this.#do({ do: 'crowd', every: 1, by: 1 });
    for (const step of steps) {
      this.#registry.time = this.#now;
      if (step.do === 'scrape') await this.#scrapeAtOnce(step);
      else if (step.do === 'hold') await this.#scrape(step);
      else if (step.do === 'end') {
        const first = this.#held.shift();
        if (first) await this.#end(first, step.arrives);
      } else if (step.do === 'quiet') await this.#quiet(step.hours);
      else this.#do(step);
    }
    await this.#quiet(3);
    await this.#scrapeAtOnce({ id: 'last', format: 'text', arrives: true });
    await this.#scrapeAtOnce({ id: 'last', format: 'openmetrics', arrives: true });
    this.#checkSymbols();
  }

  async #quiet(hours: number): Promise<void> {
    while (this.#held.length > 0) await this.#end(this.#held.shift()!, true);
    for (let hour = 0; hour < hours; hour++) {
      this.#now += NEWCOMER_MS;
      for (const id of SCRAPERS) await this.#scrapeAtOnce({ id, format: 'text', arrives: true });
    }
  }

  async #scrapeAtOnce(step: {
    readonly id: string;
    readonly format: Format;
    readonly arrives: boolean;
  }): Promise<void> {
    await this.#scrape(step);
    await this.#end(this.#held.pop()!, step.arrives);
  }

  /** Only values of series that are there are kept, and what all have seen is forgotten. */
  #checkSymbols(): void {
    const wanted = new Set([0]);
    for (const { def, table } of this.#registry.families.values()) {
      for (let row = 0; row < (table?.length ?? 0); row++) {
        if (table?.born[row] === 0) continue;
        if (def.type === 'since' && table?.isShown(row)) throw new Error('it is not forgotten');
        for (let place = 0; place < def.labels.length; place++) wanted.add(table?.keys.id(row, place) ?? 0);
      }
    }
    const { size } = this.#registry.texts.symbols;
    if (size !== wanted.size) throw new Error(`found ${size} values, wanted ${wanted.size}`);
  }

  #do(step: Step): void {
    const now = this.#now;
    if (step.do === 'step') this.#now += step.ms;
    if (step.do === 'save') {
      this.#disk.save([...takeSeries(this.#registry), [['scrapers'], this.#scrapers.saved()]]);
      this.#naive.settle(now);
      this.#saved = this.#naive.save();
    }
    if (step.do === 'crash') this.#crash(step.owners);
    if (step.do === 'crowd') {
      for (let i = 0; i < this.#crowd; i += step.every) {
        this.#do({ do: 'count', owner: 'one', a: `crowd ${i}`, b: 'a', by: step.by });
      }
    }
    if (!('owner' in step)) return;
    const ours = this.#handles.get(step.owner);
    if (!ours) return;
    const { a } = step;
    const naive = (kind: 'hits' | 'took' | 'seen' | 'level', more: readonly Label[]) => {
      // The labels that only the data names come last.
      const [declared, extra] = kind === 'seen' ? [[], more] : [more, []];
      const labels: Label[] = [['a', a], ...declared, ...CONSTANT[step.owner], ...extra];
      return this.#naive.series(kind, step.owner, { labels, now });
    };
    switch (step.do) {
      case 'count':
        ours.hits.inc({ a, b: step.b }, step.by);
        this.#naive.add(naive('hits', [['b', step.b]]), step.by);
        break;
      case 'exemplify': {
        const exemplar = { id: step.id, value: step.by, time: BEGIN + step.at };
        const hits = ours.hits.series({ a, b: 'x' });
        hits.inc(step.by);
        hits.exemplify(exemplar);
        const took = ours.took.series({ a });
        took.observe(step.by);
        took.exemplify(exemplar);
        for (const series of [naive('hits', [['b', 'x']]), naive('took', [])]) {
          this.#naive.add(series, step.by);
          this.#naive.exemplify(series, exemplar);
        }
        break;
      }
      case 'bear':
        ours.hits.series({ a, b: step.b });
        naive('hits', [['b', step.b]]);
        break;
      case 'observe':
        ours.took.observe({ a }, step.by);
        this.#naive.add(naive('took', []), step.by);
        break;
      case 'owe':
        ours.seen.series({ a }, [['any', step.any]]).inc();
        this.#naive.add(naive('seen', [['any', step.any]]), 1);
        break;
      case 'set':
        ours.level.set({ a }, step.value);
        naive('level', []).value = step.value;
        break;
    }
  }

  async #scrape({ id, format }: { readonly id: string; readonly format: Format }): Promise<void> {
    const now = this.#now;
    const view = { format, escaping: 'underscores' } as const;
    this.#registry.time = now;
    const collection = this.#scrapers.begin(id, now);
    const exposition = await expose(this.#registry, { view, idleMs: IDLE_MS, now, collection });
    const naive = this.#naive.scrape(id, { format, idleMs: IDLE_MS, now });
    const copy = Buffer.concat(exposition.pieces);
    const lines = copy.toString().split('\n').slice(0, -1);
    const [found, wanted] = [lines.toSorted(), naive.lines.toSorted()];
    const wrong = found.findIndex((line, index) => line !== wanted[index]);
    if (wrong >= 0) throw new Error(`found ${found[wrong]}, wanted ${wanted[wrong]}`);
    if (found.length !== wanted.length) throw new Error(`${wanted[found.length]} is missing`);
    // What the lines do not tell: their order, and that no series is there twice.
    if (this.#crowd === 0) parseExposition(copy.toString(), format);
    this.#held.push({ exposition, collection, naive, copy });
  }

  async #end({ exposition, collection, naive, copy }: Held, arrives: boolean): Promise<void> {
    const packed: Buffer[] = [];
    for await (const bytes of exposition.packed()) packed.push(bytes);
    if (!Buffer.concat(exposition.pieces).equals(copy)) throw new Error('pieces changed while they were held');
    if (!gunzipSync(Buffer.concat(packed)).equals(copy)) throw new Error('what was packed is something else');
    exposition.giveBack();
    if (arrives) {
      collection.delivered();
      naive.delivered();
    } else {
      collection.failed();
      naive.failed();
    }
  }

  #crash(owners: readonly Owner[]): void {
    for (const { exposition } of this.#held) exposition.giveBack();
    this.#held = [];
    this.#registry = new Registry({ seriesLimit: 100_000, exemplars: true, areLeftOut: true });
    this.#registry.time = this.#now;
    this.#register(owners);
    this.#scrapers = new Scrapers(this.#registry, this.#now);
    const saved = this.#disk.load();
    restoreSeries(this.#registry, saved);
    this.#scrapers.restore((saved.under('scrapers')[0]?.[1] ?? []) as readonly Scraper[]);
    this.#naive.restore(this.#saved, this.#now);
  }

  #register(owners: readonly Owner[]): void {
    this.#handles = new Map(owners.map((owner) => [owner, this.#registry.register(owner, CATALOGUE, CONSTANT[owner])]));
    this.#naive.owners = new Set(owners);
  }
}
