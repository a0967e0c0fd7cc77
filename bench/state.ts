import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { counter, since } from '../src/core/metrics/define.ts';
import { Registry } from '../src/core/metrics/registry.ts';
import { openState, type State } from '../src/core/state.ts';
import { ascending, best, median } from './contest.ts';
import { count, type Row, time } from './report.ts';

const SERIES = 10_000;
const ROUNDS = 9;

const CATALOGUE = {
  total: counter('bench_events_total', 'Events of a benchmark.', ['id']),
  owed: since('bench_event_count', 'Events since the last collection.', ['id']),
};

/** One commit, synced to disk, after many series have changed. */
export async function measureState(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-bench-state-'));
  const state = await openState(folder);
  try {
    const registry = new Registry({ seriesLimit: 2 * SERIES });
    const handles = registry.register('bench', CATALOGUE);
    const ids = Array.from({ length: SERIES }, (_, index) => `event-${index}`);
    const counters = ids.map((id) => handles.total.series({ id }));
    const born = [await commit(state, registry)];
    const counted = await repeated(state, registry, () => {
      for (const series of counters) series.inc();
    });
    const owed = await repeated(state, registry, () => {
      for (const id of ids) handles.owed.series({ id }, []).inc();
    });
    return [
      row(`commit of ${count(SERIES)} new counters`, born),
      row(`commit of ${count(SERIES)} changed counters`, counted),
      row(`commit of ${count(SERIES)} changed gauges that are kept by scraper`, owed),
    ];
  } finally {
    await state.close();
    rmSync(folder, { recursive: true });
  }
}

function row(what: string, seconds: readonly number[]): Row {
  const compared = seconds.length > 1 ? { comparedWith: `its median: ${time(median(seconds))}` } : {};
  return { what, measured: time(best(seconds)), ...compared };
}

async function repeated(state: State, registry: Registry, change: () => void): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    change();
    seconds.push(await commit(state, registry));
  }
  return seconds.sort(ascending);
}

async function commit(state: State, registry: Registry): Promise<number> {
  const began = performance.now();
  await state.commit({ ...registry.store.take(), owed: registry.owed.take(), scrapers: null, sources: [] });
  return (performance.now() - began) / 1000;
}
