import { byText } from './texts.ts';
import type { TrailsEvent, TrailsNode } from './trails-event.ts';

/** A value that the driver sends as it is; a bigint becomes an integer. */
export type Cell = string | bigint | null | Readonly<Record<string, string>>;

/** A row of a statement: its values by their places. */
export type Row = readonly Cell[];

/** The rows of a batch, each kind unique and sorted by key. All events in it are new. */
export interface TrailsRows {
  /** Values, time, recorded, then the keys of actor, resource and address. */
  readonly events: readonly Row[];
  /** Key and properties of each node. */
  readonly actors: readonly Row[];
  readonly resources: readonly Row[];
  readonly addresses: readonly Row[];
  readonly accounts: readonly Row[];
  readonly regions: readonly Row[];
  /** Keys of both ends. */
  readonly memberOf: readonly Row[];
  readonly in: readonly Row[];
  readonly locatedIn: readonly Row[];
  /** Keys of both ends, events, failures, first and last time. */
  readonly touched: readonly Row[];
  readonly used: readonly Row[];
}

/** The rows of these events, of which no two have the same key. */
export function trailsRows(events: readonly TrailsEvent[]): TrailsRows {
  const nodes = (pick: (event: TrailsEvent) => TrailsNode | null) => nodeRows(events.map(pick));
  return {
    events: events.map(eventRow).toSorted(byFirst),
    actors: nodes(({ actor }) => actor),
    resources: nodes(({ resource }) => resource),
    addresses: nodes(({ address }) => address),
    accounts: nodeRows(events.flatMap(({ account, domain }) => [account, domain])),
    regions: nodes(({ region }) => region),
    memberOf: edgeRows(events, ({ actor, domain }) => [actor, domain]),
    in: edgeRows(events, ({ resource, account }) => [resource, account]),
    locatedIn: edgeRows(events, ({ account, region }) => [account, region]),
    touched: sumRows(events, ({ actor, resource }) => [actor, resource]),
    used: sumRows(events, ({ actor, address }) => [actor, address]),
  };
}

function eventRow({ values, time, recorded, actor, resource, address }: TrailsEvent): Row {
  return [...values, time, recorded, actor?.key ?? null, resource?.key ?? null, address?.key ?? null];
}

/** What a later event knows of a node is added to what an earlier one knew. */
function nodeRows(nodes: readonly (TrailsNode | null)[]): readonly Row[] {
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const node of nodes) if (node) found.set(node.key, { ...found.get(node.key), ...node.set });
  return [...found].toSorted(byFirst);
}

type Ends = (event: TrailsEvent) => readonly [TrailsNode | null, TrailsNode | null];

function edgeRows(events: readonly TrailsEvent[], ends: Ends): readonly Row[] {
  const pairs = new Pairs<true>();
  for (const event of events) {
    const [from, to] = ends(event);
    if (from && to) pairs.set(from.key, to.key, true);
  }
  return pairs.sorted().map(({ from, to }) => [from, to]);
}

interface Sum {
  events: bigint;
  failures: bigint;
  first: bigint;
  last: bigint;
}

function sumRows(events: readonly TrailsEvent[], ends: Ends): readonly Row[] {
  const pairs = new Pairs<Sum>();
  for (const event of events) {
    const [from, to] = ends(event);
    if (!from || !to) continue;
    const { time, isFailure } = event;
    const sum = pairs.get(from.key, to.key) ?? { events: 0n, failures: 0n, first: time, last: time };
    sum.events += 1n;
    if (isFailure) sum.failures += 1n;
    if (time < sum.first) sum.first = time;
    if (time > sum.last) sum.last = time;
    pairs.set(from.key, to.key, sum);
  }
  return pairs.sorted().map(({ from, to, value }) => [from, to, value.events, value.failures, value.first, value.last]);
}

/** Values by pairs of keys. */
class Pairs<V> {
  readonly #values = new Map<string, Map<string, V>>();

  get(from: string, to: string): V | undefined {
    return this.#values.get(from)?.get(to);
  }

  set(from: string, to: string, value: V): void {
    const inner = this.#values.get(from) ?? new Map<string, V>();
    inner.set(to, value);
    this.#values.set(from, inner);
  }

  sorted(): readonly { readonly from: string; readonly to: string; readonly value: V }[] {
    return [...this.#values]
      .toSorted(byFirst)
      .flatMap(([from, inner]) => [...inner].toSorted(byFirst).map(([to, value]) => ({ from, to, value })));
  }
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return byText(String(a[0]), String(b[0]));
}
