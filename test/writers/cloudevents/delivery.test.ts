import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { deadLetters } from '../../../src/core/dead-letters.ts';
import { type Delivery, openDelivery } from '../../../src/core/delivery.ts';
import type { Event } from '../../../src/core/event.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { Queue } from '../../../src/core/queue.ts';
import type { Spool } from '../../../src/core/spool.ts';
import { cloudevents } from '../../../src/writers/cloudevents/index.ts';
import { folder } from '../../support/cli.ts';
import { ctsEvents } from '../../support/cts-events.ts';
import { show } from '../../support/exposition.ts';
import { fakeSink } from '../../support/fake-sink.ts';
import { Disk } from '../../support/queue-rig.ts';
import { eventually } from '../../support/trailgauge.ts';
import { configOf } from '../../support/writers.ts';

t.jobs = 4;

interface Life {
  readonly delivery: Delivery;
  put(events: readonly Event[]): void;
  commit(): void;
  metrics(): Promise<Readonly<Record<string, number>>>;
}

/** The writer in its loop, with a queue on this disk. */
async function live(t: Test, url: string, disk: Disk): Promise<Life> {
  const queue = new Queue(disk);
  queue.restore(disk.cells.load());
  const registry = new Registry({ seriesLimit: 100 });
  const delivery = openDelivery({
    name: 'cloudevents',
    spec: cloudevents,
    config: configOf(cloudevents, { url, drain: '100ms' }),
    queue,
    registry,
    deadLetters: deadLetters(folder(t), 'cloudevents'),
    log: pino({ level: 'silent' }),
    env: {},
    now: Date.now,
  });
  await queue.begin();
  const spool = queue.live('cts') as Spool;
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
    commit,
    put: (events) => {
      for (const event of events) spool.add(event);
      commit();
    },
    metrics: async () => {
      delivery.show();
      return show(registry);
    },
  };
}

const WRITER = 'writer="cloudevents"';

t.test('a sink that is away for a while gets all of it, each once', { buffered: true }, async (t) => {
  let turn = 0;
  const sink = await fakeSink(t, { say: () => (turn++ < 12 ? 503 : 202) });
  const { delivery, put, metrics } = await live(t, sink.url, new Disk());
  put(ctsEvents());
  await eventually('the delivery', () => delivery.status().events === ctsEvents().length);
  t.same([...sink.accepted.values()], new Array(ctsEvents().length).fill(1));
  const shown = await metrics();
  t.equal(shown[`trailgauge_writer_events_total{${WRITER}}`], ctsEvents().length);
  t.equal(shown[`trailgauge_writer_dropped_total{${WRITER},reason="rejected"}`], 0);
  t.ok((shown[`trailgauge_writer_errors_total{${WRITER}}`] ?? 0) >= 3);
});

t.test(
  'one that the sink refuses is put aside and counted, once the sink takes another',
  { buffered: true },
  async (t) => {
    const [first, ...others] = ctsEvents();
    const sink = await fakeSink(t, { say: ({ event }) => (event?.attributes.id === first?.id ? 400 : 202) });
    const { delivery, put, metrics } = await live(t, sink.url, new Disk());
    put([first!]);
    await eventually('the doubt', () => /^one event is refused/.test(delivery.status().problem ?? ''));
    t.equal(delivery.status().dropped, 0);
    put(others);
    await eventually('the delivery', () => delivery.status().events === others.length);
    t.match(delivery.status(), { dropped: 1, problem: null, queue: { events: 0 } });
    const shown = await metrics();
    t.equal(shown[`trailgauge_writer_dropped_total{${WRITER},reason="rejected"}`], 1);
    const letters = readFileSync(delivery.status().deadLetters ?? '', 'utf8')
      .trimEnd()
      .split('\n');
    t.match(
      letters.map((line) => JSON.parse(line)),
      [{ reason: 'rejected', text: /^HTTP 400/, event: { id: first?.id } }],
    );
  },
);

t.test('after a kill the same bytes come again', { buffered: true }, async (t) => {
  const sink = await fakeSink(t);
  const disk = new Disk();
  const before = await live(t, sink.url, disk);
  before.put(ctsEvents());
  await eventually('the delivery', () => before.delivery.status().events === ctsEvents().length);
  // Nothing of that was committed.
  const after = await live(t, sink.url, disk);
  await after.delivery.finish();
  after.commit();
  t.same([...sink.accepted.values()], new Array(ctsEvents().length).fill(2));
  t.equal(new Set(sink.requests.map(({ bytes }) => bytes)).size, ctsEvents().length);
  const last = await live(t, sink.url, disk);
  t.equal(last.delivery.status().queue.events, 0);
});

t.test('an address that takes nothing loses nothing', { buffered: true }, async (t) => {
  for (const status of [400, 413, 301, 401]) {
    const sink = await fakeSink(t, { say: () => status });
    const { delivery, put, metrics } = await live(t, sink.url, new Disk());
    put(ctsEvents());
    await eventually('the problem', () => delivery.status().problem);
    t.match(delivery.status().problem, new RegExp(`HTTP ${status}`));
    t.match(delivery.status(), { events: 0, dropped: 0, queue: { events: ctsEvents().length } });
    t.equal((await metrics())[`trailgauge_writer_up{${WRITER}}`], 0);
    t.ok(sink.requests.length <= 24, `${status}: ${sink.requests.length} requests`);
  }
});
