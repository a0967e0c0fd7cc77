import { Alias, type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { nearest } from '../../lib/nearest.ts';

/** The way to a value: map keys and list places from the top. */
export type Path = readonly PropertyKey[];

export interface Checked<Value> {
  /** Without the entries of the top that have mistakes. */
  readonly value: Value;
  /** A line for each mistake, in the order of the file. */
  readonly problems: readonly string[];
  /** `FILE:LINE: a.b.c: text`, for what is found wrong later with the value at `path`. */
  problem(path: Path, text: string): string;
}

/**
 * Parses YAML (or JSON) against a schema of strict objects. Scalars reach the schema as strings, except `null`, `true`
 * and `false`, so that `1e3` or `0` are not numbers where the format wants text; an empty document is an empty map.
 * Throws one `Error` whose message has a line for each mistake if nothing can be made of the document. A value appears in
 * a mistake only where the schema enumerates what is wanted: any other may be a secret, and so may be the text that a YAML
 * parser would quote.
 */
export function checkYaml<Value>(file: string, text: string, schema: z.ZodType<Value>): Checked<Value> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'failsafe',
    customTags: ['null', 'bool'],
    stringKeys: true,
    prettyErrors: false,
  });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    throw new Error(
      broken.map(({ code, pos }) => `${file}:${lines.linePos(pos[0]).line}: not valid YAML: ${words(code)}`).join('\n'),
    );
  }
  const raw = plainValue(file, document);

  function problem(path: Path, text: string): string {
    const place = path.length > 0 ? `${path.map(String).join('.')}: ` : '';
    return `${file}:${lines.linePos(offset(document, path)).line}: ${place}${text}`;
  }

  const result = schema.safeParse(raw);
  if (result.success) return { value: result.data, problems: [], problem };
  const mistakes = result.error.issues.flatMap((issue) => describe(issue, raw, schema));
  mistakes.sort((a, b) => offset(document, a.path) - offset(document, b.path));
  const problems = mistakes.map(({ path, text }) => problem(path, text));
  const wrong = new Set(mistakes.map(({ path: [first] }) => first));
  const rest = schema.safeParse(Object.fromEntries(Object.entries(raw ?? {}).filter(([key]) => !wrong.has(key))));
  if (wrong.has(undefined) || !rest.success) throw new Error(problems.join('\n'));
  return { value: rest.data, problems, problem };
}

interface Mistake {
  readonly path: Path;
  readonly text: string;
}

function describe(issue: z.core.$ZodIssue, raw: unknown, schema: z.ZodType): Mistake | readonly Mistake[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, path);
      return issue.keys.map((key) => ({ path: [...path, key], text: `unknown key, ${advice(key, known)}` }));
    }
    case 'invalid_value': {
      const found = valueAt(raw, path);
      const wanted = issue.values.map(String);
      if (typeof found !== 'string') return { path, text: `found ${kind(found)}, wanted ${list(wanted)}` };
      return { path, text: `found ${JSON.stringify(found.slice(0, 80))}, ${advice(found, wanted)}` };
    }
    case 'invalid_type':
      return { path, text: `found ${kind(valueAt(raw, path))}, wanted ${expected(issue.expected)}` };
    default:
      return { path, text: issue.message };
  }
}

/** What to write instead of an unknown name. */
function advice(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `wanted ${list(known)}` : `did you mean ${near}?`;
}

function list(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `one of ${names.join(', ')}`;
}

/** The keys that the strict object at `path` knows. */
function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  let at: unknown = bare(schema);
  for (const step of path) at = at instanceof z.ZodObject ? bare(at.shape[String(step)]) : undefined;
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function bare(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodNullable) at = at.unwrap();
  return at;
}

function valueAt(raw: unknown, path: Path): unknown {
  let at: unknown = raw;
  for (const step of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  return at;
}

/** Where in the text the key (or list item) at `path` begins, or the nearest thing above it. */
function offset(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let found = 0;
  for (const step of path) {
    if (node instanceof Alias) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (!pair) break;
      if (isScalar(pair.key)) found = pair.key.range?.[0] ?? found;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (isScalar(node)) found = node.range?.[0] ?? found;
    } else break;
  }
  return found;
}

function plainValue(file: string, document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    throw new Error(`${file}: an alias without its anchor, or too many aliases`, { cause });
  }
}

function kind(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'boolean' ? String(value) : 'text';
}

function expected(type: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a map',
    array: 'a list',
    string: 'text',
    boolean: 'true or false',
  };
  return names[type] ?? type;
}

/** `BAD_INDENT` as words. */
function words(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}
