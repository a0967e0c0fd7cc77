import type { Event } from '../../core/event.ts';
import type { RecordOrigin } from '../../core/records.ts';
import type { Rejected } from '../../core/source.ts';

/** One thing that was pushed: a CloudEvent, a record. */
export interface Pushed extends RecordOrigin {
  /** The same for what is sent again, and for nothing else. */
  readonly identity: string;
  /** What may be a record of a source. */
  readonly data: unknown;
  /** Milliseconds since 1970, as far as it can be used; null if nothing tells. */
  readonly time: number | null;
  /** What it is by itself, if it is no record of any source; the name is of the section. */
  event(name: string): Event;
}

/** How many things of one request became, or were, events, and how many were refused. */
export interface Verdict {
  good: number;
  bad: number;
}

/** An item on its way: all of one request share a verdict. */
export interface IngestItem {
  readonly found: Pushed | Rejected;
  /** As a person would know it. */
  readonly text: string;
  readonly verdict: Verdict;
}

/** What is counted of an item. */
export interface Counted {
  readonly time: number | null;
  observe(): void;
  event(): Event;
}
