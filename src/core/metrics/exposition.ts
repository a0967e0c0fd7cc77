import { escapeHelp } from './labels.ts';
import type { Family, Registry } from './registry.ts';
import type { Collection } from './scrape.ts';
import type { SeriesBirth } from './store.ts';

/** `text` is Prometheus text 0.0.4; `openmetrics` is OpenMetrics 1.0. */
export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What an exposition shows. */
export interface ExpositionOptions {
  readonly format: Format;
  /** Whose collection this is, for what is kept per scraper. */
  readonly collection: Collection;
  /** Counters that did not change for so long are left out, in milliseconds; 0 shows all. */
  readonly idleMs: number;
  readonly now: number;
  /** Text of further metrics, each line ended, to stand before the end. */
  readonly more?: string;
}

/** Lines after which the event loop gets its turn. */
const SLICE_LINES = 5_000;

/**
 * The whole exposition, in pieces. It gives the event loop back between slices, so numbers of different series may be
 * of slightly different moments; whoever answers with them commits after this and before the answer.
 */
export async function expose(registry: Registry, options: ExpositionOptions): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  let lines: string[] = [];
  for (const family of registry.families.values()) {
    let headed = false;
    for (const line of familyLines(registry, family, options)) {
      if (!headed) lines.push(head(family, options.format));
      headed = true;
      lines.push(line);
      if (lines.length < SLICE_LINES) continue;
      chunks.push(Buffer.from(lines.join('')));
      lines = [];
      await new Promise(setImmediate);
    }
  }
  lines.push(options.more ?? '', options.format === 'openmetrics' ? '# EOF\n' : '');
  chunks.push(Buffer.from(lines.join('')));
  return chunks;
}

/** How Prometheus writes a number. */
export function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function head(family: Family, format: Format): string {
  const { name, help, type } = family.def;
  const shown = type === 'since' ? 'gauge' : type;
  const title = format === 'openmetrics' && type === 'counter' ? name.slice(0, -'_total'.length) : name;
  const unit = format === 'openmetrics' ? /_(seconds|bytes)$/.exec(title)?.[1] : undefined;
  const text = format === 'openmetrics' ? escapeHelp(help).replaceAll('"', '\\"') : escapeHelp(help);
  return `# HELP ${title} ${text}\n# TYPE ${title} ${shown}\n${unit ? `# UNIT ${title} ${unit}\n` : ''}`;
}

function* familyLines(registry: Registry, family: Family, options: ExpositionOptions): Generator<string> {
  const { name, type } = family.def;
  if (type === 'gauge') {
    for (const shown of family.gauges.values()) {
      for (const [text, value] of shown) yield sample(name, text, value);
    }
  } else if (type === 'since') {
    for (const [text, value] of options.collection.collect(name)) yield sample(name, text, value);
  } else {
    for (const birth of family.series.values()) {
      if (isIdle(registry, birth, options)) continue;
      yield type === 'counter'
        ? counterLines(registry, birth, options)
        : histogramLines(registry, family, birth, options);
    }
  }
}

function isIdle(registry: Registry, birth: SeriesBirth, { idleMs, now }: ExpositionOptions): boolean {
  return idleMs > 0 && now - registry.store.touched[birth.slot + birth.width - 1]! > idleMs;
}

function counterLines(registry: Registry, birth: SeriesBirth, options: ExpositionOptions): string {
  const line = sample(birth.family, birth.text, shownValue(registry, birth.slot, options));
  if (options.format === 'text') return line;
  return line + sample(`${birth.family.slice(0, -'_total'.length)}_created`, birth.text, birth.created / 1000);
}

function histogramLines(registry: Registry, family: Family, birth: SeriesBirth, options: ExpositionOptions): string {
  const { name, buckets = [] } = family.def;
  const comma = birth.text === '' ? '' : ',';
  let lines = '';
  let count = 0;
  for (let i = 0; i <= buckets.length; i++) {
    count += shownValue(registry, birth.slot + i, options);
    const bound = formatValue(buckets[i] ?? Number.POSITIVE_INFINITY);
    const le = options.format === 'openmetrics' && /^[0-9]+$/.test(bound) ? `${bound}.0` : bound;
    lines += sample(`${name}_bucket`, `${birth.text}${comma}le="${le}"`, count);
  }
  lines += sample(`${name}_sum`, birth.text, shownValue(registry, birth.slot + buckets.length + 1, options));
  lines += sample(`${name}_count`, birth.text, count);
  if (options.format === 'openmetrics') lines += sample(`${name}_created`, birth.text, birth.created / 1000);
  return lines;
}

/** A series that this scraper has not seen yet is shown at 0 once, so that `increase()` sees its first events. */
function shownValue(registry: Registry, slot: number, { collection }: ExpositionOptions): number {
  return slot >= collection.known ? 0 : registry.store.values[slot]!;
}

function sample(name: string, text: string, value: number): string {
  return `${name}${text && `{${text}}`} ${formatValue(value)}\n`;
}
