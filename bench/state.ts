import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { counter, since } from '../src/core/metrics/define.ts';
import { Registry } from '../src/core/metrics/registry.ts';
import { restoreSeries, takeSeries } from '../src/core/metrics/saved.ts';
import { openState, type State } from '../src/core/state.ts';
import { ascending, best, median } from './contest.ts';
import { seeded } from './random.ts';
import { count, type Row, time } from './report.ts';

const SERIES = 1_000_000;
const CHANGED = 10_000;
const ROUNDS = 9;
const WANTED_COMMIT = 0.05;

const CATALOGUE = {
  total: counter('bench_events_total', 'Events of a benchmark.', ['id']),
  owed: since('bench_event_count', 'Events since the last collection.', ['id']),
};

/** Commits, synced to disk, with many series: all of them new, then a few of them changed; and reading them again. */
export async function measureState(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-bench-state-'));
  let state = await openState(folder);
  try {
    const registry = new Registry({ seriesLimit: 2 * SERIES });
    const handles = registry.register('bench', CATALOGUE);
    const ids = Array.from({ length: SERIES }, (_, index) => `event-${index}`);
    const counters = ids.map((id) => handles.total.series({ id }));
    const born = [await commit(state, registry)];
    const random = seeded(1);
    const some = () => Array.from({ length: CHANGED }, () => Math.floor(random() * SERIES));
    const counted = await repeated(state, registry, () => {
      for (const index of some()) counters[index]!.inc();
    });
    const owed = await repeated(state, registry, () => {
      for (const index of some()) handles.owed.series({ id: ids[index % CHANGED]! }, []).inc();
    });
    await state.close();
    state = await openState(folder);
    const again = new Registry({ seriesLimit: 2 * SERIES });
    again.register('bench', CATALOGUE);
    const began = performance.now();
    restoreSeries(again, state.load());
    const loaded = [(performance.now() - began) / 1000];
    return [
      row(`commit of ${count(SERIES)} new counters`, born),
      {
        ...row(`commit of ${count(CHANGED)} changed counters out of these`, counted),
        wanted: `< ${time(WANTED_COMMIT)}`,
        met: best(counted) < WANTED_COMMIT,
      },
      row(`commit of some ${count(CHANGED)} changed gauges that are kept by scraper`, owed),
      row('all of these read again', loaded),
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
  await state.commit(takeSeries(registry));
  return (performance.now() - began) / 1000;
}
