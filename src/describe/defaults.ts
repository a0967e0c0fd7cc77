import { stringify } from 'yaml';
import type { z } from 'zod';
import { defaultValues, isSection, readSection, type SectionTree } from './walk.ts';

/** The parts of a configuration, each with its schema. */
export interface Parts {
  readonly core: Readonly<Record<string, z.ZodType>>;
  readonly sources: readonly Part[];
  readonly writers: readonly Part[];
  /** The sources that a configuration without any has; all others, and all writers, are off. */
  readonly on: readonly string[];
}

interface Part {
  readonly type: string;
  readonly config: z.ZodType;
}

/** The configuration with every default, as a value. */
export function defaultConfig(parts: Parts): Record<string, unknown> {
  const { on, sources } = parts;
  return defaultValues(partsTree({ ...parts, sources: sources.filter(({ type }) => on.includes(type)), writers: [] }));
}

/** The same as YAML, each option with a comment, and what is off as comments. */
export function defaultYaml(parts: Parts): string {
  const lines = [
    '# The whole configuration of trailgauge with its defaults: what is left out, or null, is as here.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a user writes
    '# ${NAME} and ${NAME:-default} are put in from the environment; $${ is a plain ${.',
    '',
    ...sectionLines(partsTree(parts), '', (path) => isOff(parts, path)),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function isOff({ on, writers }: Parts, [part, type]: readonly string[]): boolean {
  if (part === 'writers') return type !== undefined || writers.length > 0;
  return part === 'sources' && type !== undefined && !on.includes(type);
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

/** Lines of a section; of what `isOff` names, each line is a comment. */
function sectionLines(
  { entries }: SectionTree,
  indent: string,
  isOff: (path: readonly string[]) => boolean = () => false,
  path: readonly string[] = [],
): string[] {
  return entries.flatMap(([key, entry]) => {
    const at = [...path, key];
    const comment = entry.doc ? [`${indent}# ${entry.doc}`] : [];
    if (!isSection(entry)) return [...comment, `${indent}${inline(key)}: ${inline(entry.fallback)}`];
    if (entry.entries.length === 0) return [...comment, `${indent}${inline(key)}: {}`];
    const off = isOff(at);
    // What is in a comment already is no comment once more.
    const inner = sectionLines(entry, `${indent}  `, off ? () => false : isOff, at);
    const lines = [`${indent}${inline(key)}:`, ...inner];
    return [...comment, ...(off ? lines.map((line) => commented(line, indent)) : lines), ...(indent ? [] : [''])];
  });
}

/** A line as a comment that stands no further left than this. */
function commented(line: string, indent: string): string {
  return `${indent}# ${line.slice(indent.length)}`;
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}
