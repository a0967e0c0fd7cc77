/**
 * What a metric is:
 * `counter`, `gauge` and `histogram` as in Prometheus; `since` is shown as a gauge and holds, for each scraper by
 * itself, what came since that scraper's last collection.
 */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'since';

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
}

/** A catalogue: the metrics of one source, or of the program itself, by the name the code uses. */
export type Catalogue = Readonly<Record<string, MetricDef>>;

/** A counter; its name ends in `_total`. */
export function counter<const L extends string>(name: `${string}_total`, help: string, labels: readonly L[]) {
  return { type: 'counter', name, help, labels } as const satisfies MetricDef<'counter', L>;
}

/** A gauge: a value that goes up and down. */
export function gauge<const L extends string>(name: string, help: string, labels: readonly L[], extra?: string) {
  return { type: 'gauge', name, help, labels, ...(extra && { extra }) } as const satisfies MetricDef<'gauge', L>;
}

/** A classic histogram with these upper bounds. */
export function histogram<const L extends string>(
  name: string,
  help: string,
  labels: readonly L[],
  buckets: readonly number[],
) {
  return { type: 'histogram', name, help, labels, buckets } as const satisfies MetricDef<'histogram', L>;
}

/** A gauge of what came since the scraper's last collection. */
export function since<const L extends string>(name: string, help: string, labels: readonly L[], extra?: string) {
  return { type: 'since', name, help, labels, ...(extra && { extra }) } as const satisfies MetricDef<'since', L>;
}
