import { parseYaml, type Tree } from './documents.ts';

/**
 * Reads the plain form of YAML in which programs print maps and lists: one key or item per line, nothing but spaces
 * for the depth. Ten times as fast as a whole parser, which matters where a list of ten thousand pending actions
 * comes in every ten seconds. `undefined` if the text holds anything else (comments, folded texts, anchors, `{…}`):
 * then it is for `parseYaml`, which gives the same for all that is read here.
 */
export function readBlockYaml(text: string): Tree | undefined {
  const lines: Line[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const rest = line.trimStart();
    const indent = line.length - rest.length;
    if (rest.length > longestLine || line.slice(0, indent) !== spaces.slice(0, indent)) return undefined;
    lines.push({ indent, rest });
  }
  if (lines.length === 0) return null;
  const reading: Reading = { lines, at: 0 };
  const tree = block(reading, lines[0]?.indent ?? 0, 0);
  return reading.at === lines.length ? tree : undefined;
}

interface Line {
  readonly indent: number;
  readonly rest: string;
}

interface Reading {
  readonly lines: readonly Line[];
  at: number;
}

const deepest = 32;
const longestLine = 4096;
const spaces = ' '.repeat(4 * deepest);

/** The map or list whose lines begin at this depth; `undefined` at the first line that is not of the plain form. */
function block(reading: Reading, indent: number, depth: number): Tree | undefined {
  const isList = reading.lines[reading.at]?.rest.startsWith('- ') ?? false;
  return isList ? list(reading, indent) : depth < deepest ? map(reading, indent, depth) : undefined;
}

function list(reading: Reading, indent: number): Tree | undefined {
  const items: Tree[] = [];
  for (let line = reading.lines[reading.at]; line?.indent === indent; line = reading.lines[reading.at]) {
    if (!line.rest.startsWith('- ')) break;
    const item = scalar(line.rest.slice(2));
    if (item === undefined) return undefined;
    items.push(item);
    reading.at++;
  }
  return items;
}

function map(reading: Reading, indent: number, depth: number): Tree | undefined {
  const entries = new Map<string, Tree>();
  for (let line = reading.lines[reading.at]; line?.indent === indent; line = reading.lines[reading.at]) {
    const pair = /^('(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^'"](?:[^:]|:(?! |$))*):(?: (.+))?$/.exec(line.rest);
    const key = scalar(pair?.[1] ?? '');
    if (pair === null || typeof key !== 'string' || key === '<<') return undefined;
    reading.at++;
    const value = pair[2] === undefined ? inner(reading, indent, depth) : scalar(pair[2]);
    if (value === undefined) return undefined;
    entries.set(key, value);
  }
  return entries;
}

/** The value below a key. A list may stand at the depth of its key. */
function inner(reading: Reading, indent: number, depth: number): Tree | undefined {
  const next = reading.lines[reading.at];
  if (next === undefined || next.indent < indent) return null;
  if (next.indent === indent) return next.rest.startsWith('- ') ? list(reading, indent) : null;
  return block(reading, next.indent, depth + 1);
}

/** Plain texts that YAML cannot take for anything else, and quoted ones. */
const plainText = /^[^\s\-?:,[\]{}#&*!|>'"%@`\p{Cc}\p{Cs}\uFEFF][^\t\p{Cc}\p{Cs}\uFEFF]*$/u;

function scalar(text: string): Tree | undefined {
  if (/^'(?:[^'\p{Cc}]|'')*'$/u.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) return quoted(text);
  if (!plainText.test(text) || /: | #|[: ]$/.test(text)) return undefined;
  return /^(?:~|null|Null|NULL)$/.test(text) ? null : text;
}

function quoted(text: string): Tree | undefined {
  try {
    return parseYaml(text, { uniqueKeys: false });
  } catch {
    return undefined;
  }
}
