import type { Rejected } from '../../core/source.ts';
import { isObject } from '../../lib/json-value.ts';
import { seenKey } from './seen.ts';
import { readTime } from './times.ts';
import { decodeTrace, type Trace, traceKey } from './trace.ts';

/** An item of an answer, decoded. */
export interface CtsItem {
  readonly found: Trace | Rejected;
  /** The item as it came. */
  readonly given: unknown;
  /** Tells it from all others (`seenKey`). */
  readonly key: string;
  /** Its stamps as far as they can be read, in milliseconds since 1970. */
  readonly stamps: readonly number[];
  /** The service's clock when it arrived, in milliseconds since 1970. */
  readonly at: number;
  /** Whether it came as soon as it could be seen. */
  readonly visible: boolean;
  /** False for what was looked up at the edge of a page. */
  readonly onPage: boolean;
}

/** Decodes an item of an answer. What is refused is told from others by its content. */
export function ctsItem(given: unknown, { at, visible }: Pick<CtsItem, 'at' | 'visible'>): CtsItem {
  const found = decodeTrace(given);
  const rejected = 'rejected' in found;
  const key = seenKey(rejected ? traceKey(given) : found.id);
  return { found, given, key, stamps: rejected ? stampsIn(given) : stampsOf(found), at, visible, onPage: true };
}

/**
 * Until when an item may be in a window, in milliseconds since 1970: the later of its stamps. Nothing was recorded later
 * than it was answered, whatever its stamps say, and some have none.
 */
export function lastStamp({ stamps, at }: Pick<CtsItem, 'stamps' | 'at'>): number {
  return stamps.length === 0 ? at : Math.min(at, Math.max(...stamps));
}

function stampsOf({ time, recorded }: Pick<Trace, 'time' | 'recorded'>): readonly number[] {
  return [time, recorded].filter((stamp) => stamp !== null);
}

function stampsIn(given: unknown): readonly number[] {
  return isObject(given) ? stampsOf({ time: readTime(given.time), recorded: readTime(given.record_time) }) : [];
}
