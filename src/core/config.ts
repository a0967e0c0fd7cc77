import type { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import { type ConfigDocument, type ConfigError, type Path, parseConfig, pathText } from './config-file.ts';
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

/** A mistake of a section: the keys of the field from the top of the section, and what was found and wanted. */
export type Fault = readonly [path: readonly string[], message: string];

/** What a configuration may hold sections of. */
export interface SectionType {
  readonly type: string;
  readonly config: z.ZodType;
  /** The metrics that it has, if any. */
  readonly metrics?: Catalogue;
  /** What is wrong with a valid section beside the rest of the configuration, and beside what the environment says. */
  against?(config: unknown, core: CoreConfig, env: NodeJS.ProcessEnv): Fault | null;
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
  for (const key of Object.keys(root)) {
    if (!known.includes(key))
      errors.push(misplaced(key, options.types, document) ?? unknownKey([key], key, known, document));
  }
  const core = Object.fromEntries(
    Object.entries(CORE_SECTIONS).map(([key, schema]) => [key, validate(schema, root[key], [key], document, errors)]),
  );
  checkLimits(valueAt(root, ['metrics', 'series_limits']), options.types, document, errors);
  const sources = instances('sources', root.sources ?? DEFAULT_SOURCES, options.types.sources, document, errors);
  const writers = instances('writers', root.writers ?? {}, options.types.writers, document, errors);
  if (root.sources && Object.keys(sources).length === 0 && errors.length === 0) {
    errors.push(errorAt(['sources'], document, `found none, wanted at least one of ${names(options.types.sources)}`));
  }
  // Each part went through its schema.
  const config = { ...core, sources, writers } as unknown as Config;
  if (errors.length === 0) checkTogether(config, options, document, errors);
  return errors.length > 0 ? { config: null, errors: ordered(errors) } : { config, errors: [] };
}

/** What is wrong with sections beside others, and with what the environment adds to them. */
function checkTogether(
  config: Config,
  { types, env }: CheckOptions,
  document: ConfigDocument,
  errors: ConfigError[],
): void {
  for (const part of ['sources', 'writers'] as const) {
    for (const [key, section] of Object.entries(config[part])) {
      const spec = types[part].find(({ type }) => type === typeOf(key));
      const fault = spec?.against?.(section, config, env);
      if (fault) errors.push(errorAt([part, key, ...fault[0]], document, fault[1]));
    }
  }
  checkDelivered(config, document, errors);
}

/** A writer of a source that is not there would silently write nothing. */
function checkDelivered({ sources, writers }: Config, document: ConfigDocument, errors: ConfigError[]): void {
  const known = Object.keys(sources);
  for (const [key, section] of Object.entries(writers)) {
    // All sections of writers have it.
    const { sources: wanted = [] } = section as { readonly sources?: readonly string[] };
    for (const [index, name] of wanted.entries()) {
      if (known.includes(name)) continue;
      const wish = nearest(name, known) ?? known.join(', ');
      const message = `found source ${quote(name)}, wanted one that is configured: ${wish}`;
      errors.push(errorAt(['writers', key, 'sources', index], document, message));
    }
  }
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

/** The type of a section that is named `TYPE` or `TYPE/NAME`. */
function typeOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(0, slash);
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
    } else {
      const message = issue.message.startsWith('found')
        ? issue.message
        : `${found(masked(target, valueAt(value, issue.path)))}, ${issue.message}`;
      errors.push(errorAt(at, document, message));
    }
  }
  return undefined;
}

/** In the order of the file, and each once: two rules may find the same fault. */
function ordered(errors: readonly ConfigError[]): readonly ConfigError[] {
  const sorted = errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return [...new Map(sorted.map((error) => [`${error.path}\n${error.message}`, error])).values()];
}

function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>(
    (at, step) => (at ? fieldMeta(at)?.fields?.[String(step)] : undefined),
    schema,
  );
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      at !== null && typeof at === 'object' ? Object.getOwnPropertyDescriptor(at, step)?.value : undefined,
    value,
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

function errorAt(path: Path, document: ConfigDocument, message: string, key = false): ConfigError {
  const at = document.locate(path, key);
  return { path: pathText(path), line: at?.line ?? null, column: at?.column ?? null, message };
}

function asMap(value: unknown, document: ConfigDocument, errors: ConfigError[]): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (isMapValue(value)) return value;
  errors.push(errorAt([], document, `${found(value)}, wanted a map of sections`));
  return {};
}

function isMapValue(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function found(value: unknown): string {
  if (value === undefined) return 'found nothing';
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return `found ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}`;
}

function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function names(types: readonly SectionType[]): string {
  return types.map(({ type }) => type).join(', ');
}
