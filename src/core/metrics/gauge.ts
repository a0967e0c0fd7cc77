import type { MetricDef } from './define.ts';
import type { Family } from './family.ts';
import type { Gauge } from './handles.ts';
import { type Label, suffixText } from './labels.ts';
import type { Registry } from './registry.ts';
import { declared, OTHER, others, sorted } from './rows.ts';

/** The handle of a gauge for one owner; at the limit, what else comes shares one series. */
export function gaugeHandle(
  family: Family,
  [owner, constant]: readonly [string, readonly Label[]],
  registry: Registry,
): Gauge<MetricDef> {
  family.gauges.set(owner, family.gauges.get(owner) ?? new Map<string, number>());
  const { labels: names } = family.def;
  const allOther = suffixText([...names.map((name): Label => [name, OTHER]), ...constant]);
  const put = (text: string, overflow: string, value: number, sum: boolean) => {
    const shown = family.gauges.get(owner)!;
    let key = text;
    if (!shown.has(text)) {
      if (registry.hasRoom(family)) registry.gaugesBorn += 1;
      else {
        family.limited += 1;
        key = overflow;
      }
    }
    shown.set(key, sum ? (shown.get(key) ?? 0) + value : value);
  };
  return {
    set: (labels, value) => put(suffixText([...declared(names, labels), ...constant]), allOther, value, false),
    replace: (series) => {
      // An exposition may be half way through the one before.
      family.gauges.set(owner, new Map());
      for (const [labels, value, extra = []] of series) {
        const pairs = [...declared(names, labels), ...constant];
        const overflow = extra.length > 0 ? suffixText([...pairs, ...others(extra)]) : allOther;
        put(suffixText([...pairs, ...sorted(extra)]), overflow, value, true);
      }
    },
  };
}

/** Label texts as they are kept, and values. */
export type GaugeRows = Iterable<readonly [text: string, value: number]>;

/** What is shown of a metric without a table. */
export function* gaugeRows(
  { gauges, tops, distincts, maxima, errorsOf }: Family,
  now: number,
): Generator<readonly [text: string, value: number]> {
  if (errorsOf) yield* errorsOf.errors(now);
  if (tops) yield* tops.rows(now);
  if (distincts) yield* distincts.rows(now);
  if (maxima) yield* maxima.rows();
  for (const shown of gauges.values()) yield* shown;
}
