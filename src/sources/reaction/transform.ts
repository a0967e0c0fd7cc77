import { type Addresses, NO_ADDRESSES } from '../../core/addresses.ts';
import { compileTemplate } from './template.ts';

/** Turns the value of a pattern into that of its label. Never throws: what fails becomes `invalid`. */
export type Transform = (value: string) => string;

/** What becomes of a filter's pattern: `false` drops its label, null leaves its values as they are. */
export type Transforms = (stream: string, filter: string, pattern: string) => Transform | false | null;

/**
 * The two sections as configured: `all` has patterns by name, `for` has streams, in these filters, in these patterns.
 * Each pattern has a template, `false`, or `true` or null for "as it is"; the sections may be null or absent.
 */
export interface TransformConfig {
  readonly all?: unknown;
  readonly for?: unknown;
}

/** A mistake in the configuration: where, as `transform.for.ssh.failedlogin.ip`, and what it is. */
export interface TransformProblem {
  readonly path: string;
  readonly text: string;
}

/**
 * Compiles the transforms. Throws an `Error` that lists all mistakes, each with its path. `onError` is told each time
 * when a template fails on a value. What a template tells of addresses comes from `addresses`.
 */
export function compileTransforms(
  config: TransformConfig,
  onError: (error: Error) => void,
  addresses: Addresses = NO_ADDRESSES,
): Transforms {
  const { all, streams, problems } = compile(config, onError, addresses);
  if (problems.length > 0) throw new Error(problems.map(({ path, text }) => `${path}: ${text}`).join('\n'));
  return (stream, filter, pattern) => {
    const own = streams.get(stream)?.get(filter)?.get(pattern);
    return own === undefined ? (all.get(pattern) ?? null) : own;
  };
}

/** All mistakes of the configuration, for a report of more than the first. */
export function transformProblems(config: TransformConfig): readonly TransformProblem[] {
  return compile(config, () => {}, NO_ADDRESSES).problems;
}

/** What a value becomes that a template fails on. */
const INVALID = 'invalid';

/** Values whose results a template remembers, and the longest of them. */
const MOST_REMEMBERED = 2000;
const LONGEST_REMEMBERED = 256;

type Patterns = ReadonlyMap<string, Transform | false | null>;

interface Compiled {
  readonly all: Patterns;
  readonly streams: ReadonlyMap<string, ReadonlyMap<string, Patterns>>;
  readonly problems: readonly TransformProblem[];
}

function compile(config: TransformConfig, onError: (error: Error) => void, addresses: Addresses): Compiled {
  const problems: TransformProblem[] = [];
  const patternsOf = (section: unknown, path: string): Patterns =>
    mapOf(section, { path, problems }, (template, name, place) => {
      try {
        return transformOf(template, name, {
          addresses,
          onError: (error) => onError(new Error(`${place}: ${error.message}`, { cause: error })),
        });
      } catch (error) {
        problems.push({ path: place, text: error instanceof Error ? error.message : String(error) });
        return null;
      }
    });
  const all = patternsOf(config.all, 'transform.all');
  const streams = mapOf(config.for, { path: 'transform.for', problems }, (filters, _stream, path) =>
    mapOf(filters, { path, problems }, (patterns, _filter, inner) => patternsOf(patterns, inner)),
  );
  return { all, streams, problems };
}

function mapOf<T>(
  section: unknown,
  { path, problems }: { readonly path: string; readonly problems: TransformProblem[] },
  read: (value: unknown, name: string, path: string) => T,
): ReadonlyMap<string, T> {
  if (section === null || section === undefined) return new Map();
  if (typeof section !== 'object' || Array.isArray(section)) {
    problems.push({ path, text: `found ${shortly(section)}, wanted a map` });
    return new Map();
  }
  return new Map(Object.entries(section).map(([name, value]) => [name, read(value, name, `${path}.${name}`)]));
}

function transformOf(
  template: unknown,
  pattern: string,
  { addresses, onError }: { readonly addresses: Addresses; readonly onError: (error: Error) => void },
): Transform | false | null {
  if (template === true || template === null || template === undefined) return null;
  if (template === false) return false;
  if (typeof template !== 'string') throw new Error(`found ${shortly(template)}, wanted a template, true or false`);
  const run = compileTemplate(template, pattern, addresses);
  const results = new Map<string, string>();
  let revision = addresses.revision;
  return (value) => {
    if (revision !== addresses.revision) {
      revision = addresses.revision;
      results.clear();
    }
    const known = results.get(value);
    if (known !== undefined) return known;
    let result: string;
    try {
      result = run(value);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      onError(new Error(`fails on ${shortly(value)}: ${why}`, { cause }));
      return INVALID;
    }
    if (value.length <= LONGEST_REMEMBERED && result.length <= LONGEST_REMEMBERED) remember(results, value, result);
    return result;
  };
}

function remember(results: Map<string, string>, value: string, result: string): void {
  if (results.size >= MOST_REMEMBERED) {
    for (const oldest of results.keys()) {
      results.delete(oldest);
      break;
    }
  }
  results.set(value, result);
}

function shortly(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
