import type { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import { type ConfigDocument, type ConfigError, type Path, parseConfig } from './config-file.ts';
import { errorAt, isLacking, isMapValue, ordered, quote, typeOf, valueAt } from './config-places.ts';
import { checkDelivered, checkTogether } from './config-together.ts';
import { CORE_SECTIONS, type CoreConfig } from './core-sections.ts';
import { fieldMeta, masked } from './fields.ts';
import type { Catalogue } from './metrics/define.ts';
import { OWN_METRICS, SOURCE_METRICS, WRITER_METRICS } from './own.ts';

/** A configuration that was validated and completed. */
export type Config = CoreConfig & {
  /** Sections by `TYPE` or `TYPE/NAME`. */
  readonly sources: Readonly<Record<string, unknown>>;
  readonly writers: Readonly<Record<string, unknown>>;
};

/** The sections that are not of a source or a writer, without the options that have mistakes. */
export type CoreParts = { readonly [K in keyof CoreConfig]: Partial<CoreConfig[K]> };

/** A mistake of a section: the keys of the field from the top of the section, and what was found and wanted. */
export type Fault = readonly [path: readonly string[], message: string];

/** What a configuration may hold sections of. */
export interface SectionType {
  readonly type: string;
  readonly config: z.ZodType;
  /** The metrics that it has, if any. */
  readonly metrics?: Catalogue;
  /** What is wrong with a valid section beside the rest of the configuration, and beside what the environment says. */
  against?(config: unknown, core: CoreParts, env: NodeJS.ProcessEnv): Fault | null;
}

export interface ConfigTypes {
  readonly sources: readonly SectionType[];
  readonly writers: readonly SectionType[];
}

/** Either a configuration, or all that is wrong with it. */
export type ConfigResult =
  | { readonly config: Config; readonly errors: readonly [] }
  | { readonly config: null; readonly errors: readonly ConfigError[] };

/** The sources of a configuration that names none. */
export const DEFAULT_SOURCES = { reaction: {} } as const;

/** Reads and validates a configuration; all of its errors at once. */
export function readConfig(
  source: string,
  { format, ...options }: CheckOptions & { readonly format: 'yaml' | 'json' },
): ConfigResult {
  return checkConfig(parseConfig(source, format, options.env), options);
}

/** What a document is held against. */
export interface CheckOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly types: ConfigTypes;
}

/** Types of sources and writers by their names. */
export interface NamedTypes {
  readonly sources: ReadonlySet<string>;
  readonly writers: ReadonlySet<string>;
}

/** The types that the sections of a document say they are of: what is valid with these alone is valid. */
export function namedTypes({ value }: ConfigDocument): NamedTypes {
  const { sources, writers } = isMapValue(value) ? value : {};
  const typesOf = (sections: unknown) => new Set(isMapValue(sections) ? Object.keys(sections).map(typeOf) : []);
  return { sources: typesOf(sources ?? DEFAULT_SOURCES), writers: typesOf(writers) };
}

/** Validates and completes a document; all of its errors at once. */
export function checkConfig(document: ConfigDocument, options: CheckOptions): ConfigResult {
  if (document.errors.length > 0 && document.value === null) return { config: null, errors: document.errors };
  const errors = [...document.errors];
  const root = asMap(document.value, document, errors);
  const known = [...Object.keys(CORE_SECTIONS), 'sources', 'writers'];
  const strangers = Object.keys(root).filter((key) => !known.includes(key));
  for (const key of strangers) {
    errors.push(misplaced(key, options.types, document) ?? unknownKey([key], key, known, document));
  }
  const core = Object.fromEntries(
    Object.entries(CORE_SECTIONS).map(([key, schema]) => [key, validate(schema, root[key], [key], document, errors)]),
  );
  checkLimits(valueAt(root, ['metrics', 'series_limits']), options.types, document, errors);
  const sources = instances('sources', root.sources ?? DEFAULT_SOURCES, options.types.sources, document, errors);
  const writers = instances('writers', root.writers ?? {}, options.types.writers, document, errors);
  const named = Object.keys(isMapValue(root.sources) ? root.sources : DEFAULT_SOURCES);
  if (named.length === 0 && !strangers.some((key) => misplaced(key, options.types, document))) {
    errors.push(errorAt(['sources'], document, `found none, wanted at least one of ${names(options.types.sources)}`));
  }
  checkTogether({ sources, writers }, options, document, errors);
  // Where the sources are by an unknown key, nothing tells which there are.
  if (root.sources || strangers.length === 0) {
    const doubtful = [...strangers, ...named.filter((name) => !Object.hasOwn(sources, name))];
    checkDelivered({ known: Object.keys(sources), doubtful }, Object.keys(writers), options, document, errors);
  }
  // Each part went through its schema.
  const config = { ...core, sources, writers } as unknown as Config;
  return errors.length > 0 ? { config: null, errors: ordered(errors) } : { config, errors: [] };
}

/** Limits of metrics that do not exist would silently limit nothing. */
function checkLimits(
  limits: unknown,
  { sources, writers }: ConfigTypes,
  document: ConfigDocument,
  errors: ConfigError[],
): void {
  const catalogues = [
    OWN_METRICS,
    SOURCE_METRICS,
    WRITER_METRICS,
    ...[...sources, ...writers].map(({ metrics = {} }) => metrics),
  ];
  const known = catalogues.flatMap((catalogue: Catalogue) => Object.values(catalogue).map(({ name }) => name));
  for (const name of isMapValue(limits) ? Object.keys(limits) : []) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const wish = near ? `perhaps ${near}` : 'the name of a metric (see: trailgauge metrics)';
    const path = ['metrics', 'series_limits', name];
    errors.push(errorAt(path, document, `found metric ${quote(name)}, wanted ${wish}`, true));
  }
}

function instances(
  part: 'sources' | 'writers',
  value: unknown,
  types: readonly SectionType[],
  document: ConfigDocument,
  errors: ConfigError[],
): Record<string, unknown> {
  if (!isMapValue(value)) {
    errors.push(errorAt([part], document, `${found(value)}, wanted a map of sections named TYPE or TYPE/NAME`));
    return {};
  }
  const sections: [string, unknown][] = [];
  const labels = new Map<string, string>();
  for (const [key, config] of Object.entries(value)) {
    const slash = key.indexOf('/');
    const type = typeOf(key);
    const label = key.slice(slash + 1);
    const namesake = labels.get(label);
    labels.set(label, key);
    const spec = types.find((candidate) => candidate.type === type);
    if (!spec) {
      const near = nearest(
        type,
        types.map((candidate) => candidate.type),
      );
      const known = types.length > 0 ? `one of ${names(types)}` : `none, as this version has no ${part}`;
      const message = `found ${part.slice(0, -1)} type ${quote(type)}, wanted ${near ? `perhaps ${near}` : known}`;
      errors.push(errorAt([part, key], document, message, true));
    } else if (slash >= 0 && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/.test(label)) {
      const wish = 'wanted a name of up to 63 letters, digits and _ . -, beginning with none of . -';
      errors.push(errorAt([part, key], document, `found name ${quote(label)}, ${wish}`, true));
    } else if (namesake !== undefined) {
      const message = `found ${key} beside ${namesake}, wanted another name, as both would be called ${quote(label)} in metrics`;
      errors.push(errorAt([part, key], document, message, true));
    } else {
      sections.push([key, validate(spec.config, config, [part, key], document, errors)]);
    }
  }
  return Object.fromEntries(sections);
}

function validate(
  schema: z.ZodType,
  value: unknown,
  path: Path,
  document: ConfigDocument,
  errors: ConfigError[],
): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const at = [...path, ...issue.path];
    const target = schemaAt(schema, issue.path);
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys((target && fieldMeta(target)?.fields) ?? {});
      for (const key of issue.keys) {
        if (known.length > 0) errors.push(unknownKey([...at, key], key, known, document));
        else errors.push(errorAt([...at, key], document, `found unknown key ${quote(key)}, ${issue.message}`, true));
      }
    } else if (!isLacking(at, document) && !(isLacking(path, document) && isOfSeveral(issue.path))) {
      const message = issue.message.startsWith('found')
        ? issue.message
        : `${found(masked(target, valueAt(value, issue.path)))}, ${issue.message}`;
      errors.push(errorAt(at, document, message));
    }
  }
  return undefined;

  /** Whether an option is valid by itself, so that its mistake is one beside others. */
  function isOfSeveral(at: Path): boolean {
    return schemaAt(schema, at)?.safeParse(valueAt(value, at)).success === true;
  }
}

function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>(
    (at, step) => (at ? fieldMeta(at)?.fields?.[String(step)] : undefined),
    schema,
  );
}

/** A source or a writer that stands beside the sections, as in configurations of other programs; null if it is none. */
function misplaced(key: string, types: ConfigTypes, document: ConfigDocument): ConfigError | null {
  const part = (['sources', 'writers'] as const).find((part) => types[part].some(({ type }) => type === typeOf(key)));
  return part ? errorAt([key], document, `found unknown key ${quote(key)}, wanted it under ${part}`, true) : null;
}

function unknownKey(path: Path, key: string, known: readonly string[], document: ConfigDocument): ConfigError {
  const near = nearest(key, known);
  const wish = near ? `perhaps ${near}` : `one of ${known.join(', ')}`;
  return errorAt(path, document, `found unknown key ${quote(key)}, wanted ${wish}`, true);
}

function asMap(value: unknown, document: ConfigDocument, errors: ConfigError[]): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (isMapValue(value)) return value;
  errors.push(errorAt([], document, `${found(value)}, wanted a map of sections`));
  return {};
}

function found(value: unknown): string {
  if (value === undefined) return 'found nothing';
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return `found ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}`;
}

function names(types: readonly SectionType[]): string {
  return types.map(({ type }) => type).join(', ');
}
