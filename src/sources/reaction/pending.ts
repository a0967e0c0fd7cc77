import { parsePrinted, type Tree } from './documents.ts';
import type { Settings } from './settings.ts';
import { type Found, MOST_WORK, split, type Token, type Work } from './split.ts';
import { valueTest } from './values.ts';

/** The pending runs of one action for one match, of which the time has not come yet. */
export interface PendingAction {
  readonly stream: string;
  readonly filter: string;
  readonly action: string;
  /** How many times it will run. */
  readonly count: number;
  /** The match's values in the order of the filter's patterns; `undefined` where the key does not tell. */
  readonly values: Found;
}

/** The work that one answer may take over all its keys: some hundred milliseconds. */
const MOST_WORK_IN_ALL = 40 * MOST_WORK;

/** The values of a match that was seen in this filter and that gives this key when joined by spaces; else null. */
export type TuplesSeen = (stream: string, filter: string, key: string) => readonly string[] | null;

/**
 * The pending actions that `reaction show` printed, JSON or YAML: stream → filter → key → `actions` → action → times.
 * Nothing printed is nothing pending. Throws an `Error` that names the place if the text is anything else.
 */
export function readPending(text: string, settings: Settings, tuplesSeen: TuplesSeen): PendingAction[] {
  const pending: PendingAction[] = [];
  const work: Work = { left: MOST_WORK_IN_ALL };
  for (const [stream, filters] of entries(parse(text), [])) {
    for (const [filter, keys] of entries(filters, [stream])) {
      const valuesOfKey = keyReader(settings, { stream, filter, tuplesSeen, work });
      for (const [key, hits] of entries(keys, [stream, filter])) {
        const found = entries(hits, [stream, filter, key]).find(([name]) => name === 'actions');
        const actions = entries(found?.[1] ?? null, [stream, filter, key, 'actions']);
        if (actions.length === 0) continue;
        const values = valuesOfKey(key);
        for (const [action, times] of actions) {
          const count = countOf(times, [stream, filter, key, 'actions', action]);
          if (count > 0) pending.push({ stream, filter, action, count, values });
        }
      }
    }
  }
  return pending;
}

function parse(text: string): Tree {
  try {
    return parsePrinted(text);
  } catch (cause) {
    throw new Error(`reaction show printed no JSON or YAML: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

function entries(tree: Tree, path: readonly string[]): readonly (readonly [string, Tree])[] {
  if (tree === null) return [];
  if (tree instanceof Map) return [...tree];
  throw odd(tree, path, 'a map');
}

function countOf(tree: Tree, path: readonly string[]): number {
  if (tree === null) return 0;
  if (typeof tree === 'string') return 1;
  if (Array.isArray(tree)) return tree.length;
  throw odd(tree, path, 'a list of times');
}

function odd(tree: Tree, path: readonly string[], wish: string): Error {
  const found = typeof tree === 'string' ? JSON.stringify(tree.slice(0, 80)) : Array.isArray(tree) ? 'a list' : 'a map';
  const place = path.length === 0 ? '' : ` at ${path.map((name) => JSON.stringify(name.slice(0, 80))).join(' → ')}`;
  return new Error(`reaction show printed ${found}${place}, wanted ${wish}`);
}

interface Keys {
  readonly stream: string;
  readonly filter: string;
  readonly tuplesSeen: TuplesSeen;
  readonly work: Work;
}

/** A function that cuts the keys of a filter into values. In a key the values are joined by single spaces. */
function keyReader(settings: Settings, { stream, filter, tuplesSeen, work }: Keys): (key: string) => Found {
  const patterns = settings.streams.get(stream)?.filters.get(filter)?.patterns ?? [];
  const tests = patterns.map((name) => valueTest(settings.patterns.get(name)));
  const template = patterns.flatMap((_, index): Token[] => (index === 0 ? [index] : [' ', index]));
  const unknown = patterns.map(() => undefined);
  return (key) => {
    if (patterns.length === 0) return [];
    if (patterns.length === 1) return [key];
    const words = key.split(' ');
    if (words.length === patterns.length) return words;
    const seen = tuplesSeen(stream, filter, key);
    if (seen?.length === patterns.length) return seen;
    const share: Work = { left: Math.min(MOST_WORK, work.left) };
    work.left -= share.left;
    const found = split(template, key, { found: unknown, tests, work: share });
    work.left += Math.max(0, share.left);
    return typeof found === 'string' ? unknown : found;
  };
}
