import { setTimeout as sleep } from 'node:timers/promises';
import { get } from './http.ts';
import { type Exposition, parseExposition } from './strict-exposition.ts';

/** Collects again and again, and finds counters that are lower than they were shown. */
export interface Collecting {
  /** Whole answers. */
  readonly answers: number;
  /** Collects once more, now; null if nobody answers. Throws what was found wrong. */
  collect(): Promise<Exposition | null>;
  /** Ends it; throws what was found wrong. */
  end(): Promise<void>;
}

/** Starts to collect; `url` gives where the program listens at the moment, or null while it does not. */
export function startCollecting(url: () => string | null): Collecting {
  const shown = new Map<string, number>();
  let answers = 0;
  let isOver = false;

  async function collect(): Promise<Exposition | null> {
    const base = url();
    const answer = base === null ? null : await get(`${base}/metrics`).catch(() => null);
    if (answer?.status !== 200) return null;
    const exposition = parseExposition(answer.text);
    answers += 1;
    for (const { type, samples } of exposition.families.values()) {
      if (type !== 'counter' && type !== 'histogram') continue;
      for (const { name, key, value } of samples) {
        const before = shown.get(key) ?? 0;
        // What the program has done in this life is not kept over its end.
        if (/^trailgauge_(?:scrape|state)_/.test(name)) continue;
        if (value < before) throw new Error(`${key} went from ${before} to ${value}`);
        shown.set(key, value);
      }
    }
    return exposition;
  }

  async function run(): Promise<void> {
    for (; !isOver; await sleep(30)) await collect();
  }
  let failure: unknown = null;
  const running = run().catch((error: unknown) => {
    failure = error;
  });
  return {
    get answers() {
      return answers;
    },
    collect: async () => {
      if (failure !== null) throw failure;
      return collect();
    },
    end: async () => {
      isOver = true;
      await running;
      if (failure !== null) throw failure;
    },
  };
}
