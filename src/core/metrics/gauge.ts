import type { MetricDef } from './define.ts';
import { type Family, seriesCount } from './family.ts';
import type { Gauge } from './handles.ts';
import { type Label, suffixText } from './labels.ts';
import { declared, OTHER, others, sorted } from './rows.ts';

/** The handle of a gauge for one owner; at the limit, what else comes shares one series. */
export function gaugeHandle(
  family: Family,
  owner: string,
  constant: readonly Label[],
  limit: number,
): Gauge<MetricDef> {
  family.gauges.set(owner, family.gauges.get(owner) ?? new Map<string, number>());
  const { labels: names } = family.def;
  const allOther = suffixText([...names.map((name): Label => [name, OTHER]), ...constant]);
  const put = (text: string, overflow: string, value: number, sum: boolean) => {
    const shown = family.gauges.get(owner)!;
    let key = text;
    if (!shown.has(text) && seriesCount(family) >= limit) {
      family.limited += 1;
      key = overflow;
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
