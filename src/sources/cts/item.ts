import type { Rejected } from '../../core/source.ts';
import { seenKey } from './seen.ts';
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
  return { found, given, key, stamps: rejected ? [] : stampsOf(found), at, visible, onPage: true };
}

function stampsOf({ time, recorded }: Trace): readonly number[] {
  return [time, recorded].filter((stamp) => stamp !== null);
}
