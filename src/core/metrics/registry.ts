import type { Catalogue, MetricDef } from './define.ts';
import { createFamily, type Family } from './family.ts';
import { gaugeHandle } from './gauge.ts';
import type { Counter, Gauge, Handles, Histogram, Since } from './handles.ts';
import type { Label } from './labels.ts';
import { Rows } from './rows.ts';
import { AS_IT_IS, Symbols } from './symbols.ts';
import type { SeriesTable } from './table.ts';

/** What the registry is told from outside. */
export interface RegistryOptions {
  /** Most series that one metric may have; what comes after shares one series with all labels `other`. */
  readonly seriesLimit: number;
}

/** Rows of a family whose values changed. */
export interface Changed {
  readonly family: Family;
  readonly table: SeriesTable;
  readonly rows: readonly number[];
}

type AnyHandle = Counter<MetricDef> | Gauge<MetricDef> | Histogram<MetricDef> | Since<MetricDef>;

/** All metrics of the process: families by name. */
export class Registry {
  readonly families = new Map<string, Family>();
  readonly texts = { symbols: new Symbols(), suffixes: new Symbols(AS_IT_IS) };
  /** The time that changes are noted with, in milliseconds since 1970: set once per batch, as asking costs. */
  time = 0;
  /** What the next series to be born is numbered. */
  births = 1;
  readonly #owners = new Set<string>();
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get seriesLimit(): number {
    return this.#options.seriesLimit;
  }

  /**
   * Registers a catalogue for one owner, such as `reaction/edge`, whose series all carry these constant labels.
   * Several owners may register the same catalogue.
   */
  register<C extends Catalogue>(owner: string, catalogue: C, constant: readonly Label[] = []): Handles<C> {
    this.#owners.add(owner);
    const handles = Object.entries(catalogue).map(([key, def]) => {
      return [key, this.#handle(this.#family(def), owner, constant)] as const;
    });
    // The handle of each entry is made from its own declaration, which the mapped type cannot follow.
    return Object.fromEntries(handles) as unknown as Handles<C>;
  }

  /** Whether somebody has registered by this name. */
  isOwner(owner: string): boolean {
    return this.#owners.has(owner);
  }

  /** Brings what changed since the last call to where it is shown and saved from, and tells what it is. */
  settle(): readonly Changed[] {
    const all: Changed[] = [];
    for (const family of this.families.values()) {
      const { table, bodies } = family;
      if (!table) continue;
      const rows = table.takeChanged(this.time);
      const moved = table.takeMoved();
      for (const body of bodies.values()) {
        body.noteChanged(rows);
        body.noteMoved(moved);
      }
      if (rows.length > 0) all.push({ family, table, rows });
    }
    return all;
  }

  #family(def: MetricDef): Family {
    let family = this.families.get(def.name);
    if (!family) {
      family = createFamily(def, this.texts);
      this.families.set(def.name, family);
    } else if (family.def !== def) {
      throw new Error(`metric ${def.name} is declared twice`);
    }
    return family;
  }

  #handle(family: Family, owner: string, constant: readonly Label[]): AnyHandle {
    const { def, table } = family;
    if (!table) return gaugeHandle(family, owner, constant, this.seriesLimit);
    const rows = new Rows(this, family, table, [owner, constant]);
    switch (def.type) {
      case 'histogram':
        return { observe: (labels, value) => observe(table, def.buckets ?? [], rows.row(labels), value) };
      case 'since':
        return { series: (labels, extra) => rows.series(labels, extra) };
      default:
        return {
          series: (labels: Readonly<Record<string, string>>) => rows.series(labels),
          inc: (labels, by = 1) => table.inc(rows.row(labels), by),
        };
    }
  }
}

function observe(table: SeriesTable, buckets: readonly number[], row: number, value: number): void {
  let bucket = 0;
  // What is no number is above all bounds.
  while (bucket < buckets.length && !(value <= buckets[bucket]!)) bucket++;
  table.add(row, bucket, 1);
  table.add(row, buckets.length + 1, value);
}
