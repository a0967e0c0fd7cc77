import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { deadLetters } from '../../src/core/dead-letters.ts';
import { type Delivery, openDelivery } from '../../src/core/delivery.ts';
import type { Event } from '../../src/core/event.ts';
import { Registry } from '../../src/core/metrics/registry.ts';
import { Queue } from '../../src/core/queue.ts';
import type { Spool } from '../../src/core/spool.ts';
import {
  type AnyWriter,
  defineWriter,
  type OpenedWriter,
  type WriterConfig,
  type Written,
} from '../../src/core/writer.ts';
import { folder } from '../support/cli.ts';
import { show } from '../support/exposition.ts';
import { Disk, event } from '../support/queue-rig.ts';
import { eventually } from '../support/trailgauge.ts';

// Most of it is waiting.
t.jobs = 8;

const DONE: Written = { kind: 'done', dead: [] };

interface Rig {
  readonly delivery: Delivery;
  readonly registry: Registry;
  readonly logged: readonly { msg: string; events?: number; problem?: string }[];
  /** Puts events into the queue and commits. */
  put(...ids: readonly string[]): void;
  commit(): void;
  /** Values of the writer's metrics, without the name of the program and the label. */
  metrics(): Promise<Record<string, number>>;
}

interface RigOptions extends Partial<WriterConfig> {
  readonly disk?: Disk;
  readonly directory?: string;
  readonly close?: () => Promise<void>;
  readonly problem?: string;
  readonly spec?: Pick<AnyWriter, 'atOnce' | 'pace'>;
}

/** A delivery that runs. */
async function start(t: Test, write: OpenedWriter['write'], options: RigOptions = {}): Promise<Rig> {
  const { disk = new Disk(), directory = folder(t), close = async () => {}, problem, spec = {}, ...config } = options;
  const queue = new Queue(disk);
  queue.restore(disk.cells.load());
  const registry = new Registry({ seriesLimit: 100 });
  const logged: { msg: string }[] = [];
  const delivery = openDelivery({
    name: 'fake/edge',
    spec: defineWriter<WriterConfig>({
      type: 'fake',
      summary: '',
      repeats: '',
      ...spec,
      config: z.any(),
      open: () => ({ write, close, ...(problem !== undefined && { problem }) }),
      check: async function* () {},
    }),
    config: { sources: [], queue: '1GiB', batch: 1_000, timeout: '30s', drain: '5s', ...config },
    queue,
    registry,
    deadLetters: deadLetters(directory, 'fake/edge'),
    log: pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) }),
    env: {},
    now: Date.now,
  });
  await queue.begin();
  const spool = queue.live('a') as Spool;
  delivery.start();
  t.teardown(() => delivery.close());
  const commit = () => {
    const { cells, blocks } = queue.take();
    disk.cells.save(cells);
    for (const { id, bytes } of blocks) disk.blocks.set(id, bytes);
    queue.committed();
  };
  return {
    delivery,
    registry,
    logged,
    commit,
    put: (...ids) => {
      for (const id of ids) spool.add(event(id));
      commit();
    },
    metrics: async () => {
      delivery.show();
      const shown = Object.entries(await show(registry));
      return Object.fromEntries(
        shown.map(([name, value]) => [name.replace('trailgauge_writer_', '').replace(/writer="edge",?/, ''), value]),
      );
    },
  };
}

/** Ids of what each call of a writer was given; it answers with what is next in the list, and then with `done`. */
function answers(...list: readonly (Written | Error)[]) {
  const calls: (readonly string[])[] = [];
  const write = async (events: readonly Event[]): Promise<Written> => {
    const answer = list[calls.length] ?? DONE;
    calls.push(events.map(({ id }) => id));
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { calls, write };
}

function later(more: Partial<Extract<Written, { kind: 'later' }>> = {}): Written {
  return { kind: 'later', settled: [], dead: [], waitMs: 0, hold: false, text: '503', ...more };
}

function ids(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

t.test('what waits is delivered in its order, and counted', { buffered: true }, async (t) => {
  const { calls, write } = answers();
  const { delivery, put, metrics } = await start(t, write);
  t.match(await metrics(), {
    'up{}': 1,
    'events_total{}': 0,
    'errors_total{}': 0,
    'dropped_total{reason="rejected"}': 0,
    'dropped_total{reason="too_large"}': 0,
    'dropped_total{reason="queue_full"}': 0,
    'queue_events{}': 0,
    'queue_bytes{}': 0,
  });
  t.match(delivery.status(), { name: 'fake/edge', type: 'fake', state: 'idle', problem: null, deadLetters: null });
  put('1', '2', '3');
  t.match(await metrics(), { 'queue_events{}': 3 });
  await eventually('the delivery', () => delivery.status().events === 3);
  t.same(calls, [['1', '2', '3']]);
  t.match(await metrics(), {
    'events_total{}': 3,
    'queue_events{}': 0,
    'queue_bytes{}': 0,
    'delivery_seconds_count{}': 1,
  });
  await eventually('idleness', () => delivery.status().state === 'idle');
  t.match(delivery.status(), { events: 3, dropped: 0, queue: { events: 0, limit: 1024 ** 3 }, lastError: null });
});

t.test('one that cannot write from the start is down, and what comes waits', { buffered: true }, async (t) => {
  const { calls, write } = answers();
  const disk = new Disk();
  const { delivery, put, metrics, logged, commit } = await start(t, write, { disk, problem: 'found no url' });
  t.match(delivery.status(), { state: 'waiting', problem: 'found no url', events: 0 });
  t.match(logged, [{ msg: 'writer cannot deliver', problem: 'found no url' }]);
  put('1', '2');
  t.match(await metrics(), { 'up{}': 0, 'events_total{}': 0, 'queue_events{}': 2 });
  commit();
  await delivery.close();
  t.same(calls, []);
  const after = await start(t, write, { disk });
  await eventually('the delivery after the next start', () => after.delivery.status().events === 2);
  t.same(calls, [['1', '2']]);
});

t.test('batches are of the size that is configured, and none waits once it is full', { buffered: true }, async (t) => {
  const { calls, write } = answers();
  const { delivery, put } = await start(t, write, { batch: 100 });
  const began = performance.now();
  put(...ids(1_000));
  await eventually('the delivery', () => delivery.status().events === 1_000);
  t.same(
    calls.map(({ length }) => length),
    Array.from({ length: 10 }, () => 100),
  );
  t.same(calls.flat(), ids(1_000));
  t.ok(performance.now() - began < 10_000, 'ten seconds, if each of them waited for more');
});

t.test(
  'the first event waits for others a second at most, however many come after it',
  { buffered: true },
  async (t) => {
    const { calls, write } = answers();
    const { put } = await start(t, write);
    let count = 0;
    await eventually('the first batch, while events trickle in', async () => {
      await sleep(50);
      put(String(count++));
      return calls.length > 0;
    });
    t.ok(count > 2, 'some came while the first one waited');
    t.same(calls[0]?.[0], '0');
  },
);

t.test('what arrived is not sent again when the rest has to wait', { buffered: true }, async (t) => {
  const { calls, write } = answers(
    later({ settled: [0, 2], text: '2 of 4 were busy' }),
    new Error('connection refused'),
    later({ settled: [1], dead: [{ index: 1, reason: 'rejected', text: 'bad' }] }),
  );
  const disk = new Disk();
  const { delivery, put, metrics, commit, logged } = await start(t, write, { disk });
  put('1', '2', '3', '4');
  await eventually('the first refusal', () => delivery.status().lastError);
  t.match(delivery.status(), { state: 'waiting', problem: '2 of 4 were busy', events: 0, queue: { events: 4 } });
  t.match(await metrics(), { 'up{}': 0, 'errors_total{}': 1, 'events_total{}': 0 });
  commit();

  await eventually('the delivery', () => delivery.status().events > 0);
  t.same(calls, [['1', '2', '3', '4'], ['2', '4'], ['2', '4'], ['2']]);
  t.match(delivery.status(), { problem: null, events: 3, dropped: 1, queue: { events: 0 } });
  t.match(await metrics(), {
    'up{}': 1,
    'errors_total{}': 3,
    'events_total{}': 3,
    'dropped_total{reason="rejected"}': 1,
  });
  t.match(
    logged.map(({ msg, problem }) => problem ?? msg),
    ['2 of 4 were busy', 'connection refused', 'events were refused for good', '503'],
  );

  // Nothing after that was committed: the next life has all of it before it.
  const again = answers();
  const next = await start(t, again.write, { disk });
  t.equal(next.delivery.status().queue.events, 4);
  await next.delivery.finish();
  t.same(again.calls, [['1', '2', '3', '4']]);
  next.commit();
  const last = await start(t, again.write, { disk });
  t.equal(last.delivery.status().queue.events, 0);
});

t.test('a writer that throws at once is one that throws', { buffered: true }, async (t) => {
  let calls = 0;
  const { delivery, put } = await start(t, () => {
    if (calls++ === 0) throw new Error('no such thing');
    return Promise.resolve(DONE);
  });
  put('1');
  await eventually('the failure', () => delivery.status().problem === 'no such thing');
  await eventually('the delivery', () => delivery.status().events === 1);
  t.match(delivery.status(), { problem: null, queue: { events: 0 } });
});

t.test('what is refused for good is kept for people, and counted by reason', { buffered: true }, async (t) => {
  const directory = folder(t);
  const { write } = answers({
    kind: 'done',
    dead: [
      { index: 1, reason: 'rejected', text: 'mapping' },
      { index: 3, reason: 'too_large', text: '2 MiB' },
    ],
    dropped: 2,
  });
  const { delivery, put, metrics } = await start(t, write, { directory });
  put(...ids(10));
  await eventually('the delivery', () => delivery.status().events === 6);
  t.match(await metrics(), {
    'events_total{}': 6,
    'errors_total{}': 0,
    'dropped_total{reason="rejected"}': 3,
    'dropped_total{reason="too_large"}': 1,
  });
  const path = join(directory, 'dead-letter', 'fake.edge.ndjson');
  t.match(delivery.status(), { dropped: 4, deadLetters: path });
  t.match(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { reason: 'rejected', text: 'mapping', event: { id: '1' } },
      { reason: 'too_large', text: '2 MiB', event: { id: '3' } },
    ],
  );
});

t.test('where refused events cannot be kept, that is said, and the others go on', { buffered: true }, async (t) => {
  const directory = folder(t);
  writeFileSync(join(directory, 'dead-letter'), 'a file');
  const { write } = answers({ kind: 'done', dead: [{ index: 0, reason: 'rejected', text: 'x' }] });
  const { delivery, put } = await start(t, write, { directory });
  put('1', '2');
  await eventually('the delivery', () => delivery.status().events === 1);
  t.match(delivery.status(), { dropped: 1, deadLetters: null });
  t.match(delivery.status().lastError?.text, /^cannot keep refused events: /);
});

t.test(
  'events that there is no room for are counted, while others are being delivered',
  { buffered: true },
  async (t) => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const seen: string[] = [];
    const { delivery, put, metrics } = await start(
      t,
      async (events) => {
        await gate;
        seen.push(...events.map(({ id }) => id));
        return DONE;
      },
      { queue: '3KiB', batch: 2 },
    );
    put('1', '2');
    await eventually('the first call', () => delivery.status().state === 'delivering');
    for (let i = 3; i < 40; i++) put(String(i));
    open();
    await delivery.finish();
    const dropped = (await metrics())['dropped_total{reason="queue_full"}'] ?? 0;
    t.ok(dropped > 20);
    t.equal(delivery.status().dropped, dropped);
    t.equal(seen.length + dropped, 39);
    t.same(seen.slice(0, 2), ['1', '2']);
    t.equal(seen.at(-1), '39');
  },
);

t.test('at the end, what waits is delivered without waiting for more', { buffered: true }, async (t) => {
  const { calls, write } = answers();
  let closed = 0;
  const { delivery, put } = await start(t, write, { close: async () => void closed++, batch: 2 });
  put('1', '2', '3', '4', '5');
  await delivery.close();
  t.same(calls, [['1', '2'], ['3', '4'], ['5']]);
  t.match(delivery.status(), { state: 'ended', problem: null, events: 5 });
  t.equal(closed, 1);
});

t.test('what is under way is given up when the time for the end is over', { buffered: true }, async (t) => {
  const disk = new Disk();
  const hang: OpenedWriter['write'] = async (_, signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new Error('aborted');
  };
  const { delivery, put, commit } = await start(t, hang, { disk, drain: '100ms' });
  put('1', '2');
  await delivery.close();
  commit();
  t.match(delivery.status(), { state: 'ended', events: 0, dropped: 0, queue: { events: 2 } });
  const { calls, write } = answers();
  const next = await start(t, write, { disk });
  await next.delivery.finish();
  t.same(calls, [['1', '2']]);
});

t.test('the wait after a failure is given up as well', { buffered: true }, async (t) => {
  const { write } = answers(later({ hold: true, text: 'unauthorized' }));
  const { delivery, put, metrics } = await start(t, write, { drain: '100ms' });
  put('1');
  await eventually('the failure', () => delivery.status().problem);
  await delivery.close();
  t.match(delivery.status(), { state: 'ended', problem: 'unauthorized', queue: { events: 1 } });
  t.match(await metrics(), { 'up{}': 0 }, 'it did not get well by that');
});

t.test('counts and position are of one moment, whenever it is committed', { buffered: true }, async (t) => {
  const { write } = answers(DONE, later({ settled: [0] }));
  const { delivery, put } = await start(t, write, { batch: 3 });
  let isSame = true;
  put(...ids(20));
  await eventually('the delivery', () => {
    const { events, dropped, queue } = delivery.status();
    isSame &&= events + dropped + queue.events === 20;
    return events === 20;
  });
  t.ok(isSame);
});

t.test('nothing refused: no file', { buffered: true }, async (t) => {
  const directory = folder(t);
  const { write } = answers();
  const { delivery, put } = await start(t, write, { directory });
  put('1');
  await delivery.finish();
  t.notOk(existsSync(join(directory, 'dead-letter')));
});

t.test('a writer may have a pace of its own', { buffered: true }, async (t) => {
  const held = later({ hold: true, text: 'unauthorized' });
  const { calls, write } = answers(held, held, held, later(), later());
  const pace = { firstMs: 1, maxMs: 2, holdMs: 3, maxHoldMs: 6 };
  const { delivery, put } = await start(t, write, { spec: { pace } });
  put('1');
  await eventually('the delivery', () => delivery.status().events === 1);
  t.equal(calls.length, 6);
});

t.test('no more are given at once than the writer takes', { buffered: true }, async (t) => {
  const { calls, write } = answers();
  const { delivery, put } = await start(t, write, { spec: { atOnce: 3 } });
  put(...ids(7));
  await eventually('the delivery', () => delivery.status().events === 7);
  t.same(
    calls.map(({ length }) => length),
    [3, 3, 1],
  );
});

t.test('events that came later are given with one that waits for them', { buffered: true }, async (t) => {
  const calls: (readonly string[])[] = [];
  const wait = later({ more: true, text: 'refused' });
  const pace = { firstMs: 20, maxMs: 20, holdMs: 20, maxHoldMs: 20 };
  // The first is refused for good once another one is stored.
  const write = async (events: readonly Event[]): Promise<Written> => {
    calls.push(events.map(({ id }) => id));
    return events.length < 3 ? wait : { kind: 'done', dead: [{ index: 0, reason: 'rejected', text: 'bad' }] };
  };
  const { delivery, put, metrics, commit } = await start(t, write, { batch: 3, spec: { pace } });
  put('1');
  await eventually('the refusal', () => delivery.status().problem === 'refused');
  t.match(delivery.status().queue, { events: 1 });
  put('2', '3', '4', '5');
  await eventually('the next batch', () => calls.some(([first]) => first === '4'));
  put('6');
  await eventually('the delivery', () => delivery.status().events === 4);
  commit();
  t.same(
    calls.filter(({ length }) => length === 3),
    [
      ['1', '2', '3'],
      ['4', '5', '6'],
    ],
    'no more than there is room for in a batch',
  );
  t.match(await metrics(), { 'events_total{}': 4, 'dropped_total{reason="rejected"}': 2, 'queue_events{}': 0 });
});
