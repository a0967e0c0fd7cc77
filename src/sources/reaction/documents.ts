import { Composer, type CST, Lexer, LineCounter, Parser } from 'yaml';

/** A document of YAML or JSON: every scalar is the text that was written, so `2026-05-09 10:13:01` and `1` stay so. */
export type Tree = string | null | readonly Tree[] | ReadonlyMap<string, Tree>;

const MOST_NODES = 1_000_000;
const DEEPEST = 64;
/** Characters of YAML that are read: some seconds of work. */
const LONGEST_YAML = 1024 * 1024;

/**
 * Parses YAML 1.2 as people write it, with anchors, aliases and merge keys (`<<`); names given twice in a map are an
 * error. Throws an `Error`, with line and column where the text is no YAML. Aliases are expanded against a limit of a
 * million values, so that a few lines cannot fill the memory.
 */
export function parseYaml(text: string): Tree {
  return plain(yamlValue(text, true), { nodes: MOST_NODES, merge: true }, 0);
}

/** Parses what a program printed, JSON or YAML; the last of two equal keys stays. Throws as `parseYaml` does. */
export function parsePrinted(text: string): Tree {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (text.length > LONGEST_YAML) {
      throw new Error(`no JSON, and too long for YAML: ${text.length} characters, wanted at most ${LONGEST_YAML}`, {
        cause,
      });
    }
    // It is less strict than JSON, but tells where the mistake is. To look for equal keys costs the square of a map's size.
    value = yamlValue(text, false);
  }
  return plain(value, { nodes: MOST_NODES, merge: false }, 0);
}

function yamlValue(text: string, uniqueKeys: boolean): unknown {
  const lines = new LineCounter();
  const composer = new Composer({ schema: 'failsafe', customTags: (tags) => [...tags, 'null'], uniqueKeys });
  const [document, second] = composer.compose(tokens(text, lines), true, text.length);
  const error = document?.errors[0];
  if (error) throw new Error(`${place(lines, error.pos[0])}: ${error.message}`, { cause: error });
  if (second) throw new Error(`${place(lines, second.range[0])}: found a second document, wanted one`);
  // Aliases become shared references here; the limit to what they expand to is kept by `plain`.
  return document?.toJS({ mapAsMap: true, maxAliasCount: -1 }) ?? null;
}

/**
 * The text's tokens, with a limit to their depth: what comes after recurses, and where the stack ends within the
 * compiler of regular expressions, V8 ends the process.
 */
function* tokens(text: string, lines: LineCounter): Generator<CST.Token> {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > 2 * DEEPEST) {
      throw new Error(`${place(lines, parser.offset)}: nested more than ${DEEPEST} deep`);
    }
  }
  yield* parser.end();
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

interface Plain {
  /** Counted down. */
  nodes: number;
  readonly merge: boolean;
}

function plain(value: unknown, left: Plain, depth: number): Tree {
  left.nodes--;
  if (left.nodes < 0) throw new Error(`more than ${MOST_NODES} values once aliases are expanded`);
  if (depth > DEEPEST) throw new Error(`nested more than ${DEEPEST} deep, or holds itself`);
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, left, depth + 1));
  const map = new Map<string, Tree>();
  const merged: Tree[] = [];
  for (const [key, inner] of value instanceof Map ? value : Object.entries(value)) {
    // A key that is itself a map or a list means nothing to us.
    if (typeof key === 'object' && key !== null) continue;
    const tree = plain(inner, left, depth + 1);
    if (left.merge && key === '<<' && typeof tree !== 'string') merged.push(tree);
    else map.set(key === null ? '' : String(key), tree);
  }
  for (const source of merged.flat()) {
    if (!(source instanceof Map)) continue;
    for (const [key, tree] of source) {
      left.nodes--;
      // What the map has itself, or got from an earlier source, stays.
      if (!map.has(key)) map.set(key, tree);
    }
  }
  return map;
}
