import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { pino } from 'pino';
import t from 'tap';
import { type Keeper, startKeeper } from '../../src/core/keeper.ts';
import { counter, since } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { Scrapers } from '../../src/core/metrics/scrape.ts';
import type { Pipeline } from '../../src/core/pipeline.ts';
import type { Changes, SavedEntries, State } from '../../src/core/state.ts';

const METRICS = { hits: counter('hits_total', 'Hits.', ['path']), recent: since('recent', 'Hits.', ['path']) };

/** A keeper over a disk that a test can let fail. */
function rig() {
  const registry = new Registry({ seriesLimit: 1_000 });
  const metrics = registry.register('web', METRICS);
  const scrapers = new Scrapers(registry, 0);
  const disk = {
    commits: [] as Changes[],
    failing: null as string | null,
    /** So many commits fail. */
    failures: 0,
    /** While set, commits wait for it. */
    gate: null as Promise<void> | null,
    totals: new Map<string, number>(),
    entries: new Map<string, unknown>(),
    position: undefined as unknown,
    owed: new Map<number, unknown>(),
  };
  const births = new Map<number, string>();
  const state: State = {
    load: () => {
      throw new Error('nothing is loaded here');
    },
    commit: async (changes) => {
      await disk.gate;
      if (disk.failing !== null) throw new Error(disk.failing);
      if (disk.failures > 0) {
        disk.failures -= 1;
        throw new Error('broken');
      }
      disk.commits.push(changes);
      for (const { slot, text } of changes.births) births.set(slot, text);
      for (const { page, values } of changes.pages) {
        for (const [index, value] of values.entries()) {
          const text = births.get(page * 64 + index);
          if (text !== undefined) disk.totals.set(text, value);
        }
      }
      for (const { slot, saved } of changes.owed) disk.owed.set(slot, saved);
      for (const { position, entries } of changes.sources) {
        disk.position = position;
        for (const [key, value] of entries) disk.entries.set(key, value);
      }
    },
    close: async () => {},
  };
  const source = { position: 0, entries: [] as [string, unknown][], moved: false };
  const pipeline: Pick<Pipeline, 'takeChanges'> = {
    takeChanges: () => {
      if (!source.moved) return null;
      source.moved = false;
      const entries: SavedEntries = source.entries;
      source.entries = [];
      return { source: 'web', position: source.position, entries };
    },
  };
  const lines: { msg: string; problem?: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const keeper = startKeeper({
    state,
    registry,
    scrapers,
    pipelines: () => [pipeline as Pipeline],
    log,
    onCommit: () => {},
  });
  /** Something happens: a counter, what scrapers are owed, the position and the memory of a source. */
  function hit(path: string): void {
    metrics.hits.inc({ path });
    metrics.recent.series({ path }, []).inc();
    source.position += 1;
    source.entries.push([path, source.position]);
    source.moved = true;
  }
  return { disk, hit, keeper, lines, scrapers, registry, source };
}

function closed(t: { teardown(run: () => unknown): void }, keeper: Keeper): void {
  t.teardown(() => keeper.close().catch(() => {}));
}

t.test('what changed is committed, once', async (t) => {
  const { disk, hit, keeper } = rig();
  closed(t, keeper);
  await keeper.commit();
  t.equal(disk.commits.length, 0, 'nothing changed');
  hit('/a');
  hit('/a');
  hit('/b');
  await keeper.commit();
  await keeper.commit();
  t.equal(disk.commits.length, 1);
  t.same(
    [...disk.totals],
    [
      ['path="/a"', 2],
      ['path="/b"', 1],
    ],
  );
  t.same(
    [...disk.entries],
    [
      ['/a', 2],
      ['/b', 3],
    ],
  );
  t.equal(disk.position, 3);
  t.equal(keeper.problem(), null);
});

t.test('what a failed commit left goes into the next one', async (t) => {
  const { disk, hit, keeper, lines } = rig();
  closed(t, keeper);
  disk.failing = 'no space left on the disk';
  hit('/a');
  hit('/b');
  await t.rejects(keeper.commit(), { message: disk.failing });
  t.equal(keeper.problem(), 'no space left on the disk');
  hit('/a');
  await t.rejects(keeper.commit(), { message: disk.failing });
  await t.rejects(keeper.commit(), { message: disk.failing }, 'also if nothing more happened');
  t.equal(lines.length, 1, 'said once');
  disk.failing = null;
  await keeper.commit();
  t.equal(disk.commits.length, 1);
  t.same(
    [...disk.totals],
    [
      ['path="/a"', 2],
      ['path="/b"', 1],
    ],
  );
  t.same(
    [...disk.entries],
    [
      ['/a', 3],
      ['/b', 2],
    ],
  );
  t.equal(disk.position, 3);
  t.equal(disk.owed.size, 2);
  t.equal(keeper.problem(), null);
  t.same(
    lines.map(({ msg }) => msg),
    ['state cannot be saved; metrics are withheld until it can', 'state is saved again'],
  );
});

t.test('those who ask while a commit is under way share the one after it', async (t) => {
  const { disk, hit, keeper } = rig();
  closed(t, keeper);
  let open = () => {};
  disk.gate = new Promise((resolve) => (open = resolve));
  hit('/a');
  const first = keeper.commit();
  hit('/b');
  const later = [keeper.commit(), keeper.commit(), keeper.commit()];
  disk.gate = null;
  open();
  await first;
  await Promise.all(later);
  t.equal(disk.commits.length, 2);
  t.same(
    [...disk.totals],
    [
      ['path="/a"', 1],
      ['path="/b"', 1],
    ],
  );
});

t.test('a failure of the commit under way is not that of those who ask later', async (t) => {
  const { disk, hit, keeper } = rig();
  closed(t, keeper);
  let open = () => {};
  disk.gate = new Promise((resolve) => (open = resolve));
  disk.failures = 1;
  hit('/a');
  const first = keeper.commit();
  hit('/b');
  const second = keeper.commit();
  disk.gate = null;
  open();
  await t.rejects(first, { message: 'broken' });
  await second;
  t.same(
    [...disk.totals],
    [
      ['path="/a"', 1],
      ['path="/b"', 1],
    ],
  );
  t.equal(disk.position, 2);
});

t.test('without being asked it commits every second, and once more at the end', async (t) => {
  const { disk, hit, keeper } = rig();
  hit('/a');
  while (disk.commits.length === 0) await sleep(20);
  hit('/a');
  await keeper.close();
  t.equal(disk.totals.get('path="/a"'), 2);
  const { length } = disk.commits;
  hit('/a');
  await sleep(1_200);
  t.equal(disk.commits.length, length, 'closed');
});

t.test('whatever fails in between, at the end everything is there', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom('/a', '/b', '/c'), fc.constantFrom('commit', 'fail', 'scrape')), {
        maxLength: 60,
      }),
      async (steps) => {
        const { disk, hit, keeper, scrapers, registry, source } = rig();
        const wanted = new Map<string, number>();
        for (const step of steps) {
          if (step === 'commit') await keeper.commit();
          else if (step === 'scrape') scrapers.begin('s', 0).delivered();
          else if (step === 'fail') {
            disk.failing = 'broken';
            await keeper.commit().catch(() => {});
            disk.failing = null;
          } else {
            hit(step);
            wanted.set(`path="${step}"`, (wanted.get(`path="${step}"`) ?? 0) + 1);
          }
        }
        await keeper.close();
        for (const [text, total] of wanted) if (disk.totals.get(text) !== total) throw new Error(text);
        if (wanted.size > 0 && disk.position !== source.position) throw new Error('position');
        if (disk.entries.size !== wanted.size) throw new Error('entries');
      },
    ),
    { numRuns: 200 },
  );
  t.pass('always');
});
