import type { Exemplar } from '../../src/core/metrics/exemplars.ts';
import type { Label } from '../../src/core/metrics/labels.ts';
import { NEWCOMER_MS, SCRAPER_TTL_MS } from '../../src/core/metrics/scrape.ts';

export type Kind = 'hits' | 'took' | 'seen' | 'level';
export type Format = 'text' | 'openmetrics';

export const BOUNDS = [0.5, 2] as const;

/** A metric's head in the text format. */
const HEADS: Readonly<Record<Kind, readonly [name: string, type: string]>> = {
  hits: ['hits_total', 'counter'],
  took: ['took_seconds', 'histogram'],
  seen: ['seen', 'gauge'],
  level: ['level', 'gauge'],
};

interface Series {
  readonly kind: Kind;
  readonly owner: string;
  readonly labels: readonly Label[];
  readonly born: number;
  readonly created: number;
  touched: number;
  changed: boolean;
  value: number;
  /** Of a histogram, what each bucket alone holds. */
  buckets: number[];
  /** Whether anybody was not shown it since it changed. */
  isLeftOut: boolean;
  /** What it was before it changed after that, each time. */
  readonly returns: Return[];
  /** By bucket; of a counter there is one. */
  exemplars: Map<number, Exemplar>;
  /** Of what scrapers are owed. */
  base: number;
  oldBase: number;
  readonly given: Map<string, number>;
}

/** Values of a series, and the number that a birth would have had then. */
interface Return {
  readonly number: number;
  readonly value: number;
  readonly buckets: readonly number[];
}

interface Known {
  seen: number;
  /** As of the newest scrape that arrived, and the number of that. */
  shown: number;
  last: number;
  before: number;
  newest: number;
}

/** One scrape: what it ought to show, as lines in no order, and what is to be done if it arrives, and if it does not. */
export interface NaiveScrape {
  readonly lines: readonly string[];
  delivered(): void;
  failed(): void;
}

/** The metrics engine in the plainest way: objects in maps, made into text anew each time, and nothing ever forgotten. */
export class NaiveEngine {
  /** Owners that are there. */
  owners: ReadonlySet<string> = new Set();
  #series = new Map<string, Series>();
  #scrapers = new Map<string, Known>();
  #births = 1;
  #begun = 0;
  #rotated: number;

  /** Since so many milliseconds since 1970. */
  constructor(begin: number) {
    this.#rotated = begin;
  }

  /** What is there now, for `restore`. */
  save(): unknown {
    return structuredClone([this.#series, this.#scrapers, this.#births]);
  }

  /** A restart: gauges are gone, and nobody knows when series last changed. */
  restore(saved: unknown, now: number): void {
    [this.#series, this.#scrapers, this.#births] = structuredClone(saved) as [
      Map<string, Series>,
      Map<string, Known>,
      number,
    ];
    for (const [key, series] of this.#series) {
      if (series.kind === 'level') this.#series.delete(key);
      series.touched = now;
      series.changed = false;
      series.isLeftOut = true;
      series.exemplars.clear();
    }
    this.#rotated = now;
  }

  series(kind: Kind, owner: string, { labels, now }: { labels: readonly Label[]; now: number }): Series {
    const shown = labels
      .map(([name, value]): Label => [name, value.toWellFormed()])
      .filter(([, value]) => value !== '');
    const key = JSON.stringify([kind, shown]);
    let series = this.#series.get(key);
    if (!series) {
      const rest = {
        touched: now,
        changed: false,
        value: 0,
        base: 0,
        oldBase: 0,
        buckets: [0, 0, 0],
        isLeftOut: false,
        returns: [],
        given: new Map(),
        exemplars: new Map(),
      };
      series = { kind, owner, labels: shown, born: this.#births++, created: now, ...rest };
      this.#series.set(key, series);
    }
    return series;
  }

  add(series: Series, by: number): void {
    if (series.isLeftOut) {
      series.returns.push({ number: this.#births++, value: series.value, buckets: [...series.buckets] });
      series.isLeftOut = false;
    }
    series.value += by;
    series.changed = true;
    series.buckets[bucketOf(by)]! += 1;
  }

  exemplify({ kind, exemplars }: Series, exemplar: Exemplar): void {
    const { id, value, time } = exemplar;
    const bucket = kind === 'hits' ? 0 : bucketOf(value);
    const known = exemplars.get(bucket);
    if (known && time < known.time + 1_000) return;
    if (/^[ -~]{1,126}$/.test(id)) exemplars.set(bucket, exemplar);
  }

  /** Changes since the last call count as of this time. */
  settle(now: number): void {
    for (const series of this.#series.values()) {
      if (series.changed) series.touched = now;
      series.changed = false;
    }
  }

  scrape(id: string, { format, now, idleMs }: { format: Format; now: number; idleMs: number }): NaiveScrape {
    this.settle(now);
    this.#age(now);
    const scraper = this.#scrapers.get(id) ?? this.#welcome(id, now);
    const { shown: known, last, before: unseen } = scraper;
    const births = this.#births;
    const number = ++this.#begun;
    scraper.seen = now;
    const lines: string[] = [];
    const given: (readonly [Series, number])[] = [];
    for (const kind of ['hits', 'took', 'seen', 'level'] as const) {
      const before = lines.length;
      for (const series of this.#series.values()) {
        if (series.kind !== kind || !this.owners.has(series.owner)) continue;
        const isOld = idleMs > 0 && now - series.touched > idleMs && series.touched < unseen;
        if (isOld && (kind === 'hits' || kind === 'took')) {
          series.isLeftOut = true;
          continue;
        }
        if (kind === 'seen') {
          const due = series.value - (series.given.get(id) ?? 0);
          if (due === 0) continue;
          given.push([series, due]);
          series.given.set(id, series.value);
          lines.push(line('seen', series.labels, due));
        } else if (kind === 'level') lines.push(line('level', series.labels, series.value));
        else lines.push(...(kind === 'hits' ? counter : histogram)(shownTo(series, known), format));
      }
      if (lines.length > before) lines.push(...head(kind, format));
    }
    if (format === 'openmetrics') lines.push('# EOF');
    return {
      lines,
      delivered: () => {
        if (number > scraper.newest) Object.assign(scraper, { newest: number, shown: births, last: now, before: last });
      },
      failed: () => {
        if (this.#scrapers.get(id) !== scraper) return;
        for (const [series, due] of given) series.given.set(id, series.given.get(id)! - due);
      },
    };
  }

  #welcome(id: string, now: number): Known {
    const scraper = { shown: this.#births, last: now, before: 0, seen: 0, newest: 0 };
    this.#scrapers.set(id, scraper);
    for (const series of this.#series.values()) series.given.set(id, series.oldBase);
    return scraper;
  }

  #age(now: number): void {
    for (const [id, { seen }] of this.#scrapers) if (now - seen >= SCRAPER_TTL_MS) this.#scrapers.delete(id);
    this.#rotated = Math.min(this.#rotated, now);
    if (now - this.#rotated < NEWCOMER_MS) return;
    for (const series of this.#series.values()) {
      series.oldBase = series.base;
      series.base = series.value;
    }
    this.#rotated = now;
  }
}

/** What one who knows all that was born or returned before `known` is shown. */
function shownTo(series: Series, known: number): Series {
  if (series.born >= known) return { ...series, value: 0, buckets: [0, 0, 0], exemplars: new Map() };
  const base = series.returns.find(({ number }) => number >= known);
  return base ? { ...series, value: base.value, buckets: [...base.buckets], exemplars: new Map() } : series;
}

function head(kind: Kind, format: Format): readonly string[] {
  const [name, type] = HEADS[kind];
  const title = format === 'openmetrics' ? name.replace(/_total$/, '') : name;
  const unit = format === 'openmetrics' && title.endsWith('_seconds') ? [`# UNIT ${title} seconds`] : [];
  return [`# HELP ${title} Help.`, `# TYPE ${title} ${type}`, ...unit];
}

function bucketOf(value: number): number {
  const bucket = BOUNDS.findIndex((bound) => value <= bound);
  return bucket < 0 ? BOUNDS.length : bucket;
}

function exemplarText(found: Exemplar | undefined): string {
  if (!found) return '';
  const { id, value, time } = found;
  return ` # {id="${escaped(id)}"} ${value} ${(time / 1000).toFixed(3)}`;
}

function counter(series: Series, format: Format): readonly string[] {
  const { labels, value, created, exemplars } = series;
  const behind = format === 'text' ? '' : exemplarText(exemplars.get(0));
  const lines = [line('hits_total', labels, value) + behind];
  return format === 'text' ? lines : [...lines, line('hits_created', labels, created / 1000)];
}

function histogram(series: Series, format: Format): readonly string[] {
  const { labels, value, buckets, created, exemplars } = series;
  let count = 0;
  const bounds = ['0.5', format === 'text' ? '2' : '2.0', '+Inf'];
  const lines = bounds.map((le, index) => {
    count += buckets[index]!;
    const behind = format === 'text' ? '' : exemplarText(exemplars.get(index));
    return line('took_seconds_bucket', [...labels, ['le', le]], count) + behind;
  });
  lines.push(line('took_seconds_sum', labels, value), line('took_seconds_count', labels, count));
  if (format === 'openmetrics') lines.push(line('took_seconds_created', labels, created / 1000));
  return lines;
}

function line(name: string, labels: readonly Label[], value: number): string {
  const pairs = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join(',');
  return `${name}${pairs && `{${pairs}}`} ${String(value)}`;
}

function escaped(text: string): string {
  return text.split('\\').join('\\\\').split('"').join('\\"').split('\n').join('\\n');
}
