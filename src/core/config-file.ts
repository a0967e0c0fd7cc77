import { isMap, isPair, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import { type Mistake, plainValue, readDocument } from './config-syntax.ts';
import { interpolate } from './interpolate.ts';

/** Where in a document something is: keys and indexes. */
export type Path = readonly PropertyKey[];

/** One thing wrong with a configuration. */
export interface ConfigError {
  readonly path: string;
  /** Line in the file, from 1; null where there is none. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

/** A document that was read, with the environment put in. */
export interface ConfigDocument {
  readonly value: unknown;
  readonly errors: readonly ConfigError[];
  /** Where a path stands; with `key`, where its key stands. The nearest parent answers for what is not there. */
  locate(path: Path, key?: boolean): { readonly line: number; readonly column: number } | null;
}

/** Largest configuration, in characters. */
export const SIZE_LIMIT = 4 * 1024 * 1024;

/** Reads YAML, or JSON, which is YAML too; `json` refuses what is not JSON. Never throws for bad text. */
export function parseConfig(text: string, format: 'yaml' | 'json', env: NodeJS.ProcessEnv): ConfigDocument {
  const errors: ConfigError[] = [];
  if (text.length > SIZE_LIMIT)
    return failed([atPath('', null, `found ${text.length} characters, wanted at most ${SIZE_LIMIT}`)]);
  // Some editors put a mark at the beginning that JSON does not know.
  const plain = text.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of plain.matchAll(/\n/g)) lines.addNewLine(index + 1);
  const document = readDocument(plain, format);
  if (isMistakes(document)) return failed(document.map(({ offset, message }) => atPath('', position(offset), message)));
  const root = document.contents as Node | null;
  interpolateNode(root, []);
  const value = plainValue(document);
  return { value, errors, locate };

  function interpolateNode(node: unknown, path: Path): void {
    if (isMap(node)) {
      for (const pair of node.items) interpolateNode(pair.value, [...path, keyOf(pair)]);
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        interpolateNode(item, [...path, index]);
      });
    } else if (isScalar(node) && typeof node.value === 'string' && node.value.includes('$')) {
      const { text: result, missing } = interpolate(node.value, env);
      for (const name of missing) {
        const message = `found \${${name}}, but the environment has no ${name}; wanted it set, or \${${name}:-default}`;
        errors.push(atPath(pathText(path), position(node.range?.[0] ?? 0), message));
      }
      // What the environment leaves empty is as good as not written.
      node.value = result === '' ? null : result;
    }
  }

  function locate(path: Path, key = false): { line: number; column: number } | null {
    let node: unknown = root;
    let found = offsetOf(root);
    for (const [index, step] of path.entries()) {
      const pair = isMap(node) ? node.items.find((item) => keyOf(item) === String(step)) : undefined;
      const child: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(step)] : undefined;
      if (!pair && child === undefined) break;
      const wantsKey = key && index === path.length - 1;
      found = (wantsKey ? offsetOf(pair?.key) : offsetOf(child)) ?? offsetOf(pair?.key) ?? found;
      node = child;
    }
    return found === null ? null : position(found);
  }

  function position(offset: number): { line: number; column: number } {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }

  function failed(list: readonly ConfigError[]): ConfigDocument {
    return { value: null, errors: list, locate: () => null };
  }
}

/** `sources.reaction.hold`, `servers[0].url`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

function atPath(path: string, at: { line: number; column: number } | null, message: string): ConfigError {
  return { path, line: at?.line ?? null, column: at?.column ?? null, message };
}

function isMistakes(found: ReturnType<typeof readDocument>): found is readonly Mistake[] {
  return Array.isArray(found);
}

function keyOf(pair: unknown): string {
  if (!isPair(pair)) return '';
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function offsetOf(node: unknown): number | null {
  const range: unknown = node !== null && typeof node === 'object' && 'range' in node ? node.range : null;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null;
}
