import Handlebars from 'handlebars';
import { nearest } from '../../lib/nearest.ts';
import { type Helper, helpers, isTrue, join, shown, type Value } from './helpers.ts';

/**
 * Compiles a Handlebars template for the values of one pattern, which is `value` in it, or the pattern's own name.
 * Handlebars parses the template; its tree is run by ourselves, so that there is nothing to reach but the two names and
 * our helpers: no prototypes, no partials, no HTML escaping. Throws an `Error` with line and column for what cannot be
 * parsed, and for unknown names, helpers and wrong numbers of arguments. The compiled template throws if a helper
 * cannot work with the value.
 */
export function compileTemplate(template: string, pattern: string): (value: string) => string {
  if (template.length > longestTemplate) {
    throw new Error(`found ${template.length} characters, wanted at most ${longestTemplate}`);
  }
  return program(parse(template), { pattern, depth: 0 });
}

const longestTemplate = 10_000;
const deepest = 100;

type Run<T> = (value: string) => T;

interface Scope {
  readonly pattern: string;
  readonly depth: number;
}

function parse(template: string): hbs.AST.Program {
  try {
    return Handlebars.parse(template);
  } catch (cause) {
    const { place, said } = readParseError(template, cause as ParseError);
    throw new Error(`${place}: Handlebars says: ${said}`, { cause });
  }
}

interface ParseError {
  readonly message: string;
  readonly lineNumber?: number;
  readonly column?: number;
}

/**
 * Where the parser stopped, and why. Some errors have the place in fields; others only draw an arrow below a piece of
 * the template, of which newlines were removed and at most 20 characters before the place were kept.
 */
function readParseError(
  template: string,
  { message, lineNumber, column }: ParseError,
): { place: string; said: string } {
  if (lineNumber !== undefined) return { place: `line ${lineNumber}, column ${(column ?? 0) + 1}`, said: message };
  const [head = '', piece = '', arrow = '', ...rest] = message.split('\n');
  const said = rest.join(' ') || head;
  const offset = arrow.length - 1;
  const flat = template.replaceAll('\n', '');
  const after = piece.slice(offset).replace(/\.\.\.$/, '');
  const before = [piece.slice(0, offset), piece.slice(3, Math.max(3, offset))].find((text) =>
    flat.includes(text + after),
  );
  if (!arrow.endsWith('^') || before === undefined) return { place: 'somewhere', said: message.replaceAll('\n', ' ') };
  const offsets = [...template.matchAll(/[^\n]/g)].map(({ index }) => index);
  const end = offsets[flat.indexOf(before + after) + before.length] ?? template.length;
  const lines = template.slice(0, end).split('\n');
  return { place: `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`, said };
}

function program(node: hbs.AST.Program | undefined, scope: Scope): Run<string> {
  if (scope.depth > deepest) throw new Error(`found more than ${deepest} blocks in one another`);
  const parts = (node?.body ?? []).map((part) => statement(part, scope));
  return (value) =>
    join(
      parts.map((part) => part(value)),
      '',
    );
}

// The casts in this file: the types of Handlebars do not tell a node's type from its field `type`.
function statement(node: hbs.AST.Statement, scope: Scope): Run<string> {
  if (node.type === 'ContentStatement') {
    const { value } = node as hbs.AST.ContentStatement;
    return () => value;
  }
  if (node.type === 'CommentStatement') return () => '';
  if (node.type === 'MustacheStatement') {
    const run = mustache(node as hbs.AST.MustacheStatement, scope);
    return (value) => shown(run(value));
  }
  if (node.type === 'BlockStatement') return block(node as hbs.AST.BlockStatement, scope);
  throw mistake(node, 'found a partial or a decorator, wanted text, a value, #if or #unless');
}

/** `{{name}}` or `{{helper argument…}}`. */
function mustache(node: hbs.AST.MustacheStatement, scope: Scope): Run<Value> {
  const path = node.path as hbs.AST.PathExpression;
  const isCall =
    node.params.length > 0 || hasNamed(node) || (isSimple(path) && !isVariable(path, scope) && isHelper(path));
  return isCall ? call({ ...node, path }, scope) : variable(path, scope);
}

function block(node: hbs.AST.BlockStatement, scope: Scope): Run<string> {
  const name = isSimple(node.path) ? node.path.original : '';
  if (name !== 'if' && name !== 'unless') {
    throw mistake(node, `found the block ${JSON.stringify(node.path.original)}, wanted #if or #unless`);
  }
  const [condition] = node.params;
  const hasBlockParams = [node.program, node.inverse].some((branch) => (branch?.blockParams?.length ?? 0) > 0);
  if (condition === undefined || node.params.length > 1 || hasNamed(node) || hasBlockParams) {
    throw mistake(node, `wanted one condition for #${name}, and nothing else`);
  }
  const test = expression(condition, scope);
  const inner = { ...scope, depth: scope.depth + 1 };
  const [then, otherwise] = [program(node.program, inner), program(node.inverse, inner)];
  return (value) => (isTrue(test(value)) === (name === 'if') ? then : otherwise)(value);
}

function expression(node: hbs.AST.Expression, scope: Scope): Run<Value> {
  if (scope.depth > deepest) throw mistake(node, `found more than ${deepest} calls in one another`);
  if (node.type === 'SubExpression') {
    return call(node as hbs.AST.SubExpression, { ...scope, depth: scope.depth + 1 });
  }
  if (node.type === 'PathExpression') return variable(node as hbs.AST.PathExpression, scope);
  if (node.type === 'UndefinedLiteral' || node.type === 'NullLiteral') return () => undefined;
  const { value } = node as hbs.AST.StringLiteral | hbs.AST.NumberLiteral | hbs.AST.BooleanLiteral;
  return () => value;
}

function call(node: Pick<hbs.AST.SubExpression, 'path' | 'params' | 'hash' | 'loc'>, scope: Scope): Run<Value> {
  const name = String(node.path.original);
  const helper = isSimple(node.path) ? helpers.get(name) : undefined;
  if (helper === undefined) {
    const meant = nearest(name, helpers.keys());
    const wish = meant === undefined ? `one of ${[...helpers.keys()].join(', ')}` : JSON.stringify(meant);
    throw mistake(node, `found the helper ${JSON.stringify(name)}, wanted ${wish}`);
  }
  refuseArguments(node, name, helper);
  const args = node.params.map((param) => expression(param, scope));
  return (value) => {
    const values = args.map((arg) => arg(value));
    try {
      return helper.run(...values);
    } catch (cause) {
      throw mistake(node, `${name} ${cause instanceof Error ? cause.message : cause}`);
    }
  };
}

function refuseArguments(
  node: Pick<hbs.AST.SubExpression, 'params' | 'hash' | 'loc'>,
  name: string,
  { wants, spare }: Helper,
): void {
  const count = node.params.length;
  const least = Number.isFinite(spare) ? wants.length - spare : 1;
  const most = Number.isFinite(spare) ? wants.length : Number.POSITIVE_INFINITY;
  if (count >= least && count <= most && !hasNamed(node)) return;
  const found = hasNamed(node) ? 'a named argument' : `${count} ${count === 1 ? 'argument' : 'arguments'}`;
  const wish = wants.map((want, index) => (index < least ? want : `[${want}]`)).join(' ');
  throw mistake(node, `found ${found}, wanted (${name} ${wish}${Number.isFinite(most) ? '' : ' …'})`);
}

function variable(path: hbs.AST.PathExpression, scope: Scope): Run<Value> {
  if (isVariable(path, scope)) return (value) => value;
  const names = scope.pattern === 'value' ? ['value'] : [scope.pattern, 'value'];
  const wish = names.map((name) => JSON.stringify(name)).join(' or ');
  throw mistake(path, `found the variable ${JSON.stringify(String(path.original))}, wanted ${wish}`);
}

function isVariable(path: hbs.AST.PathExpression, { pattern }: Scope): boolean {
  if (path.type !== 'PathExpression' || path.data || path.depth > 0 || path.parts.length !== 1) return false;
  return path.parts[0] === pattern || path.parts[0] === 'value';
}

function isSimple(path: hbs.AST.PathExpression): boolean {
  return path.type === 'PathExpression' && !path.data && path.depth === 0 && path.parts[0] === path.original;
}

function isHelper(path: hbs.AST.PathExpression): boolean {
  return helpers.has(path.original);
}

function hasNamed(node: { readonly hash?: hbs.AST.Hash }): boolean {
  return (node.hash?.pairs.length ?? 0) > 0;
}

function mistake(node: { readonly loc: hbs.AST.SourceLocation }, text: string): Error {
  const { line, column } = node.loc.start;
  return new Error(`line ${line}, column ${column + 1}: ${text}`);
}
