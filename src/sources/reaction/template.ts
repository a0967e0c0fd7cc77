import { createRequire } from 'node:module';
import type Handlebars from 'handlebars';
import { type Addresses, NO_ADDRESSES } from '../../core/addresses.ts';
import { nearest } from '../../lib/nearest.ts';
import { bounded, createHelpers, HELPERS, type Helper, type Value } from './helpers.ts';

/**
 * Compiles a Handlebars template for the values of one pattern, which is `value` in it, or the pattern's own name.
 * Handlebars parses and runs it, and in between we refuse all but the two names, our helpers, `#if` and `#unless`: there
 * is nothing else to reach, and no HTML escaping. Throws an `Error` with line and column for unknown names, helpers and
 * wrong numbers of arguments, with the line for what cannot be parsed. A line end at its end is no part of it, as YAML
 * puts one there after `|`. The compiled template throws if a helper cannot work with the value, or if the result is too
 * long. What it tells of addresses comes from `addresses`.
 */
export function compileTemplate(
  template: string,
  pattern: string,
  addresses: Addresses = NO_ADDRESSES,
): (value: string) => string {
  if (template.length > LONGEST_TEMPLATE) {
    throw new Error(`found ${template.length} characters, wanted at most ${LONGEST_TEMPLATE}`);
  }
  // It takes a while to load, and most configurations have no templates.
  const library = require('handlebars') as typeof Handlebars;
  const tree = parse(library, template.replace(/\r?\n$/, ''));
  check(tree, pattern, library);
  const run = withHelpers(library, addresses).compile<{ readonly value: string }>(tree, OPTIONS);
  return (value) => bounded(run({ value }));
}

const LONGEST_TEMPLATE = 10_000;
const DEEPEST = 100;
const NOT_JINJA = 'wanted Handlebars: README has a table for templates of Jinja';
const OPTIONS: CompileOptions = {
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries([...HELPERS.keys()].map((name) => [name, true])),
};

const require = createRequire(import.meta.url);
/** All templates of the same addresses share one. */
const libraries = new WeakMap<Addresses, typeof Handlebars>();

function withHelpers(library: typeof Handlebars, addresses: Addresses): typeof Handlebars {
  const known = libraries.get(addresses);
  if (known !== undefined) return known;
  const handlebars = library.create();
  libraries.set(addresses, handlebars);
  for (const [name, { run }] of createHelpers(addresses)) {
    handlebars.registerHelper(name, (...args: unknown[]) => {
      const { loc } = args.pop() as Place;
      try {
        return run(...args.map((arg) => (arg ?? undefined) as Value));
      } catch (cause) {
        throw mistake({ loc }, `${name} ${cause instanceof Error ? cause.message : cause}`);
      }
    });
  }
  return handlebars;
}

function parse({ parse }: typeof Handlebars, template: string): hbs.AST.Program {
  // To Handlebars these are plain text, and the label would show them.
  const [jinja] = /\{%[^}]*%\}|\{#[^}]*#\}/.exec(template) ?? [];
  if (jinja !== undefined) throw new Error(`found ${JSON.stringify(jinja.slice(0, 80))}, ${NOT_JINJA}`);
  try {
    return parse(template);
  } catch (cause) {
    // In between there may be a piece of the template with an arrow below.
    const [what, , , ...why] = (cause as Error).message.split('\n');
    const hint = /\{\{[^}]*(?:\||\w\(|\w\[| ~ )/.test(template) ? `; ${NOT_JINJA}` : '';
    throw new Error(`Handlebars says: ${[what, ...why].join(' ')}${hint}`, { cause });
  }
}

interface Place {
  readonly loc: hbs.AST.SourceLocation;
}

/**
 * Refuses what is not ours. Variables all become `value`: the name of a pattern may be that of a helper. Names of
 * helpers are not visited, so that each path which is stands for a variable.
 */
function check(tree: hbs.AST.Program, pattern: string, { Visitor }: typeof Handlebars): void {
  const names = [...new Set([pattern, 'value'])];
  const visitor = new Visitor();
  let depth = 0;
  const deeper = (node: Place, visit: () => void): void => {
    if (depth === DEEPEST) throw mistake(node, `found more than ${DEEPEST} blocks and calls in one another`);
    depth++;
    visit();
    depth--;
  };
  visitor.PathExpression = (path) => {
    if (!isVariable(path, names)) {
      const wish = names.map((name) => JSON.stringify(name)).join(' or ');
      throw mistake(path, `found the variable ${JSON.stringify(String(path.original))}, wanted ${wish}`);
    }
    path.parts = ['value'];
    path.original = 'value';
  };
  visitor.SubExpression = (call) => {
    refuseCall(call);
    deeper(call, () => visitor.acceptArray(call.params));
  };
  visitor.MustacheStatement = (node) => {
    // The cast: `{{"text"}}` is refused as a variable.
    const path = node.path as hbs.AST.PathExpression;
    const isCall = node.params.length > 0 || hasNamed(node) || (!isVariable(path, names) && helperAt(path));
    if (isCall) visitor.SubExpression({ ...node, type: 'SubExpression', path });
    else visitor.PathExpression(path);
  };
  visitor.BlockStatement = (node) => {
    refuseBlock(node);
    deeper(node, () => {
      visitor.acceptArray(node.params);
      for (const branch of [node.program, node.inverse]) if (branch) visitor.Program(branch);
    });
  };
  const refuse = (node: hbs.AST.Statement): void => {
    throw mistake(node, 'found a partial or a decorator, wanted text, a value, #if or #unless');
  };
  Object.assign(visitor, { PartialStatement: refuse, PartialBlockStatement: refuse });
  Object.assign(visitor, { Decorator: refuse, DecoratorBlock: refuse });
  visitor.Program(tree);
}

function refuseBlock(node: hbs.AST.BlockStatement): void {
  const name = isSimple(node.path) ? node.path.original : '';
  if (name !== 'if' && name !== 'unless') {
    throw mistake(node, `found the block ${JSON.stringify(node.path.original)}, wanted #if or #unless`);
  }
  const hasBlockParams = [node.program, node.inverse].some((branch) => (branch?.blockParams?.length ?? 0) > 0);
  if (node.params.length !== 1 || hasNamed(node) || hasBlockParams) {
    throw mistake(node, `wanted one condition for #${name}, and nothing else`);
  }
}

function refuseCall(node: hbs.AST.SubExpression): void {
  const name = String(node.path.original);
  const helper = helperAt(node.path);
  if (helper === undefined) {
    const meant = nearest(name, HELPERS.keys());
    const wish = meant === undefined ? `one of ${[...HELPERS.keys()].join(', ')}` : JSON.stringify(meant);
    throw mistake(node, `found the helper ${JSON.stringify(name)}, wanted ${wish}`);
  }
  const count = node.params.length;
  const { wants, least, most } = helper;
  if (count >= least && count <= most && !hasNamed(node)) return;
  const found = hasNamed(node) ? 'a named argument' : `${count} ${count === 1 ? 'argument' : 'arguments'}`;
  const wish = wants.map((want, index) => (index < least ? want : `[${want}]`)).join(' ');
  throw mistake(node, `found ${found}, wanted (${name} ${wish}${most > wants.length ? ' …' : ''})`);
}

function isVariable(path: hbs.AST.PathExpression, names: readonly string[]): boolean {
  if (path.type !== 'PathExpression' || path.data || path.depth > 0) return false;
  const [name = '', ...rest] = path.parts;
  return rest.length === 0 && names.includes(name);
}

function helperAt(path: hbs.AST.PathExpression): Helper | undefined {
  return isSimple(path) ? HELPERS.get(path.original) : undefined;
}

function isSimple(path: hbs.AST.PathExpression): boolean {
  return path.type === 'PathExpression' && !path.data && path.depth === 0 && path.parts[0] === path.original;
}

function hasNamed(node: { readonly hash?: hbs.AST.Hash }): boolean {
  return (node.hash?.pairs.length ?? 0) > 0;
}

function mistake({ loc }: Place, text: string): Error {
  return new Error(`line ${loc.start.line}, column ${loc.start.column + 1}: ${text}`);
}
