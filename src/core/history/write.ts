import { formatValue } from '../metrics/bytes.ts';
import { shownType } from '../metrics/define.ts';
import { metricHead } from '../metrics/exposition.ts';
import { firstSlot, SLOT_MS, slotOf } from '../metrics/maxima.ts';
import type { Past, PastSeries } from './history.ts';

/** The steps that are written: samples lie at whole multiples of `stepMs` since 1970. */
export interface Steps {
  readonly stepMs: number;
  /** The last one. */
  readonly until: number;
}

/** Some of the text, and how many series are begun with it. */
export interface Piece {
  readonly text: string;
  readonly series: number;
}

/** Characters that are handed on together. */
const PIECE = 64 * 1024;

/**
 * The past as OpenMetrics with timestamps: of each series one sample for each step, from the one before its first value,
 * where it is at 0, to the last. Counters go on as they would have been seen.
 */
export function* writePast(past: Past, steps: Steps): Generator<Piece> {
  let text = '';
  let number = 0;
  for (const [def, all] of past.families()) {
    text += metricHead(def, 'openmetrics');
    for (const series of all) {
      number += 1;
      for (const samples of samplesOf(past, series, steps)) {
        text += samples;
        if (text.length < PIECE) continue;
        yield { text, series: number };
        text = '';
      }
    }
  }
  yield { text: `${text}# EOF\n`, series: number };
}

function samplesOf(past: Past, series: PastSeries, steps: Steps): Iterable<string> {
  return shownType(series.def) === 'gauge' ? maxima(past, series, steps) : totals(past, series, steps);
}

/** Running totals of a counter or a histogram. */
function* totals(past: Past, series: PastSeries, { stepMs, until }: Steps): Generator<string> {
  const write = series.def.type === 'histogram' ? histogramWriter(series) : counterWriter(series);
  const total = new Float64Array(series.def.type === 'histogram' ? (series.def.buckets?.length ?? 0) + 2 : 1);
  let at: number | null = null;
  for (const { step, values } of past.steps(series)) {
    for (at ??= step - 1; at < step; at++) yield write(total, timeText(at * stepMs));
    for (let i = 0; i < values.length; i++) total[i]! += values[i]!;
  }
  // A series that is known, and to which nothing came, is at 0 all the time.
  for (at ??= past.first - 1; at <= until; at++) yield write(total, timeText(at * stepMs));
}

type Write = (total: Float64Array, time: string) => string;

function counterWriter({ def, labels }: PastSeries): Write {
  const name = labels === '' ? def.name : `${def.name}{${labels}}`;
  return (total, time) => `${name} ${formatValue(total[0]!)} ${time}\n`;
}

function histogramWriter({ def, labels }: PastSeries): Write {
  const before = labels === '' ? '' : `${labels},`;
  const bounds = [...(def.buckets ?? []), Number.POSITIVE_INFINITY].map((bound) => {
    const text = formatValue(bound);
    return `${def.name}_bucket{${before}le="${/^[0-9]+$/.test(text) ? `${text}.0` : text}"}`;
  });
  const after = labels === '' ? '' : `{${labels}}`;
  return (total, time) => {
    let count = 0;
    let text = '';
    for (const [index, name] of bounds.entries()) {
      count += total[index]!;
      text += `${name} ${formatValue(count)} ${time}\n`;
    }
    const sum = formatValue(total[bounds.length]!);
    return `${text}${def.name}_count${after} ${formatValue(count)} ${time}\n${def.name}_sum${after} ${sum} ${time}\n`;
  };
}

/** The greatest value of the last hour, at each step; none where there is none. */
function* maxima(past: Past, series: PastSeries, { stepMs, until }: Steps): Generator<string> {
  const write = counterWriter(series);
  let window: { readonly slot: number; readonly value: number }[] = [];
  let at: number | null = null;
  const advance = function* (end: number): Generator<string> {
    for (; at !== null && at <= end; at++) {
      const last = slotOf(at * stepMs - 1);
      window = window.filter(({ slot }) => slot >= firstSlot(last));
      if (window.length === 0) {
        at = null;
        return;
      }
      yield write(Float64Array.of(Math.max(...window.map(({ value }) => value))), timeText(at * stepMs));
    }
  };
  for (const { step: slot, values } of past.steps(series)) {
    // The first step at which this minute is over.
    const first = Math.ceil(((slot + 1) * SLOT_MS) / stepMs);
    yield* advance(Math.min(first - 1, until));
    window.push({ slot, value: values[0]! });
    at ??= first;
  }
  yield* advance(until);
}

function timeText(ms: number): string {
  return ms % 1_000 === 0 ? String(ms / 1_000) : (ms / 1_000).toFixed(3);
}
