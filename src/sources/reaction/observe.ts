import type { CounterSeries, Handles, OwedSeries } from '../../core/metrics/handles.ts';
import type { Label } from '../../core/metrics/labels.ts';
import type { SavedEntries } from '../../core/source.ts';
import { type Alignment, complete, isFinal } from './align.ts';
import {
  type ActionState,
  type FilterShape,
  type FilterState,
  Filters,
  matchValues,
  noteMark,
  patternLabels,
} from './filters.ts';
import { Hold } from './hold.ts';
import { changesOf, type Memory, restoreMemory } from './memory.ts';
import type { REACTION_METRICS } from './metrics.ts';
import { countMore, type Observed, parsedLine, type RawLine } from './observed.ts';
import {
  type ActionLine,
  type Arguments,
  type CommandLine,
  type MatchLine,
  STREAM_EVENTS,
  type StreamLine,
} from './parse.ts';
import { patternValues } from './patterns.ts';
import { keptTuple, type Tuple } from './recent.ts';
import { Repeats } from './repeats.ts';
import { hashArguments, Runs } from './runs.ts';
import type { Settings } from './settings.ts';
import type { Transforms } from './transform.ts';

/** How the gauges of the Python exporter are shown: not at all, without, or with one label per pattern. */
export type PatternExport = 'off' | 'plain' | 'patterns';

export interface ObserverOptions {
  readonly metrics: Handles<typeof REACTION_METRICS>;
  readonly holdMs: number;
  readonly matches: PatternExport;
  readonly actions: PatternExport;
  /** Values of each pattern that are shown, and whether the different ones are counted. */
  readonly top: number;
  readonly distinct: boolean;
  readonly commands: boolean;
  readonly streams: boolean;
  readonly transforms: Transforms;
  /** A run was held. */
  readonly onHeld: () => void;
  /** reaction started. */
  readonly onStart: () => void;
}

/** What reaction's log does to the metrics. It remembers what later lines may refer to, and says what of it changed. */
export class Observer {
  /** Counts lines whose like was observed before. */
  readonly repeats: Repeats;
  readonly #options: ObserverOptions;
  readonly #filters: Filters;
  readonly #hold: Hold;
  readonly #commands = { start: new Runs(), stop: new Runs() };
  /** Lines that are to be counted at the end of the batch. */
  readonly #waiting: Observed[] = [];
  #epoch = 0;

  constructor(options: ObserverOptions) {
    const { metrics } = options;
    this.#options = options;
    this.#hold = new Hold(options.holdMs);
    this.repeats = new Repeats(this.#hold, this.#waiting);
    this.#filters = new Filters(
      {
        matches: (stream, filter) => metrics.matches.series({ stream, filter }),
        runs: (stream, filter, action) => metrics.actions.series({ stream, filter, action }),
        failures: (stream, filter, action) => metrics.actionFailures.series({ stream, filter, action }),
        values: (stream, filter, pattern) => ({
          top: options.top > 0 ? metrics.patternTop.series({ stream, filter, pattern }, options.top) : null,
          distinct: options.distinct ? metrics.patternDistinct.series({ stream, filter, pattern }) : null,
        }),
      },
      options.transforms,
    );
  }

  /** Takes a configuration of reaction: pattern names, and series at 0 for all that it names. */
  configure(settings: Settings): void {
    const { metrics } = this.#options;
    // What came before it is counted by what was known then.
    this.settle();
    this.repeats.forget();
    this.#epoch += 1;
    this.#filters.configure(settings);
    for (const stream of settings.streams.keys()) for (const type of STREAM_EVENTS) this.#stream(stream, type);
    for (const command of settings.start) metrics.commands.series({ state: 'start', command });
    for (const command of settings.stop) metrics.commands.series({ state: 'stop', command });
  }

  /** The newest match of a filter whose values, joined by spaces, are this key. */
  tupleSeen(stream: string, filter: string, key: string): Tuple | null {
    for (const tuple of this.#filters.find(stream, filter)?.recent ?? []) if (tuple.join(' ') === key) return tuple;
    return null;
  }

  /** Labels of a filter's pattern values, as its gauges show them. */
  labelsOf(stream: string, filter: string, values: readonly (string | undefined)[]): readonly Label[] {
    const found = this.#filters.find(stream, filter);
    return found ? patternLabels(values, found.shape) : [];
  }

  /** A line of this systemd invocation came: a new one is a start. */
  invocation(id: string, time: number | null): void {
    if (this.#hold.invocation(id)) this.#started(time);
  }

  /** The reader has come to the end of the log. */
  caughtUp(now: number): void {
    this.#hold.caughtUp(now);
  }

  /** A batch of lines has ended: its matches are counted, of which the same ones come many times. */
  settle(): void {
    for (const seen of this.#waiting) {
      countMore(seen, seen.waiting + this.repeats.takeTimes(seen));
      seen.waiting = 0;
      seen.timed = 0;
    }
    this.#waiting.length = 0;
  }

  observe(seen: Observed, raw: RawLine): void {
    switch (seen.kind) {
      case 'match':
        this.#match(seen, raw);
        break;
      case 'action':
        this.#run(seen, raw);
        break;
      case 'command':
        this.#command(seen, parsedLine(seen, raw) as CommandLine, raw.time);
        break;
      case 'stream':
        this.#streamEvent(parsedLine(seen, raw) as StreamLine, raw.time);
        break;
    }
    if (raw.number !== undefined && raw.time === null) this.repeats.learn(raw.number, seen);
  }

  #match(seen: Observed, raw: RawLine): void {
    const filter = this.#resolve(seen, raw);
    noteMark(filter, this.#hold.mark);
    if (seen.kept) filter.recent.add(seen.kept);
    if (raw.time !== null) {
      for (const value of seen.values) value.count(raw.time, 1);
      seen.timed += 1;
    }
    if (seen.waiting++ > 0) return;
    this.#waiting.push(seen);
    if (this.#options.matches !== 'off' && !seen.owed?.alive) {
      seen.owed = this.#matchSeries(parsedLine(seen, raw) as MatchLine, filter);
    }
    seen.line = null;
  }

  #matchSeries(line: MatchLine, { stream, filter, shape }: FilterState): OwedSeries {
    const values = this.#options.matches === 'patterns' ? matchValues(line, shape) : null;
    return this.#options.metrics.matchCount.series({ stream, filter }, values ? patternLabels(values, shape) : []);
  }

  #run(seen: Observed, raw: RawLine): void {
    const filter = this.#resolve(seen, raw);
    const action = (seen.action ??= this.#filters.action(filter, (parsedLine(seen, raw) as ActionLine).action));
    seen.hash ||= hashOf(parsedLine(seen, raw) as ActionLine);
    const announced = seen.failed ? action.open.fail(seen.hash) : null;
    const held = announced ? announced.held : this.#hold.holds(raw.time, filter.mark);
    if (!seen.failed) action.open.announce(seen.hash, held);
    if (held) {
      this.#options.onHeld();
      return;
    }
    if (seen.failed) this.#filters.failures(filter, action).inc();
    if (announced) return;
    action.runs.inc();
    if (this.#options.actions !== 'off') this.#countAction(seen, raw, filter, action);
  }

  #countAction(seen: Observed, raw: RawLine, filter: FilterState, action: ActionState): void {
    const owed = seen.owed?.alive
      ? seen.owed
      : this.#actionSeries(seen, parsedLine(seen, raw) as ActionLine, filter, action);
    owed.inc();
    // Without a hash it will be asked for again.
    if (!seen.owed || seen.hash === 0) return;
    seen.line = null;
    seen.alignment = null;
  }

  #actionSeries(seen: Observed, line: ActionLine, filter: FilterState, action: ActionState): OwedSeries {
    const { actionCount } = this.#options.metrics;
    const labels = { stream: filter.stream, filter: filter.filter, action: action.action };
    if (this.#options.actions !== 'patterns' || filter.shape.patterns.length === 0) {
      seen.owed = actionCount.series(labels, []);
      return seen.owed;
    }
    const found = (seen.alignment ??= action.aligner?.align(line.values, line.raw) ?? unaligned(filter.shape));
    const values = complete(found, filter.recent, action.delayed);
    const owed = actionCount.series(labels, patternLabels(values, filter.shape));
    // What follows from the line alone will follow from it the next time too; a match may come until then.
    if (isFinal(found, action.delayed)) seen.owed = owed;
    return owed;
  }

  #command(seen: Observed, line: CommandLine, time: number | null): void {
    const { metrics } = this.#options;
    const { state, command, failed, code } = line;
    if (state === 'start') this.#started(time);
    const runs = this.#commands[state];
    seen.hash ||= hashOf(line);
    const announced = failed ? runs.fail(seen.hash) : null;
    if (!failed) runs.announce(seen.hash, false);
    if (failed) metrics.commandFailures.inc({ state, command, code });
    if (!announced) metrics.commands.inc({ state, command });
    if (!this.#options.commands) return;
    metrics.commandsCount.series({ state, command, status: failed ? 'False' : 'True', code }, []).inc();
  }

  #streamEvent({ stream, type }: StreamLine, time: number | null): void {
    if (type === 'start') this.#started(time);
    this.#stream(stream, type).inc();
    if (this.#options.streams) this.#options.metrics.streamEventCount.series({ stream, type }, []).inc();
  }

  /** The filter of a line, found once per configuration. */
  #resolve(seen: Observed, raw: RawLine): FilterState {
    if (seen.filter && seen.epoch === this.#epoch) return seen.filter;
    const line = parsedLine(seen, raw) as MatchLine | ActionLine;
    const found = this.#filters.get(line.stream, line.filter);
    const values = line.kind === 'match' ? matchValues(line, found.shape) : null;
    seen.epoch = this.#epoch;
    seen.filter = found;
    seen.action = null;
    seen.kept = values && keptTuple(values);
    seen.values = values ? patternValues(values, found.shape) : [];
    seen.alignment = null;
    seen.owed = null;
    return found;
  }

  #started(time: number | null): void {
    this.#hold.start(time);
    this.#options.onStart();
  }

  #stream(stream: string, type: string): CounterSeries {
    return this.#options.metrics.streamEvents.series({ stream, type });
  }

  /** What changed of all that later lines may refer to, since the last call. */
  changes(): Iterable<readonly [key: string, value: unknown]> {
    return changesOf(this.#memory);
  }

  /** Takes back what `changes` told. */
  restore(entries: SavedEntries): void {
    restoreMemory(this.#memory, entries);
  }

  get #memory(): Memory {
    return { hold: this.#hold, commands: this.#commands, filters: this.#filters };
  }
}

function hashOf({ values, raw }: Arguments): number {
  return hashArguments(values, raw);
}

/** Of an action that the configuration does not know, nothing is told. */
function unaligned({ patterns }: FilterShape): Alignment {
  return { values: patterns.map(() => undefined), contradicts: false, open: [] };
}
