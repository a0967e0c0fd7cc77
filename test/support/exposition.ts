import { expose } from '../../src/core/metrics/exposition.ts';
import type { Registry } from '../../src/core/metrics/registry.ts';
import { Scrapers } from '../../src/core/metrics/scrape.ts';
import type { ExpositionOptions, View } from '../../src/core/metrics/view.ts';

/** What those see who ask for nothing. */
export const TEXT: View = { format: 'text', escaping: 'underscores' };

/** What a scraper that comes for the first time is shown: values by series. */
export async function show(
  registry: Registry,
  options: Partial<ExpositionOptions> = {},
): Promise<Record<string, number>> {
  return readSamples(await exposed(registry, options));
}

/** The same to somebody who gets it. */
export async function showTo(
  scrapers: Scrapers,
  registry: Registry,
  options: Partial<ExpositionOptions> = {},
): Promise<Record<string, number>> {
  const collection = scrapers.begin('a', options.now ?? 0);
  const shown = await show(registry, { ...options, collection });
  collection.delivered();
  return shown;
}

/** The exposition as text. */
export async function exposed(registry: Registry, options: Partial<ExpositionOptions> = {}): Promise<string> {
  const now = options.now ?? 0;
  const collection = options.collection ?? new Scrapers(registry, now).begin('test', now);
  const exposition = await expose(registry, { view: TEXT, idleMs: 0, now, ...options, collection });
  const text = Buffer.concat(exposition.pieces).toString('utf8');
  exposition.giveBack();
  return text;
}

/** Values by series, of text without newlines in its label values but escaped ones. */
export function readSamples(text: string): Record<string, number> {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    samples.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1).replace('Inf', 'Infinity'))];
    }),
  );
}
