import { readFileSync, statSync } from 'node:fs';
import { type Config, checkConfig, namedTypes } from '../core/config.ts';
import { type ConfigDocument, type ConfigError, parseConfig } from '../core/config-file.ts';
import { errorAt, ordered } from '../core/config-places.ts';
import { coreParts } from '../core/config-together.ts';
import { loadTypes, type Types } from './catalogue.ts';
import { type Io, write } from './io.ts';

/** Read if no other configuration is named and it is there. */
export const DEFAULT_FILE = '/etc/trailgauge/trailgauge.yaml';

/** What the command line says of the configuration. */
export interface ConfigArguments {
  readonly config?: string | undefined;
  readonly format?: 'yaml' | 'json' | undefined;
}

/** A configuration, with the types that its sections are of, and perhaps others. */
export interface Loaded {
  readonly config: Config;
  readonly types: Types;
}

/** The file that is read, or null if none is named and there is none at the usual place. */
export function configFile({ config }: ConfigArguments): string | null {
  return config ?? (isThere(DEFAULT_FILE) ? DEFAULT_FILE : null);
}

/** What is wrong with what a document names. */
type Look = (document: ConfigDocument) => Promise<readonly ConfigError[]>;

/** The configuration, or null after all of its errors, with those that `look` finds, were written to standard error. */
export async function loadConfig(args: ConfigArguments, io: Io, look?: Look): Promise<Loaded | null> {
  const { format = 'yaml' } = args;
  const path = configFile(args);
  let text = '';
  try {
    if (path !== null) text = readFileSync(path, 'utf8');
  } catch (error) {
    const problem = readProblem(error, 'a configuration (see: trailgauge defaults)');
    await write(io.stderr, `trailgauge: configuration ${path}: ${problem}\n`);
    return null;
  }
  const document = parseConfig(text, path === null ? 'yaml' : format, io.env);
  const looked = (await look?.(document)) ?? [];
  const types = await loadTypes(namedTypes(document));
  const { config } = checkConfig(document, { env: io.env, types });
  if (config && looked.length === 0) return { config, types };
  // To tell what was wanted takes all that could be there, and a limit may be meant for a metric of any source.
  const all = await loadTypes();
  const result = checkConfig(document, { env: io.env, types: all });
  const errors = ordered([...result.errors, ...looked]);
  for (const error of errors) await write(io.stderr, `${errorLine(path ?? 'configuration', error)}\n`);
  return result.config && errors.length === 0 ? { config: result.config, types: all } : null;
}

/** The configuration of what serves, or null after its errors, those of the web configuration too, were written. */
export async function loadServed(args: ConfigArguments, io: Io): Promise<Loaded | null> {
  return loadConfig(args, io, webConfigErrors);
}

async function webConfigErrors(document: ConfigDocument): Promise<readonly ConfigError[]> {
  const path = coreParts(document).listen.web_config ?? null;
  if (path === null) return [];
  const { loadWebConfig } = await import('../server/web-config.ts');
  try {
    loadWebConfig(path, { onProblem: () => {} });
    return [];
  } catch (error) {
    const problems = error instanceof Error ? error.message : String(error);
    return problems.split('\n').map((problem) => errorAt(['listen', 'web_config'], document, problem));
  }
}

function errorLine(file: string, { path, line, column, message }: ConfigError): string {
  const place = line === null ? file : `${file}:${line}:${column}`;
  return `${place}: ${path && `${path}: `}${message}`;
}

/** Why a file could not be read, and what was wanted. */
export function readProblem(error: unknown, wish: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return `found no such file, wanted ${wish}`;
  if (code === 'EACCES') return `found no permission to read it, wanted ${wish}`;
  if (code === 'EISDIR') return `found a directory, wanted ${wish}`;
  return error instanceof Error ? error.message : String(error);
}

/** What may not be looked at is there: to go on without it would be a surprise. */
function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
