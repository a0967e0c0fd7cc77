import type { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import type { CheckOptions, Config, CoreParts } from './config.ts';
import type { ConfigDocument, ConfigError, Path } from './config-file.ts';
import { errorAt, isLacking, isMapValue, quote, typeOf, valueAt } from './config-places.ts';
import { CORE_SECTIONS } from './core-sections.ts';
import { fieldMeta } from './fields.ts';

/** What is valid of the sections that are not of a source or a writer, whatever else is wrong. */
export function coreParts(document: ConfigDocument): CoreParts {
  const parts = Object.entries(CORE_SECTIONS).map(([key, schema]) => [key, validOptions(schema, [key], document)]);
  // Each option went through its schema.
  return Object.fromEntries(parts) as unknown as CoreParts;
}

/** What is wrong with valid sections beside others, and with what the environment adds to them. */
export function checkTogether(
  sections: Pick<Config, 'sources' | 'writers'>,
  { types, env }: CheckOptions,
  document: ConfigDocument,
  errors: ConfigError[],
): void {
  const core = coreParts(document);
  for (const part of ['sources', 'writers'] as const) {
    for (const [key, section] of Object.entries(sections[part])) {
      if (section === undefined || isLacking([part, key], document)) continue;
      const spec = types[part].find(({ type }) => type === typeOf(key));
      const fault = spec?.against?.(section, core, env);
      if (fault) errors.push(errorAt([part, key, ...fault[0]], document, fault[1]));
    }
  }
}

/** Names of sources: those that are there, and those that are mistakes themselves, of which a writer may mean one. */
interface SourceNames {
  readonly known: readonly string[];
  readonly doubtful: readonly string[];
}

/** A writer of a source that is not there would silently write nothing. */
export function checkDelivered(
  { known, doubtful }: SourceNames,
  writers: readonly string[],
  { types }: CheckOptions,
  document: ConfigDocument,
  errors: ConfigError[],
): void {
  if (known.length === 0) return;
  for (const key of writers) {
    const spec = types.writers.find(({ type }) => type === typeOf(key));
    const { sources = [] } = spec ? validOptions(spec.config, ['writers', key], document) : {};
    // All sections of writers have it.
    for (const [index, name] of (sources as readonly string[]).entries()) {
      if (known.includes(name) || doubtful.includes(name) || nearest(name, doubtful)) continue;
      const wish = nearest(name, known) ?? known.join(', ');
      const message = `found source ${quote(name)}, wanted one that is configured: ${wish}`;
      errors.push(errorAt(['writers', key, 'sources', index], document, message));
    }
  }
}

/** The options of a section that are valid by themselves. */
function validOptions(schema: z.ZodType, path: Path, document: ConfigDocument): Readonly<Record<string, unknown>> {
  const value = valueAt(document.value, path) ?? {};
  const options = Object.entries(isMapValue(value) ? (fieldMeta(schema)?.fields ?? {}) : {});
  const valid = options.flatMap(([key, option]) => {
    const { success, data } = option.safeParse(valueAt(value, [key]));
    return success && !isLacking([...path, key], document) ? [[key, data] as const] : [];
  });
  return Object.fromEntries(valid);
}
