import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { Data } from '../../src/core/event.ts';
import { Queue } from '../../src/core/queue.ts';
import { openState } from '../../src/core/state.ts';
import { folder } from '../support/cli.ts';
import { Disk, event, queueRig, taken } from '../support/queue-rig.ts';
import { eventually } from '../support/trailgauge.ts';

const ALL = { readers: [{ name: 'one' }] };

t.test('events are given once they are committed, in their order, until they are settled', async (t) => {
  const disk = new Disk();
  const { live, readers, commit, settle } = await queueRig(disk, ALL);
  const reader = readers.get('one')!;
  for (const id of ['1', '2', '3']) live.get('a')?.add(event(id));
  t.same(taken(reader), []);
  commit();
  t.equal(reader.events, 3);
  t.same(taken(reader, 2), ['1', '2']);
  t.same(taken(reader, 2), ['1', '2'], 'not settled');
  settle('one', 2);
  live.get('b')?.add(event('4'));
  t.same(taken(reader), ['3']);
  commit();
  t.same(taken(reader), ['3', '4']);
  settle('one', 2);
  t.equal(reader.events, 0);
  t.equal(reader.bytes, 0);
  commit();
  commit();
  await turn();
  t.same(disk.blockIds(), [], 'nothing is left on disk');
  t.same(disk.cells.load().under('queue'), []);
});

t.test('at most so many bytes at once, but one event at least', async (t) => {
  const { live, readers, commit } = await queueRig(new Disk(), ALL);
  for (const id of ['x'.repeat(500), 'y', 'z']) live.get('a')?.add(event(id));
  commit();
  const reader = readers.get('one')!;
  t.equal(reader.take({ events: 9, bytes: 1 }).length, 1);
  t.equal(reader.take({ events: 9, bytes: 700 }).length, 2);
  t.equal(reader.take({ events: 9, bytes: 7_000 }).length, 3);
});

t.test('a writer that is not there any more loses what waited, a new one begins with what comes', async (t) => {
  const disk = new Disk();
  const first = await queueRig(disk, { readers: [{ name: 'old' }, { name: 'stays' }] });
  first.live.get('a')?.add(event('1'));
  first.commit();
  t.same(taken(first.readers.get('stays')), ['1']);
  first.settle('stays', 1);
  first.commit();
  t.equal(disk.blocks.size, 1, 'the other one needs it');

  const second = await queueRig(disk, { readers: [{ name: 'stays' }, { name: 'new' }] });
  t.same(taken(second.readers.get('new')), []);
  second.commit();
  second.commit();
  await turn();
  t.equal(disk.blocks.size, 0);
  t.same(
    disk.cells
      .load()
      .under('reader')
      .map(([[name]]) => name),
    ['stays', 'new'],
  );
  second.live.get('a')?.add(event('2'));
  second.commit();

  const third = await queueRig(disk, { readers: [{ name: 'new' }, { name: 'stays' }, { name: 'old' }] });
  t.same(taken(third.readers.get('new')), ['2']);
  t.same(taken(third.readers.get('stays')), ['2']);
  t.same(taken(third.readers.get('old')), [], 'as if it had never been there');
});

t.test('a new writer is not new again when it is started before anything came for it', async (t) => {
  const disk = new Disk();
  (await queueRig(disk, { readers: [{ name: 'one', sources: ['b'] }, { name: 'two' }] })).commit();
  const { live, commit } = await queueRig(disk, { readers: [{ name: 'one', sources: ['b'] }, { name: 'two' }] });
  live.get('a')?.add(event('1'));
  live.get('b')?.add(event('2'));
  commit('dies');
  const { readers } = await queueRig(disk, { readers: [{ name: 'one', sources: ['b'] }, { name: 'two' }] });
  t.same(taken(readers.get('one')), ['2']);
  t.same(taken(readers.get('two')), ['1', '2']);
});

t.test('only events of the sources that it wants', async (t) => {
  const disk = new Disk();
  const options = { readers: [{ name: 'one', sources: ['b'] }], sources: ['a', 'b'] };
  const { live, readers, commit, settle } = await queueRig(disk, options);
  t.equal(live.get('a'), null, 'nobody wants these');
  for (const id of ['1', '2', '3']) live.get('b')?.add(event(id));
  commit();
  t.same(taken(readers.get('one'), 2), ['1', '2']);
  settle('one', 2);
  commit();
  const other = await queueRig(disk, { readers: [{ name: 'one', sources: ['a'] }] });
  t.same(taken(other.readers.get('one')), [], 'what it wants no more is not given');
  other.live.get('a')?.add(event('4'));
  other.live.get('a')?.add(event('5'));
  other.commit();
  t.same(taken(other.readers.get('one')), ['4', '5'], 'nor are others left out for it');
  other.commit();
  await turn();
  t.equal(disk.blocks.size, 1);
});

t.test('without a writer there is no way in', async (t) => {
  const { live, queue, commit } = await queueRig(new Disk(), { readers: [] });
  t.equal(live.get('a'), null);
  t.equal(queue.spool('a'), null);
  commit();
});

t.test('over its limit, the oldest go and are counted', async (t) => {
  const disk = new Disk();
  const { live, readers, commit, counts } = await queueRig(disk, { readers: [{ name: 'one', limit: 2_000 }] });
  for (let i = 0; i < 20; i++) {
    live.get('a')?.add(event(`${i}a`));
    live.get('a')?.add(event(`${i}b`));
    commit();
  }
  const reader = readers.get('one')!;
  t.ok(reader.bytes <= 2_000);
  const left = taken(reader);
  t.equal(left.length, reader.events);
  t.equal(left.at(-1), '19b');
  t.equal(left.length + (counts.dropped.get('one') ?? 0), 40);
  commit();
  commit();
  await turn();
  t.equal(disk.blocks.size, left.length / 2);
});

t.test('what is being delivered is not given up', async (t) => {
  const disk = new Disk();
  const options = { readers: [{ name: 'one', limit: 2_000 }, { name: 'two' }] };
  const { live, readers, commit, counts, settle } = await queueRig(disk, options);
  const put = (id: number) => {
    live.get('a')?.add(event(String(id)));
    commit();
  };
  for (let id = 0; id < 4; id++) put(id);
  const reader = readers.get('one')!;
  t.same(taken(reader, 3), ['0', '1', '2']);
  for (let id = 4; id < 10; id++) put(id);
  const dropped = counts.dropped.get('one') ?? 0;
  t.ok(dropped > 0);
  const after = await queueRig(disk, options);
  t.equal(taken(after.readers.get('one')).length + (after.counts.dropped.get('one') ?? 0), 10, 'also after a crash');
  settle('one', 3);
  t.equal(taken(reader).length + 3 + (counts.dropped.get('one') ?? 0), 10);
  t.equal(taken(reader).at(-1), '9');
});

t.test('a limit below one event lets the last one through', async (t) => {
  const { live, readers, commit } = await queueRig(new Disk(), { readers: [{ name: 'one', limit: 1 }] });
  for (const id of ['1', '2']) {
    live.get('a')?.add(event(id));
    commit();
  }
  t.same(taken(readers.get('one')), ['2']);
});

t.test('a block that is damaged is counted, and the others are given', async (t) => {
  const disk = new Disk();
  const first = await queueRig(disk, ALL);
  for (const [index, ids] of [['1', '2'], ['3', '4', '5'], ['6']].entries()) {
    for (const id of ids) first.live.get('a')?.add(event(id));
    first.commit();
    if (index === 1) disk.blocks.delete(2);
  }
  const reader = first.readers.get('one')!;
  t.same(taken(reader, 1), ['1']);
  first.settle('one', 1);
  t.same(taken(reader), ['2'], 'those before it');
  t.equal(first.counts.lost.get('one'), undefined);
  first.settle('one', 1);
  t.same(taken(reader), ['6']);
  t.equal(first.counts.lost.get('one'), 3);
  t.equal(reader.events, 1);
  first.commit('dies');
  const second = await queueRig(disk, ALL);
  t.same(taken(second.readers.get('one')), ['6']);
  t.equal(second.counts.lost.get('one'), 3, 'once');
});

t.test('on disk: damaged bytes, and blocks that nobody knows', async (t) => {
  const directory = folder(t);
  const state = await openState(directory);
  t.teardown(() => state.close());
  await state.commit(
    [
      [
        ['queue', 1],
        [7, 'a', 1, 100],
      ],
    ],
    [{ id: 7, bytes: Buffer.from('{"id":"x"}\n') }],
  );
  await state.putBlock({ id: 12, bytes: Buffer.from('{}\n') });
  await state.putBlock({ id: 100, bytes: Buffer.from('{}\n') });
  t.same(state.blockIds(), [7, 12, 100]);
  t.equal(state.block(7)?.toString(), '{"id":"x"}\n');
  t.equal(state.block(8), null);
  const queue = new Queue(state);
  queue.restore(state.load());
  queue.reader({ name: 'one', wants: () => true, limit: 1e9, onDropped: () => {}, onLost: () => {} });
  await queue.begin();
  t.same(state.blockIds(), [7]);
  const { cells } = queue.take();
  await state.commit(cells);
  queue.committed();
  await eventually('the block of a time before the writer to go', () => state.blockIds().length === 0);
  t.same(state.load().under('queue'), []);
});

t.test('events that are many go to disk before they are committed; dropped, they leave nothing', async (t) => {
  const disk = new Disk();
  const { queue, readers, commit } = await queueRig(disk, ALL);
  const spool = queue.spool('a')!;
  const fill = () => {
    for (let i = 0; i < 30; i++) spool.add(event(String(i), { action: 'x'.repeat(50_000) }));
  };
  fill();
  await turn();
  t.equal(disk.blocks.size, 5);
  commit();
  t.equal(readers.get('one')?.events, 0);
  spool.drop();
  await turn();
  t.equal(disk.blocks.size, 0);
  fill();
  spool.publish();
  commit();
  t.equal(readers.get('one')?.events, 30);
  t.same(
    taken(readers.get('one')),
    Array.from({ length: 30 }, (_, i) => String(i)),
  );
  t.equal(disk.puts, 10, 'those that were there already did not go again');

  fill();
  await turn();
  t.equal(disk.blocks.size, 10);
  await queueRig(disk, ALL);
  t.equal(disk.blocks.size, 5, 'after a crash, what was never committed is removed');
});

t.test('of more than any writer may have waiting, the oldest are not kept', async (t) => {
  const disk = new Disk();
  const options = {
    readers: [
      { name: 'one', limit: 1_000_000 },
      { name: 'two', limit: 500_000 },
    ],
  };
  const { queue, readers, commit, counts } = await queueRig(disk, options);
  const spool = queue.spool('a')!;
  for (let i = 0; i < 100; i++) spool.add(event(String(i), { action: 'x'.repeat(50_000) }));
  await turn();
  t.ok(disk.blocks.size <= 4);
  spool.publish();
  commit();
  for (const [name, reader] of readers) {
    t.equal(reader.events + (counts.dropped.get(name) ?? 0), 100, name);
    t.equal(taken(reader).at(-1), '99', name);
  }
});

t.test('an event that cannot be written down is counted, and holds nobody up', async (t) => {
  const { live, queue, readers, commit, counts } = await queueRig(new Disk(), ALL);
  let deep: Data = [];
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const spool of [live.get('a')!, queue.spool('b')!]) {
    spool.add(event('1'));
    spool.add(event('2', { data: { deep } }));
    spool.publish();
  }
  const dropped = queue.spool('b')!;
  dropped.add(event('3', { data: { deep } }));
  dropped.drop();
  dropped.publish();
  commit();
  t.same(taken(readers.get('one')), ['1', '1']);
  t.equal(counts.dropped.get('one'), 2);
});

t.test('while the disk takes nothing, there is no room for more', async (t) => {
  const disk = new Disk();
  const { live, queue, readers, commit } = await queueRig(disk, ALL);
  let asked = 0;
  queue.onFull(() => (asked += 1));
  const spool = live.get('a')!;
  t.equal(spool.room(), null);
  disk.failing = true;
  const big = { action: 'x'.repeat(100_000) };
  for (let i = 0; i < 100; i++) spool.add(event(String(i), big));
  const room = spool.room();
  t.ok(room, 'too much is on its way');
  commit('fails');
  for (let i = 100; i < 200; i++) spool.add(event(String(i), big));
  commit('fails');
  t.ok(spool.room());
  disk.failing = false;
  commit();
  t.equal(readers.get('one')?.events, 200);
  t.equal(taken(readers.get('one')).length, 200);
  await eventually('room', () => spool.room() === null);
  await room;
  t.ok(asked <= 2);
});

t.test('small ones that cannot be committed fill memory up to a bound as well', async (t) => {
  const { live, queue, commit } = await queueRig(new Disk(), ALL);
  let asked = 0;
  queue.onFull(() => (asked += 1));
  const spool = live.get('a')!;
  let added = 0;
  for (; !spool.room() && added < 1_000; added++) {
    spool.add(event(String(added), { action: 'x'.repeat(100_000) }));
    commit('fails');
  }
  t.ok(added > 100 && added < 200, `${added} events`);
  t.equal(asked, 1);
  const room = spool.room();
  commit();
  await room;
  t.equal(spool.room(), null);
});

t.test('a reader is woken by what it wants, and by an abort', async (t) => {
  const { live, readers, commit } = await queueRig(new Disk(), { readers: [{ name: 'one', sources: ['a'] }] });
  const reader = readers.get('one')!;
  const controller = new AbortController();
  const some = reader.some(controller.signal);
  live.get('a')?.add(event('1'));
  commit();
  await some;
  await reader.some(controller.signal);
  const more = reader.more(controller.signal);
  controller.abort();
  await more;
  t.equal(getEventListeners(controller.signal, 'abort').length, 0);
  await reader.some(controller.signal);
});

t.test('a hundred thousand small blocks are gone through at once', async (t) => {
  const disk = new Disk();
  const first = await queueRig(disk, { readers: [{ name: 'one' }, { name: 'full', limit: 1_000_000 }] });
  const began = performance.now();
  const spool = first.queue.spool('a')!;
  for (let i = 0; i < 100_000; i++) {
    spool.add(event(String(i)));
    spool.publish();
    if (i % 1_000 === 999) first.commit();
  }
  const { readers, commit, settle } = await queueRig(disk, { readers: [{ name: 'one' }] });
  const reader = readers.get('one')!;
  t.equal(reader.events, 100_000);
  let count = 0;
  while (reader.events > 0) {
    const events = taken(reader, 1_000);
    count += events.length;
    settle('one', events.length);
  }
  commit();
  t.equal(count, 100_000);
  // Seconds; with a step that goes through all of them for each, minutes.
  t.ok(performance.now() - began < 30_000);
});

/** One thing that happens. */
type Step =
  | { readonly do: 'add'; readonly source: 'a' | 'b'; readonly count: number }
  | { readonly do: 'aside'; readonly source: 'a' | 'b'; readonly count: number }
  | { readonly do: 'publish' | 'drop'; readonly source: 'a' | 'b' }
  | { readonly do: 'commit'; readonly how: 'works' | 'fails' | 'dies' }
  | { readonly do: 'deliver'; readonly reader: string; readonly most: number; readonly settled: boolean }
  | { readonly do: 'crash' };

const source = fc.constantFrom('a' as const, 'b' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), source, count: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('aside' as const), source, count: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('publish' as const, 'drop' as const), source }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      how: fc.constantFrom('works' as const, 'works' as const, 'fails' as const, 'dies' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      reader: fc.constantFrom('all', 'some'),
      most: fc.integer({ min: 1, max: 9 }),
      settled: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'crash' as const }) },
);

/** What a queue without limits has to do, in a few lines: lists, and how far each reader is. */
class Model {
  readonly lists = { all: [] as string[], some: [] as string[] };
  readonly settled = { all: 0, some: 0 };
  #saved = { all: 0, some: 0 };
  #aside = { a: [] as string[], b: [] as string[] };
  #published: (readonly [source: string, id: string])[] = [];
  #live = { a: [] as string[], b: [] as string[] };
  #taken: (readonly [source: string, id: string])[] = [];
  #next = 0;

  add(source: 'a' | 'b', aside: boolean): string {
    const id = String(this.#next++);
    (aside ? this.#aside : this.#live)[source].push(id);
    return id;
  }

  conclude(source: 'a' | 'b', counted: boolean): void {
    const ids = this.#aside[source].splice(0);
    if (counted) this.#published.push(...ids.map((id) => [source, id] as const));
  }

  commit(how: 'works' | 'fails' | 'dies'): void {
    this.#taken.push(...this.#published.splice(0));
    for (const source of ['a', 'b'] as const)
      this.#taken.push(...this.#live[source].splice(0).map((id) => [source, id] as const));
    if (how === 'fails') return;
    this.#saved = { ...this.settled };
    for (const [source, id] of this.#taken.splice(0)) {
      this.lists.all.push(id);
      if (source === 'a') this.lists.some.push(id);
    }
    if (how === 'dies') this.crash();
  }

  crash(): void {
    Object.assign(this.settled, this.#saved);
    this.#aside = { a: [], b: [] };
    this.#live = { a: [], b: [] };
    this.#published = [];
    this.#taken = [];
  }
}

const READERS = [{ name: 'all' }, { name: 'some', sources: ['a'] }];

t.test('whatever happens when: nothing is lost, early, or out of order', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const disk = new Disk();
      const model = new Model();
      const life = async () => {
        const rig = await queueRig(disk, { readers: READERS });
        return { ...rig, aside: { a: rig.queue.spool('a')!, b: rig.queue.spool('b')! } };
      };
      let it = await life();
      // Writers are known from the first commit on.
      it.commit();
      for (const step of [...steps, { do: 'crash' } as const]) {
        switch (step.do) {
          case 'add':
            for (let i = 0; i < step.count; i++) it.live.get(step.source)?.add(event(model.add(step.source, false)));
            break;
          case 'aside':
            for (let i = 0; i < step.count; i++) it.aside[step.source].add(event(model.add(step.source, true)));
            break;
          case 'publish':
          case 'drop':
            it.aside[step.source][step.do]();
            model.conclude(step.source, step.do === 'publish');
            break;
          case 'commit':
            it.commit(step.how);
            model.commit(step.how);
            if (step.how === 'dies') it = await life();
            break;
          case 'deliver': {
            const name = step.reader as 'all' | 'some';
            const at = model.settled[name];
            const wanted = model.lists[name].slice(at, at + step.most);
            const found = taken(it.readers.get(name), step.most);
            if (!isDeepStrictEqual(found, wanted)) throw new Error(`${name}: found ${found}, wanted ${wanted}`);
            if (!step.settled) break;
            it.settle(name, found.length);
            model.settled[name] += found.length;
            break;
          }
          case 'crash':
            model.crash();
            it = await life();
        }
        for (const name of ['all', 'some'] as const) {
          const { events = -1 } = it.readers.get(name) ?? {};
          if (events !== model.lists[name].length - model.settled[name]) throw new Error(`${name}: ${events} wait`);
        }
      }
      for (const name of ['all', 'some'] as const) {
        const found = taken(it.readers.get(name));
        if (!isDeepStrictEqual(found, model.lists[name].slice(model.settled[name])))
          throw new Error(`at last: ${found}`);
        it.settle(name, found.length);
      }
      it.commit();
      it.commit();
      await turn();
      if (disk.blocks.size > 0) throw new Error(`left behind: ${[...disk.blocks.keys()]}`);
    }),
    { numRuns: 500 },
  );
  t.pass('always');
});

t.test('with limits, each event is settled or counted as dropped, and never both', async (t) => {
  const readers = [{ name: 'all', limit: 1_500 }, { name: 'some', sources: ['a'], limit: 900 }, { name: 'far' }];
  const crashes = fc.array(
    step.filter((step) => step.do !== 'aside' && step.do !== 'publish' && step.do !== 'drop'),
    { maxLength: 80 },
  );
  await fc.assert(
    fc.asyncProperty(crashes, async (steps) => {
      const disk = new Disk();
      let it = await queueRig(disk, { readers });
      it.commit();
      const committed = { all: 0, some: 0, far: 0 };
      let pending: ('a' | 'b')[] = [];
      /** Takes that are under way, by reader. */
      let held: Record<string, number> = {};
      const die = async () => {
        it = await queueRig(disk, { readers });
        pending = [];
        held = {};
      };
      for (const step of steps) {
        if (step.do === 'add') {
          for (let i = 0; i < step.count; i++) it.live.get(step.source)?.add(event('x'));
          pending.push(...Array.from({ length: step.count }, () => step.source));
        } else if (step.do === 'commit') {
          it.commit(step.how);
          if (step.how === 'fails') continue;
          for (const source of pending.splice(0)) {
            committed.all += 1;
            committed.far += 1;
            if (source === 'a') committed.some += 1;
          }
          if (step.how === 'dies') await die();
        } else if (step.do === 'deliver') {
          // A delivery that takes its time: settled by the next one of this reader.
          const under = held[step.reader];
          if (under !== undefined) it.settle(step.reader, under);
          delete held[step.reader];
          if (step.settled) held[step.reader] = taken(it.readers.get(step.reader), step.most).length;
        } else await die();
      }
      it.commit('dies');
      for (const source of pending) {
        committed.all += 1;
        committed.far += 1;
        if (source === 'a') committed.some += 1;
      }
      await die();
      for (const name of ['all', 'some', 'far'] as const) {
        const left = taken(it.readers.get(name)).length;
        if (left !== it.readers.get(name)?.events)
          throw new Error(`${name}: ${left} of ${it.readers.get(name)?.events}`);
        const done = it.counts.settled.get(name) ?? 0;
        const dropped = it.counts.dropped.get(name) ?? 0;
        if (left + done + dropped !== committed[name])
          throw new Error(`${name}: ${left} left, ${done} settled, ${dropped} dropped of ${committed[name]}`);
      }
    }),
    { numRuns: 500 },
  );
  t.pass('always');
});
