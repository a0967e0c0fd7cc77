import type { CounterSeries } from '../../core/metrics/handles.ts';
import { boundValue, LABEL_VALUE_LIMIT, type Label } from '../../core/metrics/labels.ts';
import { type Aligner, compileAligner } from './align.ts';
import { detached } from './list.ts';
import { labelNames } from './names.ts';
import type { Arguments } from './parse.ts';
import type { PatternCounter } from './patterns.ts';
import { RecentMatches, type Tuple } from './recent.ts';
import { Runs } from './runs.ts';
import type { FilterSetting, Settings } from './settings.ts';
import type { Transform, Transforms } from './transform.ts';

/** What is kept of one filter while reaction's log is read. */
export interface FilterState {
  readonly stream: string;
  readonly filter: string;
  readonly matches: CounterSeries;
  readonly recent: RecentMatches;
  readonly actions: Map<string, ActionState>;
  /** `Hold.mark` at its last match. */
  mark: number;
  markChanged: boolean;
  /** What reaction's configuration says of it; empty if it says nothing. */
  shape: FilterShape;
}

/** What is kept of one action of a filter. */
export interface ActionState {
  readonly action: string;
  readonly runs: CounterSeries;
  /** Null until the first failure of an action that is not configured. */
  failures: CounterSeries | null;
  readonly open: Runs;
  /** Null where the configuration does not know the action. */
  aligner: Aligner | null;
  delayed: boolean;
}

/** Names and transforms of a filter's patterns, all in the order of the values in its lines. */
export interface FilterShape {
  readonly patterns: readonly string[];
  readonly labels: readonly string[];
  readonly transforms: readonly (Transform | false | null)[];
  readonly counters: readonly PatternCounter[];
}

const SHAPELESS: FilterShape = { patterns: [], labels: [], transforms: [], counters: [] };

/** Counters of the filters and actions that appear, whether configured or not. */
export interface FilterCounters {
  matches(stream: string, filter: string): CounterSeries;
  runs(stream: string, filter: string, action: string): CounterSeries;
  failures(stream: string, filter: string, action: string): CounterSeries;
  values(stream: string, filter: string, pattern: string): PatternCounter;
}

/** Filters whose state is kept apart; those beyond share one. */
const FILTERS_LIMIT = 10_000;
/** The same for the actions of one filter. */
const ACTIONS_LIMIT = 1_000;
const OTHER = 'other';

/** The filters of a reaction daemon, as its log and its configuration tell of them. */
export class Filters {
  /** By stream, then filter. */
  readonly #filters = new Map<string, Map<string, FilterState>>();
  readonly #counters: FilterCounters;
  readonly #transforms: Transforms;
  #settings: Settings | null = null;
  #size = 0;

  constructor(counters: FilterCounters, transforms: Transforms) {
    this.#counters = counters;
    this.#transforms = transforms;
  }

  *[Symbol.iterator](): Generator<FilterState> {
    for (const filters of this.#filters.values()) yield* filters.values();
  }

  find(stream: string, filter: string): FilterState | undefined {
    return this.#filters.get(stream)?.get(filter);
  }

  /** The state of a filter, made if it is new: its counters then stand at 0. */
  get(stream: string, filter: string): FilterState {
    const known = this.find(stream, filter);
    if (known) return known;
    if (isLong(stream) || isLong(filter)) return this.get(boundValue(stream), boundValue(filter));
    if (this.#size >= FILTERS_LIMIT && stream !== OTHER) return this.get(OTHER, OTHER);
    const setting = this.#settings?.streams.get(stream)?.filters.get(filter);
    const state: FilterState = {
      stream: detached(stream),
      filter: detached(filter),
      matches: this.#counters.matches(stream, filter),
      recent: new RecentMatches(),
      actions: new Map(),
      mark: 0,
      markChanged: false,
      shape: setting ? this.#shape(setting) : SHAPELESS,
    };
    const filters = this.#filters.get(stream) ?? new Map<string, FilterState>();
    this.#filters.set(state.stream, filters.set(state.filter, state));
    this.#size += 1;
    return state;
  }

  /** The state of an action, made if it is new. */
  action(state: FilterState, action: string): ActionState {
    const known = state.actions.get(action);
    if (known) return known;
    if (isLong(action)) return this.action(state, boundValue(action));
    if (state.actions.size >= ACTIONS_LIMIT && action !== OTHER) return this.action(state, OTHER);
    const { stream, filter } = state;
    const made: ActionState = {
      action: detached(action),
      runs: this.#counters.runs(stream, filter, action),
      failures: null,
      open: new Runs(),
      ...this.#actionShape(state, action),
    };
    state.actions.set(made.action, made);
    return made;
  }

  /** The counter of an action's failures. */
  failures({ stream, filter }: FilterState, state: ActionState): CounterSeries {
    state.failures ??= this.#counters.failures(stream, filter, state.action);
    return state.failures;
  }

  /** Takes a configuration of reaction: all that it names has its counters from now on. */
  configure(settings: Settings): void {
    this.#settings = settings;
    for (const { stream, name, actions } of configured(settings)) {
      const state = this.get(stream, name);
      for (const action of actions.keys()) this.failures(state, this.action(state, action));
    }
    for (const state of this) {
      const setting = settings.streams.get(state.stream)?.filters.get(state.filter);
      state.shape = setting ? this.#shape(setting) : SHAPELESS;
      for (const action of state.actions.values()) Object.assign(action, this.#actionShape(state, action.action));
    }
  }

  #actionShape({ stream, filter }: FilterState, action: string): { aligner: Aligner | null; delayed: boolean } {
    const settings = this.#settings;
    const found = settings?.streams.get(stream)?.filters.get(filter);
    const setting = found?.actions.get(action);
    if (!settings || !found || !setting) return { aligner: null, delayed: false };
    return { aligner: compileAligner(setting, found, settings), delayed: setting.delayed };
  }

  #shape(setting: FilterSetting): FilterShape {
    const { patterns, stream, name } = setting;
    const transforms = patterns.map((pattern) => this.#transforms(stream, name, pattern));
    const counters = patterns.map((pattern) => this.#counters.values(stream, name, pattern));
    return { patterns, labels: labelNames(patterns), transforms, counters };
  }
}

/** Notes `Hold.mark` at a match. */
export function noteMark(filter: FilterState, mark: number): void {
  if (filter.mark === mark) return;
  filter.mark = mark;
  filter.markChanged = true;
}

/** Names are kept as they are shown. */
function isLong(name: string): boolean {
  return name.length > LABEL_VALUE_LIMIT;
}

function* configured(settings: Settings): Generator<FilterSetting> {
  for (const stream of settings.streams.values()) yield* stream.filters.values();
}

/** The values of a match line, one per pattern of its filter; null if they do not fit. */
export function matchValues({ values, raw }: Arguments, { patterns }: FilterShape): Tuple | null {
  if (patterns.length === 0) return null;
  const found = values ?? (patterns.length === 1 ? [raw ?? ''] : (raw ?? '').split(']['));
  return found.length === patterns.length ? found : null;
}

/** Labels of the patterns: transformed, without those that are dropped, unknown or empty. */
export function patternLabels(values: readonly (string | undefined)[], shape: FilterShape): Label[] {
  const labels: Label[] = [];
  shape.labels.forEach((label, index) => {
    const value = values[index];
    const transform = shape.transforms[index];
    if (value === undefined || transform === false) return;
    labels.push([label, transform ? transform(value) : value]);
  });
  return labels;
}
