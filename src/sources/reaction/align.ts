import type { ActionSetting, FilterSetting, Settings } from './settings.ts';
import { type Found, MOST_WORK, renders, split, type Token, tokenize } from './split.ts';
import { type ValueTest, valueTest } from './values.ts';

/** What a run line tells of the values of its filter's patterns. */
export interface Alignment {
  /** In the order of the filter's patterns; `undefined` where the line does not decide. */
  readonly values: Found;
  /** The line cannot have come from the configured `cmd`: nothing is known, and nothing must be guessed. */
  readonly contradicts: boolean;
  /** The arguments that can be split in several ways. */
  readonly open: readonly Open[];
}

/** An argument as logged, and what it was made from. */
export interface Open {
  readonly tokens: readonly Token[];
  readonly text: string;
}

export interface Aligner {
  /**
   * Aligns one run with the action's `cmd`: `args` are the decoded arguments of a v2 line, `raw` is what stands between
   * the brackets of a v1 line, where the arguments are joined by spaces. Both null: the arguments are unknown.
   */
  align(args: readonly string[] | null, raw: string | null): Alignment;
}

/** Matches of a filter among which the values of a run are looked for. */
const MOST_RECENT = 1000;

/** Prepares the alignment of an action's runs. Cheap to use, and bounded in work whatever the line holds. */
export function compileAligner(action: ActionSetting, filter: FilterSetting, settings: Settings): Aligner {
  const { patterns } = filter;
  const nothing: Alignment = { values: patterns.map(() => undefined), contradicts: false, open: [] };
  const { cmd } = action;
  if (cmd === null || patterns.length === 0) return { align: () => nothing };
  const tests = patterns.map((name) => valueTest(settings.patterns.get(name)));
  const templates = cmd.map((argument, index) => ({ tokens: tokenize(argument, patterns), index }));
  // An argument that is nothing but a pattern decides first.
  const inOrder = [...templates.filter(isAlone), ...templates.filter((template) => !isAlone(template))];
  const joined = tokenize(cmd.join(' '), patterns);
  const contradiction: Alignment = { ...nothing, contradicts: true };
  return {
    align(args, raw) {
      if (args === null && raw === null) return nothing;
      if (args !== null && args.length !== templates.length) return contradiction;
      const parts =
        args === null
          ? [{ tokens: joined, text: raw ?? '' }]
          : inOrder.map(({ tokens, index }) => ({ tokens, text: args[index] ?? '' }));
      return alignParts(parts, nothing.values, tests) ?? contradiction;
    },
  };
}

/**
 * The values with which an action's run is labelled: those of its line, and where they are not complete, those of the
 * newest of the last 1,000 matches of its filter that agrees with the line. A delayed action belongs to an older match,
 * of which only the line tells. `recent` gives the values of matches, the newest first.
 */
export function complete(found: Alignment, recent: Iterable<readonly string[]>, delayed: boolean): Found {
  if (isFinal(found, delayed)) return found.values;
  let count = 0;
  for (const match of recent) {
    if (agrees(found, match)) return match;
    count++;
    if (count === MOST_RECENT) break;
  }
  return found.values;
}

/** Whether a run's line alone tells all that will ever be known of its values. */
export function isFinal({ values, contradicts }: Alignment, delayed: boolean): boolean {
  return delayed || contradicts || !values.includes(undefined);
}

function agrees({ values, open }: Alignment, match: readonly string[]): boolean {
  if (match.length !== values.length) return false;
  if (!values.every((value, index) => value === undefined || value === match[index])) return false;
  return open.every(({ tokens, text }) => renders(tokens, match, text));
}

/** Null if they contradict each other or their templates. */
function alignParts(parts: readonly Open[], unknown: Found, tests: readonly ValueTest[]): Alignment | null {
  let found = unknown;
  let open = parts;
  for (let before = -1; open.length !== before; ) {
    // Each value that is found may decide arguments that were open.
    before = open.length;
    const still: Open[] = [];
    for (const part of open) {
      const result = split(part.tokens, part.text, { found, tests, work: { left: MOST_WORK } });
      if (result === 'none') return null;
      if (result === 'several') still.push(part);
      else found = result;
    }
    open = still;
  }
  return { values: found, contradicts: false, open };
}

function isAlone({ tokens }: { readonly tokens: readonly Token[] }): boolean {
  return tokens.length === 1 && typeof tokens[0] === 'number';
}
