/**
 * What a metric is:
 * `counter`, `gauge` and `histogram` as in Prometheus; all others are shown as gauges. `since` holds, for each scraper by
 * itself, what came since that scraper's last collection. `top` shows the most frequent values of the last 24 hours, and
 * `topError` by how much these may be too high; `distinct` the number of different ones. `maximum` is the greatest value
 * of the last hour of events.
 */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'since' | 'top' | 'topError' | 'distinct' | 'maximum';

/** One metric, declared once: the exposition, the tables and the types of its handles are read off it. */
export interface MetricDef<T extends MetricType = MetricType, L extends string = string> {
  readonly type: T;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
  /** Further labels that only the data names, such as one per pattern; described for the tables. */
  readonly extra?: string;
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly buckets?: readonly number[];
  /** Of `topError`: the name of the `top` that it tells of, which has to stand before it in its catalogue. */
  readonly of?: string;
  /** Of `top`: the label that holds the value; `value` unless given. */
  readonly holder?: string;
  /**
   * Labels that a new series gives up at the limit, the first one first: each becomes `other`, unless it is empty, and
   * with the last one gone all labels do. What takes these series is within the limit: an eighth of it is kept for each
   * label that a series may still give up. Without, all labels become `other` at once, in a series beyond the limit.
   */
  readonly gives?: readonly string[];
  /** Of counters and histograms: the label under which the id of an event is shown as an exemplar; without, none is. */
  readonly exemplar?: string;
}

/** The type that scrapers are told. */
export function shownType({ type }: MetricDef): 'counter' | 'gauge' | 'histogram' {
  return type === 'counter' || type === 'histogram' ? type : 'gauge';
}

/** A catalogue: the metrics of one source, or of the program itself, by the name the code uses. */
export type Catalogue = Readonly<Record<string, MetricDef>>;

/** A counter; its name ends in `_total`. `gives` and `exemplar` as in `MetricDef`. */
export function counter<const L extends string>(
  name: `${string}_total`,
  help: string,
  labels: readonly L[],
  { gives, exemplar }: { readonly gives?: readonly NoInfer<L>[]; readonly exemplar?: string } = {},
) {
  return {
    type: 'counter',
    name,
    help,
    labels,
    ...(gives && { gives }),
    ...(exemplar && { exemplar }),
  } as const satisfies MetricDef<'counter', L>;
}

/** A gauge: a value that goes up and down. */
export function gauge<const L extends string>(name: string, help: string, labels: readonly L[], extra?: string) {
  return { type: 'gauge', name, help, labels, ...(extra && { extra }) } as const satisfies MetricDef<'gauge', L>;
}

/** A classic histogram with these upper bounds; `exemplar` as in `MetricDef`. */
export function histogram<const L extends string>(
  name: string,
  help: string,
  labels: readonly L[],
  buckets: readonly number[],
  { exemplar }: { readonly exemplar?: string } = {},
) {
  return {
    type: 'histogram',
    name,
    help,
    labels,
    buckets,
    ...(exemplar && { exemplar }),
  } as const satisfies MetricDef<'histogram', L>;
}

/** A gauge of what came since the scraper's last collection. */
export function since<const L extends string>(name: string, help: string, labels: readonly L[], extra?: string) {
  return { type: 'since', name, help, labels, ...(extra && { extra }) } as const satisfies MetricDef<'since', L>;
}

/** A gauge of the most frequent values of the last 24 hours: a series each, with the value in the label `holder`. */
export function top<const L extends string>(name: string, help: string, labels: readonly L[], holder = 'value') {
  return { type: 'top', name, help, labels, extra: `\`${holder}\``, holder } as const satisfies MetricDef<'top', L>;
}

/** A gauge of how much too high the values of a `top` may be; shown while that is not exact. */
export function topError<const L extends string>(of: MetricDef<'top', L>, help: string) {
  const { name, labels } = of;
  return { type: 'topError', name: `${name}_error`, help, labels, of: name } as const satisfies MetricDef<
    'topError',
    L
  >;
}

/** A gauge of the number of different values of the last 24 hours. */
export function distinct<const L extends string>(name: string, help: string, labels: readonly L[]) {
  return { type: 'distinct', name, help, labels } as const satisfies MetricDef<'distinct', L>;
}

/** A gauge of the greatest value of the last hour before the newest event, whenever that was. */
export function maximum<const L extends string>(name: string, help: string, labels: readonly L[]) {
  return { type: 'maximum', name, help, labels } as const satisfies MetricDef<'maximum', L>;
}

/**
 * The three metrics of values such as users, of which there may be any number: `PREFIX_ONE_top` with the label `ONE`, its
 * errors, and `PREFIX_MANY_distinct`. `events` are what they come in.
 */
export function frequent(
  prefix: string,
  { one, many, events }: { readonly one: string; readonly many: string; readonly events: string },
) {
  const name = `${prefix}_${one}_top`;
  const busiest = `${events[0]?.toUpperCase()}${events.slice(1)} of the busiest ${many} in the last 24 hours.`;
  const most = top(name, busiest, [], one);
  return {
    top: most,
    topError: topError(most, `By how much ${name} may be too high, where there are more than 10,000 ${many}.`),
    distinct: distinct(
      `${prefix}_${many}_distinct`,
      `Different ${many} in the ${events} of the last 24 hours, estimated where they are more than 1,000.`,
      [],
    ),
  };
}
