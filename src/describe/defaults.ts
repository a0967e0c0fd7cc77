import { stringify } from 'yaml';
import type { z } from 'zod';
import { defaultValues, isSection, readSection, type SectionTree } from './walk.ts';

/** The parts of a configuration, each with its schema. */
export interface Parts {
  readonly core: Readonly<Record<string, z.ZodType>>;
  readonly sources: readonly { readonly type: string; readonly config: z.ZodType }[];
  readonly writers: readonly { readonly type: string; readonly config: z.ZodType }[];
}

/** The whole configuration with every default, as a value. */
export function defaultConfig(parts: Parts): Record<string, unknown> {
  return defaultValues(partsTree(parts));
}

/** The same as YAML, each option with a comment. */
export function defaultYaml(parts: Parts): string {
  const head = [
    '# The whole configuration of trailgauge with its defaults: what is left out, or null, is as here.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a user writes
    '# ${NAME} and ${NAME:-default} are put in from the environment; $${ is a plain ${.',
    '',
  ];
  return `${[...head, ...sectionLines(partsTree(parts), '')].join('\n').trimEnd()}\n`;
}

function partsTree({ core, sources, writers }: Parts): SectionTree {
  const section = (types: Parts['sources'], doc: string): SectionTree => ({
    doc,
    entries: types.map(({ type, config }) => [type, readSection(config)] as const),
  });
  return {
    doc: '',
    entries: [
      ...Object.entries(core).map(([key, schema]) => [key, readSection(schema)] as const),
      ['sources', section(sources, 'What is read: TYPE or TYPE/NAME, so that there may be several of a type.')],
      ['writers', section(writers, 'Where each event goes on to: TYPE or TYPE/NAME.')],
    ],
  };
}

function sectionLines({ entries }: SectionTree, indent: string): string[] {
  return entries.flatMap(([key, entry]) => {
    const comment = entry.doc ? [`${indent}# ${entry.doc}`] : [];
    if (!isSection(entry)) return [...comment, `${indent}${inline(key)}: ${inline(entry.fallback)}`];
    if (entry.entries.length === 0) return [...comment, `${indent}${inline(key)}: {}`];
    return [...comment, `${indent}${inline(key)}:`, ...sectionLines(entry, `${indent}  `), ...(indent ? [] : [''])];
  });
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}
