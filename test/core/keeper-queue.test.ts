import { pino } from 'pino';
import t, { type Test } from 'tap';
import { startKeeper } from '../../src/core/keeper.ts';
import { counter } from '../../src/core/metrics/define.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { restoreSeries } from '../../src/core/metrics/saved.ts';
import { Scrapers } from '../../src/core/metrics/scrape.ts';
import type { Pipeline } from '../../src/core/pipeline.ts';
import { Queue } from '../../src/core/queue.ts';
import { openState, type State } from '../../src/core/state.ts';
import { folder } from '../support/cli.ts';
import { show } from '../support/exposition.ts';
import { event, taken } from '../support/queue-rig.ts';
import { eventually } from '../support/trailgauge.ts';

const METRICS = { dropped: counter('dropped_total', 'Dropped.', []) };

/** A life of a process: a queue with one reader over a state, and a keeper. */
async function life(t: Test, state: State, limit: number) {
  const saved = state.load();
  const registry = new Registry({ seriesLimit: 100 });
  const { dropped } = registry.register('', METRICS);
  restoreSeries(registry, saved);
  const queue = new Queue(state);
  queue.restore(saved);
  const onDropped = (events: number) => dropped.inc({}, events);
  const reader = queue.reader({ name: 'one', wants: () => true, limit, onDropped, onLost: () => {} });
  await queue.begin();
  let position = Number(saved.under('position', 'a')[0]?.[1] ?? 0);
  const spool = queue.live('a')!;
  const pipeline: Pick<Pipeline, 'takeCells'> = { takeCells: () => [[['position', 'a'], position]] };
  const keeper = startKeeper({
    state,
    registry,
    scrapers: new Scrapers(registry, 0),
    // Of a pipeline a keeper wants no more.
    pipelines: () => [pipeline as Pipeline],
    queue,
    log: pino({ level: 'silent' }),
    onCommit: () => {},
  });
  t.teardown(() => keeper.close().catch(() => {}));
  return {
    keeper,
    queue,
    reader,
    position: () => position,
    add: (id: string, bytes = 10) => {
      spool.add(event(id, { action: 'x'.repeat(bytes) }));
      position += 1;
    },
    dropped: async () => (await show(registry)).dropped_total ?? 0,
  };
}

t.test('position, events, and those that were given up, are of one commit', async (t) => {
  const state = await openState(folder(t));
  t.teardown(() => state.close());
  const first = await life(t, state, 400_000);
  for (let i = 0; i < 10; i++) first.add(String(i), 300_000);
  await first.keeper.commit();
  // As if it had been killed now: nothing of the first life goes on to disk.
  const second = await life(t, state, 400_000);
  t.equal(second.position(), 10);
  t.equal(second.reader.events + (await second.dropped()), 10);
  t.equal(taken(second.reader).at(-1), '9');
});

t.test('after commits that failed, the next one has all of it', async (t) => {
  const state = await openState(folder(t));
  t.teardown(() => state.close());
  let failures = 3;
  const failing: State = {
    ...state,
    commit: async (cells, blocks) => {
      if (failures-- > 0) throw new Error('full');
      await state.commit(cells, blocks);
    },
  };
  const { keeper, reader, add } = await life(t, failing, 1e9);
  for (let i = 0; i < 3; i++) {
    add(String(i));
    await t.rejects(keeper.commit());
    t.equal(reader.events, 0);
  }
  add('3');
  await keeper.commit();
  t.same(taken(reader), ['0', '1', '2', '3']);
  const second = await life(t, state, 1e9);
  t.same(taken(second.reader), ['0', '1', '2', '3']);
  reader.settle(4);
  await keeper.commit();
  await keeper.commit();
  await eventually('the blocks to go', () => state.blockIds().length === 0);
  t.same(state.load().under('queue'), []);
});

t.test('what fills memory is committed at once', async (t) => {
  const state = await openState(folder(t));
  t.teardown(() => state.close());
  const { queue, reader } = await life(t, state, 1e9);
  // Blocks that are too small to go to disk before they are committed.
  const spool = queue.spool('a')!;
  const began = performance.now();
  let full = 0;
  for (let i = 0; i < 2_000; i++) {
    spool.add(event(String(i), { action: 'x'.repeat(50_000) }));
    spool.publish();
    for (let room = spool.room(); room; room = spool.room()) {
      full += 1;
      await room;
    }
  }
  const ms = performance.now() - began;
  t.ok(full >= 5 && full <= 8, `${full} times`);
  t.ok(ms < full * 1_000, 'which the timer would take');
  await eventually('all to be there', () => reader.events === 2_000);
});
