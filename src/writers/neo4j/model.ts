import type { Event } from '../../core/event.ts';

/** Runs a statement of `$rows` in the transaction of a batch; gives the value named `key` of each record. */
export type Run = (statement: string, rows: readonly unknown[]) => Promise<readonly unknown[]>;

/** An index or constraint, by the name of the index that is then there. */
export interface SchemaItem {
  readonly name: string;
  readonly statement: string;
  /** Made instead, where the graph holds what the constraint refuses. */
  readonly plain?: { readonly name: string; readonly statement: string };
}

/** How events become a graph. */
export interface Model {
  readonly schema: readonly SchemaItem[];
  /** Whether an event belongs into the graph; all others are settled without effect. */
  takes(event: Event): boolean;
  /**
   * Writes events, in one transaction; no repeat, whole or in part, changes anything. Gives whether the server was asked
   * to write at all.
   */
  write(events: readonly Event[], run: Run): Promise<boolean>;
}
