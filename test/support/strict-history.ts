import { parseExposition } from './strict-exposition.ts';

/** Seconds since 1970, and the value. */
type Point = readonly [time: number, value: number];

/** OpenMetrics text whose samples have times. */
export interface History {
  readonly series: ReadonlyMap<string, readonly Point[]>;
  readonly types: ReadonlyMap<string, string>;
}

/**
 * Reads OpenMetrics text with timestamps, and throws at the first thing that is not allowed. Each series stands in one
 * piece with ascending times, all samples of a metric point stand together, and counters do not fall. What is true of
 * text without times is checked for each series at its last time.
 */
export function parseHistory(text: string): History {
  const series = new Map<string, Point[]>();
  const last: string[] = [];
  let open = new Map<string, { place: number; time: number }>();
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line === '') {
      last.push(line);
      continue;
    }
    const [, sample = '', digits = ''] = /^(.*) ([0-9]+(?:\.[0-9]{3})?)$/s.exec(line) ?? [];
    if (sample === '') throw new Error(`no time: ${line}`);
    const time = Number(digits);
    const name = sample.slice(0, sample.lastIndexOf(' '));
    const before = open.get(name);
    if (before) {
      if (time <= before.time) throw new Error(`times do not ascend: ${line}`);
      last[before.place] = sample;
      open.set(name, { place: before.place, time });
    } else {
      // The next metric point of another group: all of those before are over.
      if (![...open.keys()].some((other) => groupOf(other) === groupOf(name))) open = new Map();
      open.set(name, { place: last.push(sample) - 1, time });
    }
    const points = series.get(name) ?? [];
    if (points.length > 0 && !before) throw new Error(`a series in two pieces: ${line}`);
    const value = Number(sample.slice(sample.lastIndexOf(' ') + 1));
    const isCounter = /_(?:total|bucket|count)$/.test(name.replace(/\{.*/s, ''));
    if (isCounter && value < (points.at(-1)?.[1] ?? 0)) throw new Error(`a counter that falls: ${line}`);
    points.push([time, value]);
    series.set(name, points);
  }
  const { families, samples } = parseExposition(last.join('\n'), 'openmetrics');
  const keys = [...samples.values()].map(({ key }) => key);
  if (keys.length !== series.size) throw new Error(`found ${series.size} series, wanted ${keys.length}`);
  return {
    series: new Map([...series.values()].map((points, index) => [keys[index]!, points])),
    types: new Map([...families.values()].map(({ name, type }) => [name, type])),
  };
}

/** What the samples of one histogram have in common. */
function groupOf(name: string): string {
  return name
    .replace(/_(?:bucket|count|sum)(?=\{|$)/, '')
    .replace(/,?le="[^"]*"/, '')
    .replace('{}', '');
}
