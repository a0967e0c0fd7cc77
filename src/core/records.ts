import type { Event } from './event.ts';
import type { Catalogue } from './metrics/define.ts';
import type { Rejected, SourceContext } from './source.ts';

/** Where a record came in that belongs to another source than the one that received it. */
export interface RecordOrigin {
  /** Context attributes of the CloudEvent that it came in, by name; none for what came otherwise. */
  readonly attributes: ReadonlyMap<string, string>;
  /** When it was received, in milliseconds since 1970. */
  readonly arrival: number;
}

/** What records are opened with: of the source that receives them, but with their own metrics. */
export type RecordContext<C extends Catalogue> = Pick<
  SourceContext<C>,
  'name' | 'metrics' | 'log' | 'now' | 'addresses' | 'events'
>;

/** Records of a source, as they are counted wherever they come in; plain and without waiting, as in `OpenedSource`. */
export interface OpenedRecords<Item> {
  parse(record: unknown, origin: RecordOrigin): Item | Rejected;
  observe(item: Item): void;
  /** Milliseconds since 1970 of an item, or null if nothing tells. */
  timeOf(item: Item): number | null;
  event(item: Item): Event;
}

/** A source's records, for those sources to which anything can be pushed: they touch its metrics, as if it had read them. */
export interface RecordKind<C extends Catalogue, Item> {
  /** The type of the source that they belong to. */
  readonly type: string;
  /** The metrics that they touch. Counters and histograms only: of these, the receiving source shares the series. */
  readonly metrics: C;
  /** Reasons for which they are rejected, beside `malformed` and `shape`. */
  readonly reasons?: readonly string[];
  /** The record in what came in, which is what JSON can say; null if there is none of this kind. */
  claims(data: unknown): unknown;
  open(context: RecordContext<C>): OpenedRecords<Item>;
}

/** Records whose own types nobody else needs to know. */
export type AnyRecordKind = RecordKind<Catalogue, object>;

/** Declares the records of a source. Their types end here. */
export function defineRecords<C extends Catalogue, Item extends object>(kind: RecordKind<C, Item>): AnyRecordKind {
  return kind as unknown as AnyRecordKind;
}
