import { readFileSync, statSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { type Config, checkConfig, namedTypes } from '../core/config.ts';
import { type ConfigDocument, type ConfigError, parseConfig, SIZE_LIMIT } from '../core/config-file.ts';
import { errorAt, ordered } from '../core/config-places.ts';
import { coreParts } from '../core/config-together.ts';
import { loadTypes, type Types } from './catalogue.ts';
import { type Io, write } from './io.ts';

/** Read if no other configuration is named and it is there. */
export const DEFAULT_FILE = '/etc/trailgauge/trailgauge.yaml';

/** Stands for standard input in the place of a path. */
export const STANDARD_INPUT = '-';

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

/** What is read, as messages call it, or null if nothing is named and there is no file at the usual place. */
export function configName(args: ConfigArguments): string | null {
  const path = configFile(args);
  return path === STANDARD_INPUT ? 'standard input' : path;
}

function configFile({ config }: ConfigArguments): string | null {
  return config ?? (isThere(DEFAULT_FILE) ? DEFAULT_FILE : null);
}

/** What is wrong with what a document names. */
type Look = (document: ConfigDocument) => Promise<readonly ConfigError[]>;

/** The configuration, or null after all of its errors, with those that `look` finds, were written to standard error. */
export async function loadConfig(args: ConfigArguments, io: Io, look?: Look): Promise<Loaded | null> {
  const { format = 'yaml' } = args;
  const path = configFile(args);
  const name = configName(args);
  let text = '';
  try {
    if (path === STANDARD_INPUT) text = await readStandardInput(io);
    else if (path !== null) text = readFileSync(path, 'utf8');
  } catch (error) {
    const problem = readProblem(error, 'a configuration (see: trailgauge defaults)');
    await write(io.stderr, `trailgauge: configuration ${name}: ${problem}\n`);
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
  for (const error of errors) await write(io.stderr, `${errorLine(name ?? 'configuration', error)}\n`);
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

/** It may be without end, and a person may be typing it. */
async function readStandardInput({ stdin, signal }: Io): Promise<string> {
  let text = '';
  try {
    for await (const chunk of addAbortSignal(signal, stdin.setEncoding('utf8'))) {
      text += chunk;
      if (text.length > SIZE_LIMIT) break;
    }
  } catch (error) {
    throw signal.aborted ? new Error('stopped before its end') : error;
  }
  if (text.length <= SIZE_LIMIT) return text;
  throw new Error(`found more than ${SIZE_LIMIT} characters, wanted at most so many`);
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
