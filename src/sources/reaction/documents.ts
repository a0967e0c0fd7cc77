import { Composer, type CST, type Document, isAlias, Lexer, LineCounter, Parser, visit } from 'yaml';
import { jsonMistake } from './json-place.ts';

/** A document of YAML or JSON: every scalar is the text that was written, so `2026-05-09 10:13:01` and `1` stay so. */
export type Tree = string | null | readonly Tree[] | ReadonlyMap<string, Tree>;

const mostNodes = 1_000_000;
const deepest = 64;

/**
 * Parses YAML 1.2 with anchors, aliases and merge keys (`<<`). Throws an `Error` with line and column. Aliases are
 * expanded against a limit of a million values, so that a few lines cannot fill the memory. Names given twice in a map
 * are an error where `uniqueKeys` asks for it, which costs the square of a map's size; else the last one stays.
 */
export function parseYaml(text: string, { uniqueKeys }: { readonly uniqueKeys: boolean }): Tree {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const composer = new Composer({ schema: 'failsafe', customTags: (tags) => [...tags, 'null'], uniqueKeys });
  const [document, second] = composer.compose(tokens(text, lines, place), true, text.length);
  const error = document?.errors[0];
  if (error) throw new Error(`${place(error.pos[0])}: ${error.message}`, { cause: error });
  if (second) throw new Error(`${place(second.range[0])}: found a second document, wanted one`);
  if (!document) return null;
  refuseUnknownAliases(document, place);
  // Aliases become shared references here; the limit to what they expand to is kept by `plain`.
  return plain(document.toJS({ mapAsMap: true, maxAliasCount: -1 }), { nodes: mostNodes }, 0);
}

/**
 * The text's tokens, with a limit to their depth: what comes after recurses, and where the stack ends within the
 * compiler of regular expressions, V8 ends the process.
 */
function* tokens(text: string, lines: LineCounter, place: (offset: number) => string): Generator<CST.Token> {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > 2 * deepest) throw new Error(`${place(parser.offset)}: nested more than ${deepest} deep`);
  }
  yield* parser.end();
}

/** The library tells of these without their place. */
function refuseUnknownAliases(document: Document.Parsed, place: (offset: number) => string): void {
  const anchors = new Set<string>();
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
      } else if (!anchors.has(node.source)) {
        throw new Error(`${place(node.range?.[0] ?? 0)}: no anchor &${node.source} before *${node.source}`);
      }
    },
  });
}

/** Parses JSON; throws an `Error` with line and column. */
export function parseJson(text: string): Tree {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const before = text.slice(0, jsonMistake(text)).split('\n');
    const message = cause instanceof Error ? cause.message.replaceAll(/\s+/g, ' ') : String(cause);
    throw new Error(`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`, { cause });
  }
  return plain(value, { nodes: mostNodes }, 0);
}

function plain(value: unknown, left: { nodes: number }, depth: number): Tree {
  left.nodes--;
  if (left.nodes < 0) throw new Error(`more than ${mostNodes} values once aliases are expanded`);
  if (depth > deepest) throw new Error(`nested more than ${deepest} deep, or holds itself`);
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, left, depth + 1));
  const map = new Map<string, Tree>();
  const merged: Tree[] = [];
  for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
    // A key that is itself a map or a list means nothing to us.
    if (typeof key === 'object' && key !== null) continue;
    const tree = plain(inner, left, depth + 1);
    if (key === '<<' && mergeable(tree)) merged.push(tree);
    else map.set(key === null ? '' : String(key), tree);
  }
  for (const source of merged.flat()) mergeInto(map, source, left);
  return map;
}

function mergeable(tree: Tree): boolean {
  return tree instanceof Map || (Array.isArray(tree) && tree.every((item) => item instanceof Map));
}

/** What the map has itself, or got from an earlier source, stays. */
function mergeInto(map: Map<string, Tree>, source: Tree, left: { nodes: number }): void {
  if (!(source instanceof Map)) return;
  for (const [key, tree] of source) {
    left.nodes--;
    if (!map.has(key)) map.set(key, tree);
  }
}
