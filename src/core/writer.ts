import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Pace } from '../lib/retry.ts';
import type { CoreParts, Fault } from './config.ts';
import type { Event } from './event.ts';
import type { Finding } from './source.ts';

/** An event that the far end will never take; `index` is its place among those that were given. */
export interface Refused {
  readonly index: number;
  readonly reason: 'rejected' | 'too_large';
  /** What the far end said, in one line. */
  readonly text: string;
}

/**
 * What became of some events:
 * - `done`: all are stored but the `dead`; `dropped` more were refused, and it is not known which.
 * - `later`: those in `settled` (by their places) are stored or dead, all others are to be given again, after at least
 *   `waitMs`. With `hold`, somebody has to put something right first: the next try is made after 30 s, unless the
 *   writer's `pace` says otherwise.
 */
export type Written =
  | { readonly kind: 'done'; readonly dead: readonly Refused[]; readonly dropped?: number }
  | {
      readonly kind: 'later';
      readonly settled: readonly number[];
      readonly dead: readonly Refused[];
      readonly dropped?: number;
      readonly waitMs: number;
      readonly hold: boolean;
      /** Events that come behind these may tell more, and are to be given with them. */
      readonly more?: boolean;
      /** Requests that failed, if it were more than one. */
      readonly failures?: number;
      /** Why, in one line. */
      readonly text: string;
    };

/** What a writer is given when it is opened. */
export interface WriterContext {
  /** `influx` or `influx/NAME`. */
  readonly name: string;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  /** Standard output, unless it is the process's own; what a command prints there comes after the events. */
  readonly stdout?: NodeJS.WritableStream;
}

/** A writer that was opened. */
export interface OpenedWriter {
  /**
   * What keeps it from writing until the program is started again, if anything does: nothing is given to it meanwhile, and
   * waits.
   */
  readonly problem?: string;
  /**
   * Sends events, in their order. An error that is thrown counts as `later` for all of them. What is sent for an event
   * is the same each time: it may have arrived before.
   */
  write(events: readonly Event[], signal: AbortSignal): Promise<Written>;
  close(): Promise<void>;
}

/** A writer that is not told where to write: it is down, and the program runs all the same. */
export function unableWriter(problem: string): OpenedWriter {
  return {
    problem,
    write: async () => {
      throw new Error(problem);
    },
    close: async () => {},
  };
}

/** What all writers have in their configuration (`writerSection`). */
export interface WriterConfig {
  /** Sources whose events it takes, by the names of their sections; empty for all. */
  readonly sources: readonly string[];
  /** Size on disk of what may wait, such as `1GiB`. */
  readonly queue: string | number;
  /** Most events of one request. */
  readonly batch: number;
  /** Of a request. */
  readonly timeout: string | number;
  /** How long it may go on after the program was told to stop. */
  readonly drain: string | number;
}

/** What a person wants to know of a writer. Times are in milliseconds since 1970. */
export interface WriterStatus {
  readonly name: string;
  readonly type: string;
  readonly state: 'idle' | 'delivering' | 'waiting' | 'ended';
  /** What keeps it from delivering, or null. */
  readonly problem: string | null;
  /** When `state` or `problem` last changed. */
  readonly since: number;
  readonly events: number;
  /** Events a second, over the last minute. */
  readonly rate: number;
  /** Events that will never be delivered. */
  readonly dropped: number;
  /** What waits on disk. */
  readonly queue: { readonly events: number; readonly bytes: number; readonly limit: number };
  readonly lastError: { readonly time: number; readonly text: string } | null;
  /** Where refused events are, once there were any. */
  readonly deadLetters: string | null;
}

/** A writer, declared: everything the program and its documents know of it. */
export interface WriterSpec<Config extends WriterConfig> {
  readonly type: string;
  readonly summary: string;
  /** What happens when an event is sent twice, as it is after a crash. */
  readonly repeats: string;
  /** Most events of one call, where `batch` may be more. */
  readonly atOnce?: number;
  /** How long to wait between tries, if it is not the usual time. */
  readonly pace?: Pace;
  readonly config: z.ZodType<Config>;
  /** What is wrong with a section beside the rest of the configuration, or beside what the environment says; null: nothing. */
  against?(config: Config, core: CoreParts, env: NodeJS.ProcessEnv): Fault | null;
  open(config: Config, context: WriterContext): OpenedWriter;
  /** Tries what the configuration names, without writing an event. */
  check(config: Config, context: WriterContext, signal: AbortSignal): AsyncIterable<Finding>;
}

/** A writer whose own types nobody else needs to know. */
export type AnyWriter = WriterSpec<WriterConfig>;

/** Declares a writer. Its types end here. */
export function defineWriter<Config extends WriterConfig>(spec: WriterSpec<Config>): AnyWriter {
  return spec as unknown as AnyWriter;
}
