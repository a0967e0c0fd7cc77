import { pino } from 'pino';
import type { CtsClient, TracePage, TraceQuery } from '../../src/sources/cts/access/client.ts';
import { lastStamp } from '../../src/sources/cts/item.ts';
import { CtsReader } from '../../src/sources/cts/read.ts';
import { SeenTraces } from '../../src/sources/cts/seen.ts';
import type { CtsPosition } from '../../src/sources/cts/windows.ts';

/** 2026-01-01T12:00:00Z: when the service's clock begins. */
export const START = 1_767_268_800_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const SETTINGS = { intervalMs: 1, overlapMs: 5 * MINUTE, sinceMs: 0, retentionMs: 7 * 24 * HOUR };

/** A trace that the service holds. */
export interface Trace {
  readonly trace_id: string;
  readonly trace_name: string;
  readonly time: number;
  readonly record_time: number;
  readonly visibleAt: number;
}

/** A service with a clock of its own, of one's own making; a trace named `poison` makes each page undecodable. */
export class Service implements CtsClient {
  readonly traces: Trace[] = [];
  /** Seconds of waiting before each poll. */
  steps: number[] = [];
  clock = START;
  limit = 5;
  asked: TraceQuery[] = [];
  /** Whole polls since there was no more waiting to be done. */
  idle = 0;
  onPoll: () => void = () => {};
  /** By how much the coming answers tell the time wrongly, in milliseconds, and the last one did. */
  wrongBy: number[] = [];
  told = 0;
  /** Whether no answer can be read. */
  isBroken = false;

  now(): number {
    return this.clock + this.told;
  }

  async place() {
    this.clock += (this.steps.shift() ?? 0) * 1_000;
    this.onPoll();
    return { base: '', region: '', projectId: '', projectName: null, domainId: null, origin: '' };
  }

  async list(query: TraceQuery): Promise<TracePage | { readonly undecodable: string }> {
    if (!Number.isInteger(query.from) || !Number.isInteger(query.to)) throw new Error(JSON.stringify(query));
    this.asked.push(query);
    this.clock += 7;
    this.told = this.wrongBy.shift() ?? 0;
    if (this.isBroken) return { undecodable: 'no JSON' };
    const inside = this.traces
      .filter((trace) => trace.record_time > query.from && trace.record_time < query.to)
      .filter((trace) => trace.visibleAt <= this.clock)
      .sort((a, b) => b.record_time - a.record_time);
    const rest = inside.slice(inside.findIndex(({ trace_id }) => trace_id === query.next) + 1);
    const items = rest.slice(0, this.limit);
    if (items.some(({ trace_name }) => trace_name === 'poison')) return { undecodable: 'no JSON' };
    const marker = items.at(-1)?.trace_id ?? null;
    return { items, marker, at: this.now(), bytes: 1, limit: this.limit };
  }

  async close() {}
}

/** What a kill leaves. */
export interface Saved {
  readonly position: CtsPosition | null;
  readonly entries: readonly (readonly [string, unknown])[];
  readonly counts: ReadonlyMap<string, number>;
  readonly gap: number;
}

export const NOTHING: Saved = { position: null, entries: [], counts: new Map(), gap: 0 };

export interface Run {
  readonly service: Service;
  readonly from: Saved;
  readonly settings?: Partial<typeof SETTINGS>;
  /** Decides after each batch; it ends once all waiting is done, and two whole polls after that. */
  readonly after?: () => 'go on' | 'save' | 'kill';
}

export interface Ran {
  readonly saved: Saved;
  readonly end: boolean;
  /** What was said after each poll. */
  readonly problems: readonly (string | null)[];
  readonly errors: readonly string[];
  /** Traces that came as soon as they could be seen. */
  readonly visible: readonly string[];
}

/** Reads on from what was saved, as the pipeline does; gives what was saved last. */
export async function readOn({ service, from, settings = {}, after = () => 'go on' }: Run): Promise<Ran> {
  const problems: (string | null)[] = [];
  const errors: string[] = [];
  const visible: string[] = [];
  const counts = new Map(from.counts);
  const entries = new Map(from.entries);
  let { gap } = from;
  let saved = from;
  const seen = new SeenTraces();
  seen.restore(from.entries);
  const stop = new AbortController();
  const reader = new CtsReader({
    client: service,
    settings: { ...SETTINGS, ...settings },
    seen,
    onGap: (seconds) => {
      gap += seconds;
    },
    onPoll: (problem) => {
      problems.push(problem);
      if (service.steps.length === 0 && (reader.lagMs() ?? 0) < HOUR) service.idle += 1;
    },
    onError: (text) => errors.push(text),
    log: pino({ level: 'silent' }),
    signal: stop.signal,
  });
  for await (const { items, position } of reader.follow(from.position)) {
    for (const item of items) {
      if (seen.see(item.key, lastStamp(item), item.onPage)) continue;
      const { id } = item.found as { id: string };
      if (item.visible) visible.push(id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const next = service.idle >= 2 ? 'end' : after();
    if (next === 'save' || next === 'end') {
      for (const [key, value] of seen.takeChanges()) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      }
      saved = { position: position as CtsPosition, entries: [...entries], counts: new Map(counts), gap };
    }
    if (next === 'kill' || next === 'end') {
      stop.abort();
      return { saved, end: next === 'end', problems, errors, visible };
    }
  }
  return { saved, end: true, problems, errors, visible };
}

/** A trace recorded then; it can be seen `late` ms after it, and happened `skew` ms after it. */
export function traceOf(
  index: number,
  at: number,
  { late = 0, skew = 0 }: { readonly late?: number; readonly skew?: number },
): Trace {
  return {
    trace_id: `id-${index}`,
    trace_name: 'createServer',
    time: at + skew,
    record_time: at,
    visibleAt: at + late,
  };
}
