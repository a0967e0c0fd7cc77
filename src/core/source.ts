import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Addresses } from './addresses.ts';
import type { CoreParts, Fault } from './config.ts';
import type { Event } from './event.ts';
import type { Catalogue } from './metrics/define.ts';
import type { Handles } from './metrics/handles.ts';
import type { Receiver } from './receiver.ts';

/** What a source keeps beside its position, by key: anything that msgpack can say. */
export type SavedEntries = readonly (readonly [key: string, value: unknown])[];

/** What `read` found: everything up to `position` is in `items`, or was in an earlier batch. */
export interface Batch<Raw> {
  /** Gone through once; an item may be good only until the next one is asked for. */
  readonly items: Iterable<Raw>;
  /** Where to go on, in a form that msgpack keeps; null for nowhere yet. */
  readonly position: unknown;
  /** Bytes read, as they came. */
  readonly bytes: number;
  /** Items that were refused before they could become `Raw`, by reason. */
  readonly rejected?: Readonly<Record<string, number>>;
  /** Events that the source counted by itself while `items` were gone through; only with `SourceContext.mayPass`. */
  readonly passed?: () => number;
  /**
   * Items that count together or not at all, as those of an object that may turn out to be broken: `more` of them are to
   * come; they count, all since the first (`done`); or none of them does (`dropped`). Until then nothing is seen of them.
   */
  readonly aside?: 'more' | 'done' | 'dropped';
}

/** An item that is no event, and should have been one. */
export interface Rejected {
  readonly rejected: string;
}

/** An item that is left out because it repeats an earlier one: it is counted as that, and not as rejected. */
export const DUPLICATE: Rejected = { rejected: 'duplicate' };

/** An item that the configuration leaves out: it is counted as rejected, and not worth a word in the log. */
export const EXCLUDED: Rejected = { rejected: 'excluded' };

/** Whether something parsed is a refusal. */
export function isRejected(parsed: object): parsed is Rejected {
  return (parsed as Partial<Rejected>).rejected !== undefined;
}

/** What `doctor` found out about one thing. */
export interface Finding {
  readonly ok: boolean;
  /** What is fine, or what is wrong and what to do. */
  readonly detail: string;
}

/** Something that a person should know: `bad` if it asks for something to be done. */
export interface Remark {
  readonly text: string;
  readonly bad: boolean;
}

/** Whether a time lies in a range; what has no time lies in each, as nothing tells that it does not. */
export function isWithin(time: number | null, { since, until }: SourceContext<Catalogue>['range']): boolean {
  return time === null || ((since === null || time >= since) && (until === null || time < until));
}

/** What a source may say about itself while it runs. */
export interface SourceReport {
  /** Null: reading. Otherwise what keeps it from reading; shown on the status page and logged once. */
  problem(text: string | null): void;
  /** Events are or may be lost, or something else went wrong: counted and logged. */
  error(text: string, cause?: unknown): void;
  /** Items that were read and are known already: counted as duplicates. */
  duplicate(): void;
}

/** What a source is given when it is opened. */
export interface SourceContext<C extends Catalogue> {
  /** `reaction` or `reaction/NAME`. */
  readonly name: string;
  readonly metrics: Handles<C>;
  /** The same for items that come aside: what is added here is seen once they count. */
  readonly aside: Handles<C>;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly report: SourceReport;
  readonly now: () => number;
  /** False for one pass over what is there (`once`), true to follow. */
  readonly follow: boolean;
  /** Whether items will be asked for as events. */
  readonly events: boolean;
  /**
   * Whether nobody looks at items, nor at the metrics until all has been read: then it may count items by itself instead
   * of handing them over, if they have no time and are no duplicates.
   */
  readonly mayPass?: boolean;
  /** Only events of this time are wanted, in milliseconds since 1970. */
  readonly range: { readonly since: number | null; readonly until: number | null };
  /** What is known of IP addresses; nothing, where it is left out. */
  readonly addresses: Addresses;
  /** Brings all that counts by now to disk; rejects if that cannot be. Absent where nothing is kept. */
  readonly commit?: (() => Promise<void>) | undefined;
  /** Ends when the source has to end. */
  readonly signal: AbortSignal;
}

/** A source that was opened: the five verbs for its items. */
export interface OpenedSource<Raw, Item> {
  /** What has to be known before the first item is parsed; `read` may have begun then. */
  prepare?(): Promise<void>;
  /** Reads on from a saved position, or from where a first start begins. Its first batch, maybe empty, tells that position. */
  read(position: unknown): AsyncIterable<Batch<Raw>>;
  /** Null for what is no event and need not be one. Plain and without waiting. */
  parse(raw: Raw): Item | Rejected | null;
  /** Adds to the metrics. Plain and without waiting. */
  observe(item: Item, raw: Raw): void;
  /** The items of a batch have all been observed: what was put off for them is due. */
  settle?(): void;
  /** Items that came aside are about to count, or never will. */
  conclude?(counted: boolean): void;
  /** Milliseconds since 1970 of an item, or null if nothing tells. */
  timeOf(raw: Raw): number | null;
  /** The item as the record that writers take. */
  event(item: Item, raw: Raw): Event;
  /** The beginning of an item as a person would know it, for the log. */
  excerpt(raw: Raw): string;
  /** Looks at what is, for gauges; called on a timer, never at the same time as itself. */
  sample?(): Promise<void>;
  /** Takes back what `changes` told before a restart. */
  restore?(entries: SavedEntries): void;
  /** What changed of the source's own memory since the last call; undefined removes an entry. */
  changes?(): SavedEntries;
  /** How far the reading is behind, in milliseconds, where the age of the newest event does not tell; null: not known yet. */
  lagMs?(): number | null;
  /** Where it takes what is pushed to it; `read` gives that on. */
  readonly receivers?: readonly Receiver[];
  /** What a person should know of it beside its figures, for the status page. */
  remarks?(): readonly Remark[];
  /** Lets go of watchers and children. */
  close?(): Promise<void>;
}

/** A source, declared: everything the program and its documents know of it. */
export interface SourceSpec<Config, C extends Catalogue, Raw, Item> {
  readonly type: string;
  readonly summary: string;
  /** What happens to events while the program is down, or dies. */
  readonly replay: string;
  readonly config: z.ZodType<Config>;
  /** What is wrong with a section beside the rest of the configuration, or beside what the environment says; null: nothing. */
  against?(config: Config, core: CoreParts, env: NodeJS.ProcessEnv): Fault | null;
  /** A section that is as good as any where nothing is read, for `explain`; left out if the defaults are one. */
  readonly blank?: unknown;
  readonly metrics: C;
  /** Reasons for which items are rejected, all of them shown from the start. */
  readonly reasons?: readonly string[];
  /** It tells by itself when it can be read (`report.problem(null)`), as items alone do not mean that. */
  readonly tellsUp?: boolean;
  /** Milliseconds between samples. */
  readonly sampleMs?: number;
  open(config: Config, context: SourceContext<C>): OpenedSource<Raw, Item>;
  /** Raw items of a piece of recorded input, for `explain`. */
  split(input: Buffer): Iterable<Raw>;
  /**
   * Tries what the configuration names. What takes long calls `heard` whenever something was answered, as a check that goes
   * without an answer is given up.
   */
  check(config: Config, signal: AbortSignal, env: NodeJS.ProcessEnv, heard: () => void): AsyncIterable<Finding>;
}

/** A source whose own types nobody else needs to know. */
export type AnySource = SourceSpec<unknown, Catalogue, unknown, unknown>;

/** Declares a source. Its types end here: the rest of the program only hands its items back to it. */
export function defineSource<Config, C extends Catalogue, Raw, Item extends object>(
  spec: SourceSpec<Config, C, Raw, Item>,
): AnySource {
  return spec as unknown as AnySource;
}
