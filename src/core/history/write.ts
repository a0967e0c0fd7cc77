import { formatValue } from '../metrics/bytes.ts';
import { shownType } from '../metrics/define.ts';
import { metricHead } from '../metrics/exposition.ts';
import { firstSlot, SLOT_MS, slotOf } from '../metrics/maxima.ts';
import type { Past, PastSeries } from './history.ts';

/** The steps that are written: step number `n` tells what came before `n * stepMs`. */
export interface Steps {
  readonly stepMs: number;
  /** Milliseconds since 1970 of the last sample, in place of the step that it falls into. */
  readonly until: number;
}

/** Some of the text, and how many samples are written with it so far. */
export interface Piece {
  readonly text: string;
  readonly samples: number;
}

/** What is going to be written. */
export interface Size {
  /** A sample is a line. Those of maxima are not known before: all that there may be. */
  readonly samples: number;
  /** At least so many bytes. */
  readonly bytes: number;
}

/** Characters that are handed on together. */
const PIECE = 256 * 1024;
/** Characters of the shortest value and a time, with what stands around them. */
const TAIL = ' 0 1234567890\n'.length;

/**
 * The past as OpenMetrics with timestamps: of each series one sample for each step, from the one before its first value,
 * where it is at 0, to the last. Counters go on as they would have been seen.
 */
export function* writePast(past: Past, steps: Steps): Generator<Piece> {
  const lines: Lines = { past, steps, last: Math.ceil(steps.until / steps.stepMs) };
  let text = '';
  let samples = 0;
  for (const [def, all] of past.families()) {
    let head = metricHead(def, 'openmetrics');
    for (const series of all) {
      const parts = shownType(def) === 'gauge' ? maxima(lines, series) : totals(lines, series);
      for (const part of parts) {
        text += head + part;
        head = '';
        samples += linesOf(series);
        if (text.length < PIECE) continue;
        yield { text, samples };
        text = '';
      }
    }
  }
  yield { text: `${text}# EOF\n`, samples };
}

/** Tells what `writePast` will write. */
export function sizeOfPast(past: Past, { stepMs, until }: Steps): Size {
  const last = Math.ceil(until / stepMs);
  let samples = 0;
  let bytes = 0;
  for (const [def, all] of past.families()) {
    const isMaximum = shownType(def) === 'gauge';
    for (const series of all) {
      const from = isMaximum ? Math.floor((past.firstOf(series) * SLOT_MS) / stepMs) + 1 : zeroOf(past, series, last);
      const count = Math.max(0, last - from + 1) * linesOf(series);
      samples += count;
      if (!isMaximum) bytes += count * (def.name.length + series.labels.length + TAIL);
    }
  }
  return { samples, bytes };
}

/** The step in which a series begins, at 0: one that is known, and to which nothing came, begins with all others. */
function zeroOf(past: Past, series: PastSeries, last: number): number {
  const own = past.firstOf(series);
  const first = Number.isFinite(own) ? own : past.first;
  return Number.isFinite(first) ? Math.min(first, last) - 1 : first;
}

/** Lines of one step of a series. */
function linesOf({ def }: PastSeries): number {
  return def.type === 'histogram' ? (def.buckets?.length ?? 0) + 3 : 1;
}

interface Lines {
  readonly past: Past;
  readonly steps: Steps;
  /** The last step. */
  readonly last: number;
}

/** Running totals of a counter or a histogram. */
function* totals({ past, steps, last }: Lines, series: PastSeries): Generator<string> {
  const beginningsOf = series.def.type === 'histogram' ? histogram(series) : single(series);
  const total = new Float64Array(series.def.type === 'histogram' ? (series.def.buckets?.length ?? 0) + 2 : 1);
  let beginnings = beginningsOf(total);
  let at = zeroOf(past, series, last);
  for (const { step, values } of past.steps(series)) {
    for (; at < Math.min(step, last); at++) yield stamped(beginnings, timeOf(at, steps));
    for (let i = 0; i < values.length; i++) total[i]! += values[i]!;
    beginnings = beginningsOf(total);
  }
  for (; at <= last; at++) yield stamped(beginnings, timeOf(at, steps));
}

/** Lines up to their times. */
type Beginnings = readonly string[];

function single({ def, labels }: PastSeries): (total: Float64Array) => Beginnings {
  const name = labels === '' ? def.name : `${def.name}{${labels}}`;
  return (total) => [`${name} ${formatValue(total[0]!)} `];
}

function histogram({ def, labels }: PastSeries): (total: Float64Array) => Beginnings {
  const before = labels === '' ? '' : `${labels},`;
  const bounds = [...(def.buckets ?? []), Number.POSITIVE_INFINITY].map((bound) => {
    const text = formatValue(bound);
    return `${def.name}_bucket{${before}le="${/^[0-9]+$/.test(text) ? `${text}.0` : text}"}`;
  });
  const after = labels === '' ? '' : `{${labels}}`;
  return (total) => {
    let count = 0;
    const buckets = bounds.map((name, index) => {
      count += total[index]!;
      return `${name} ${formatValue(count)} `;
    });
    const sum = formatValue(total[bounds.length]!);
    return [...buckets, `${def.name}_count${after} ${formatValue(count)} `, `${def.name}_sum${after} ${sum} `];
  };
}

/** Of a minute, the greatest value. */
interface Minute {
  readonly slot: number;
  readonly value: number;
}

/** At each step the greatest value of the last hour, or of a longer step; nothing where there is none. */
function* maxima({ past, steps, last }: Lines, series: PastSeries): Generator<string> {
  const { stepMs } = steps;
  const beginningsOf = single(series);
  let window: Minute[] = [];
  let at = Number.POSITIVE_INFINITY;
  const advance = function* (end: number): Generator<string> {
    for (; at <= end; at++) {
      const newest = slotOf(Math.min(at * stepMs, steps.until) - 1);
      const first = Math.min(firstSlot(newest), slotOf((at - 1) * stepMs));
      window = window.filter(({ slot }) => slot >= first);
      if (window.length === 0) at = Number.POSITIVE_INFINITY;
      else yield stamped(beginningsOf(Float64Array.of(greatest(window))), timeOf(at, steps));
    }
  };
  for (const { step: slot, values } of past.steps(series)) {
    // The first step at which this minute is over.
    const first = Math.min(Math.ceil(((slot + 1) * SLOT_MS) / stepMs), last);
    yield* advance(first - 1);
    window.push({ slot, value: values[0]! });
    at = Math.min(at, first);
  }
  yield* advance(last);
}

function greatest(window: readonly Minute[]): number {
  return window.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

function stamped(beginnings: Beginnings, time: string): string {
  let text = '';
  for (const beginning of beginnings) text += `${beginning}${time}\n`;
  return text;
}

/** Seconds since 1970. */
function timeOf(at: number, { stepMs, until }: Steps): string {
  const ms = Math.min(at * stepMs, until);
  return ms % 1_000 === 0 ? String(ms / 1_000) : (ms / 1_000).toFixed(3);
}
