import type { z } from 'zod';
import { fieldMeta } from '../core/fields.ts';

/** One option, as a table or a commented file shows it. */
export interface OptionRow {
  /** Keys from the top of its section. */
  readonly path: readonly string[];
  readonly kind: string;
  readonly fallback: unknown;
  readonly doc: string;
}

/** A section's own sentence, and its options and sections in the order of their declaration. */
export interface SectionTree {
  readonly doc: string;
  readonly entries: readonly (readonly [key: string, entry: SectionTree | OptionRow])[];
}

/** Whether an entry is a section. */
export function isSection(entry: SectionTree | OptionRow): entry is SectionTree {
  return 'entries' in entry;
}

/** What a schema of `core/fields` says of itself. */
export function readSection(schema: z.ZodType, path: readonly string[] = []): SectionTree {
  const { doc = '', fields = {} } = fieldMeta(schema) ?? {};
  const entries = Object.entries(fields).map(([key, field]) => {
    const meta = fieldMeta(field);
    const at = [...path, key];
    if (meta?.fields) return [key, readSection(field, at)] as const;
    const { kind = '', default: fallback, doc: text = '' } = meta ?? {};
    return [key, { path: at, kind, fallback, doc: text }] as const;
  });
  return { doc, entries };
}

/** All options of a section, those of inner sections included. */
export function* optionRows(section: SectionTree): Generator<OptionRow> {
  for (const [, entry] of section.entries) {
    if (isSection(entry)) yield* optionRows(entry);
    else yield entry;
  }
}

/** The values of a section where none are given. */
export function defaultValues(section: SectionTree): Record<string, unknown> {
  return Object.fromEntries(
    section.entries.map(([key, entry]) => [key, isSection(entry) ? defaultValues(entry) : entry.fallback]),
  );
}
