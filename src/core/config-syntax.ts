import {
  Composer,
  type CST,
  type Document,
  type ErrorCode,
  isAlias,
  isCollection,
  isNode,
  isScalar,
  Lexer,
  Parser,
  visit,
} from 'yaml';

/** A place in a text, and what is wrong there. */
export interface Mistake {
  readonly offset: number;
  readonly message: string;
}

/** Maps and lists may stand in each other so deep: the parser works by recursion, and the stack has an end. */
const DEEPEST = 100;
/** Values that aliases may stand for, for each place where one is used. */
const ALIAS_LIMIT = 100;

/**
 * One document of YAML, or of JSON, which is YAML too; `json` refuses what is not JSON. Otherwise its mistakes, of which
 * no message repeats what may be a secret.
 */
export function readDocument(text: string, format: 'yaml' | 'json'): Document.Parsed | readonly Mistake[] {
  const tokens = readTokens(text);
  if (typeof tokens === 'number') {
    return [{ offset: tokens, message: `found more than ${DEEPEST} maps and lists in one another, wanted fewer` }];
  }
  const composer = new Composer({ uniqueKeys: true, stringKeys: true, logLevel: 'silent' });
  const [document, second] = composer.compose(tokens, true, text.length);
  // `true` asks for a document even where there is nothing.
  if (!document) return [{ offset: 0, message: 'found nothing' }];
  const mistakes: Told[] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const [first] = mistakes.filter(({ code }) => code !== 'DUPLICATE_KEY');
  if (format === 'json') {
    const found = jsonMistake(text, document, first?.pos[0]);
    if (found) return [found];
  }
  if (second) mistakes.push({ ...secondDocument, pos: [second.range[0], second.range[0]] });
  // What follows a mistake of syntax is guesswork; a key that is there twice misleads nobody.
  const told = mistakes.filter((error) => error.code === 'DUPLICATE_KEY' || error === (first ?? mistakes.at(-1)));
  if (told.length > 0) return told.map((error) => syntaxMistake(error, text));
  const alias = aliasMistake(document);
  return alias ? [alias] : document;
}

/** The value of a document; throws if its aliases stand for too much. */
export function plainValue(document: Document.Parsed): unknown {
  return document.toJS({ maxAliasCount: ALIAS_LIMIT });
}

/** The tokens of a text, or the offset where it is nested too deep. */
function readTokens(text: string): CST.Token[] | number {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    // The outermost two are the document and the value that is being read.
    if (parser.stack.length > DEEPEST + 2) return parser.offset;
  }
  tokens.push(...parser.end());
  return tokens;
}

/** Of an error of the parser. */
interface Told {
  readonly code: ErrorCode;
  readonly pos: readonly [number, number];
  readonly message: string;
}

const secondDocument: Omit<Told, 'pos'> = { code: 'MULTIPLE_DOCS', message: '' };

function syntaxMistake({ code, pos: [offset], message }: Told, text: string): Mistake {
  if (code === 'DUPLICATE_KEY') {
    const key = /^(?:"[^"\n]{1,80}"|'[^'\n]{1,80}'|[\w./-]{1,80})/.exec(text.slice(offset, offset + 100))?.[0];
    return { offset, message: `found the key${key ? ` ${key}` : ''} twice, wanted it once` };
  }
  if (code === 'MULTIPLE_DOCS') return { offset, message: 'found a second document, wanted one' };
  if (code === 'NON_STRING_KEY') return { offset, message: 'found a key that is no text, wanted a name' };
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset + 1);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a user writes
  const hint = line.includes('${') ? '; inside of { } and [ ] a ${NAME} wants quotes around it' : '';
  // What the parser quotes is a piece of the text.
  return { offset, message: `not valid YAML: ${message.replace(/: ".*$/s, '')}${hint}` };
}

/** The library tells of these when it is too late to say where. */
function aliasMistake(document: Document.Parsed): Mistake | null {
  const anchors = new Set<string>();
  let unknown: Mistake | null = null;
  let first: number | null = null;
  visit(document, {
    Node(_, node, path) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return undefined;
      }
      const { source, range } = node;
      const offset = range?.[0] ?? 0;
      first ??= offset;
      const within = path.some((outer) => isNode(outer) && 'anchor' in outer && outer.anchor === source);
      if (anchors.has(source) && !within) return undefined;
      const wish = within ? 'wanted it outside of what it stands for' : `wanted an anchor &${source} before it`;
      unknown = { offset, message: `found the alias *${source}, ${wish}` };
      return visit.BREAK;
    },
  });
  if (unknown !== null || first === null) return unknown;
  try {
    plainValue(document);
    return null;
  } catch {
    return { offset: first, message: `found aliases that stand for too much, wanted ${ALIAS_LIMIT} values at most` };
  }
}

/** Where a text stops being JSON, or null: V8 names a place for some mistakes only, the YAML parser for some others. */
function jsonMistake(text: string, document: Document.Parsed, broken: number | undefined): Mistake | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const told = /^(.*) in JSON at position ([0-9]+)/.exec(error instanceof Error ? error.message : '');
    if (told) return { offset: Number(told[2]), message: `not valid JSON: ${told[1]}` };
  }
  const offset = text.trim() === '' ? text.length : (foreignToJson(document) ?? broken ?? text.length);
  const found = offset < text.length ? JSON.stringify(text[offset]) : 'its end';
  return { offset, message: `not valid JSON: found ${found}, wanted a value or a key in double quotes` };
}

/** The first thing in a document of YAML that JSON does not have. */
function foreignToJson(document: Document.Parsed): number | null {
  let found: number | null = null;
  visit(document, {
    Node(key, node) {
      const plain = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || (key !== 'key' && isJsonScalar(node.source)));
      if (plain || (isCollection(node) && node.flow)) return undefined;
      found = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

function isJsonScalar(source: string | undefined): boolean {
  return (
    source !== undefined && /^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/.test(source)
  );
}
