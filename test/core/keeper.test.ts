import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { pino } from 'pino';
import t from 'tap';
import type { Cell } from '../../src/core/cells.ts';
import { type Keeper, startKeeper } from '../../src/core/keeper.ts';
import { counter, since } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { restoreSeries } from '../../src/core/metrics/saved.ts';
import { type Scraper, Scrapers } from '../../src/core/metrics/scrape.ts';
import type { Pipeline } from '../../src/core/pipeline.ts';
import { savedSource } from '../../src/core/saved-source.ts';
import type { State } from '../../src/core/state.ts';
import { MemoryCells } from '../support/cells.ts';
import { show } from '../support/exposition.ts';

const METRICS = { hits: counter('hits_total', 'Hits.', ['path']), recent: since('recent', 'Hits.', ['path']) };

/** A keeper over a disk that a test can let fail. */
function rig() {
  const registry = new Registry({ seriesLimit: 1_000 });
  const metrics = registry.register('web', METRICS);
  const scrapers = new Scrapers(registry, 0);
  const cells = new MemoryCells();
  const disk = {
    commits: [] as (readonly Cell[])[],
    failing: null as string | null,
    /** So many commits fail. */
    failures: 0,
    /** While set, commits wait for it. */
    gate: null as Promise<void> | null,
    entries: () => new Map(savedSource(cells.load(), 'web').entries),
    position: () => savedSource(cells.load(), 'web').position,
    scrapers: () => (cells.load().under('scrapers')[0]?.[1] ?? []) as readonly Scraper[],
    /** What one who never came before would be shown after a restart. */
    shown: () => {
      const restarted = new Registry({ seriesLimit: 1_000 });
      restarted.register('web', METRICS);
      restoreSeries(restarted, cells.load());
      return show(restarted);
    },
  };
  const state: State = {
    isNew: false,
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
      cells.save(changes);
    },
    blockIds: () => [],
    block: () => null,
    putBlock: async () => {},
    removeBlocks: async () => {},
    close: async () => {},
  };
  const source = { position: 0, entries: [] as Cell[] };
  const pipeline: Pick<Pipeline, 'takeCells'> = {
    takeCells: () => {
      const { entries } = source;
      source.entries = [];
      return entries.length === 0 ? [] : [[['position', 'web'], source.position], ...entries];
    },
  };
  const lines: { msg: string; problem?: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const keeper = startKeeper({
    state,
    registry,
    scrapers,
    // Of a pipeline a keeper wants no more.
    pipelines: () => [pipeline as Pipeline],
    queue: null,
    log,
    onCommit: () => {},
  });
  /** Something happens: a counter, what scrapers are owed, the position and the memory of a source. */
  function hit(path: string): void {
    metrics.hits.inc({ path });
    metrics.recent.series({ path }, []).inc();
    source.position += 1;
    source.entries.push([['entry', 'web', path], source.position]);
  }
  return { disk, hit, keeper, lines, scrapers, source };
}

/** An exposition of so many hits by path. */
function hits(counts: Readonly<Record<string, number>>): Record<string, number> {
  const series = Object.entries(counts).flatMap(([path, count]) => [
    [`hits_total{path="${path}"}`, count],
    [`recent{path="${path}"}`, count],
  ]);
  return Object.fromEntries(series);
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
  t.same(await disk.shown(), hits({ '/a': 2, '/b': 1 }));
  t.same(
    [...disk.entries()],
    [
      ['/a', 2],
      ['/b', 3],
    ],
  );
  t.equal(disk.position(), 3);
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
  t.same(await disk.shown(), hits({ '/a': 2, '/b': 1 }));
  t.same(
    [...disk.entries()],
    [
      ['/a', 3],
      ['/b', 2],
    ],
  );
  t.equal(disk.position(), 3);
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
  t.same(await disk.shown(), hits({ '/a': 1, '/b': 1 }));
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
  t.same(await disk.shown(), hits({ '/a': 1, '/b': 1 }));
  t.equal(disk.position(), 2);
});

t.test('without being asked it commits every second, and once more at the end', async (t) => {
  const { disk, hit, keeper } = rig();
  hit('/a');
  while (disk.commits.length === 0) await sleep(20);
  hit('/a');
  await keeper.close();
  t.same(await disk.shown(), hits({ '/a': 2 }));
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
        const { disk, hit, keeper, scrapers, source } = rig();
        const wanted: Record<string, number> = {};
        for (const step of steps) {
          if (step === 'commit') await keeper.commit();
          else if (step === 'scrape') scrapers.begin('s', 0).delivered();
          else if (step === 'fail') {
            disk.failing = 'broken';
            await keeper.commit().catch(() => {});
            disk.failing = null;
          } else {
            hit(step);
            wanted[step] = (wanted[step] ?? 0) + 1;
          }
        }
        await keeper.close();
        if (!isDeepStrictEqual(await disk.shown(), hits(wanted))) throw new Error('series');
        if (Object.keys(wanted).length > 0 && disk.position() !== source.position) throw new Error('position');
        if (disk.entries().size !== Object.keys(wanted).length) throw new Error('entries');
        if (!isDeepStrictEqual(disk.scrapers(), scrapers.list())) throw new Error('scrapers');
      },
    ),
    { numRuns: 200 },
  );
  t.pass('always');
});
