import fc from 'fast-check';
import { pino } from 'pino';
import t from 'tap';
import { CtsReader } from '../../../src/sources/cts/read.ts';
import { SeenTraces } from '../../../src/sources/cts/seen.ts';
import {
  HOUR,
  MINUTE,
  NOTHING,
  readOn,
  type Saved,
  SETTINGS,
  Service,
  START,
  traceOf,
} from '../../support/fake-cts-reader.ts';

t.test('each trace counts once: late ones, outages, kills between any two batches', async () => {
  const traces = fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 40 * MINUTE }),
      late: fc.integer({ min: 0, max: MINUTE }),
      skew: fc.integer({ min: -2_000, max: 2_000 }),
    }),
    { maxLength: 60 },
  );
  const steps = fc.array(fc.oneof(fc.constant(60), fc.integer({ min: 1, max: 200 }), fc.constant(3 * 3_600)), {
    minLength: 5,
    maxLength: 20,
  });
  const fates = fc.infiniteStream(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('go on' as const) },
      fc.constant('save' as const),
      fc.constant('kill' as const),
    ),
  );
  await fc.assert(
    fc.asyncProperty(traces, steps, fates, async (made, steps, fates) => {
      const service = new Service();
      service.traces.push(...made.map(({ at, late, skew }, index) => traceOf(index, START + 100 + at, { late, skew })));
      // After all of them, some quiet minutes.
      service.steps = [0, ...steps, 3_600, 61, 61, 61];
      let saved: Saved = { ...NOTHING, position: { cursor: START, floor: START, passed: [] } };
      for (let end = false; !end; ) {
        ({ saved, end } = await readOn({ service, from: saved, after: () => fates.next().value }));
      }
      for (const { trace_id } of service.traces) {
        const count = saved.counts.get(trace_id);
        if (count !== 1) throw new Error(`${trace_id} counted ${count} times`);
      }
      if (saved.gap !== 0) throw new Error(`a gap of ${saved.gap} s`);
    }),
    { numRuns: 150 },
  );
});

t.test('a first start begins as much before now as is wanted, by the clock of the service', async (t) => {
  const service = new Service();
  service.traces.push(traceOf(1, START - 10, {}), traceOf(2, START + 30_000, {}));
  service.steps = [0, 60, 60];
  const { saved } = await readOn({ service, from: NOTHING });
  t.same([...saved.counts.keys()], ['id-2'], 'what was before is left out');
  const [first] = service.asked;
  t.equal((first?.from ?? 0) + 1, saved.position?.floor);
});

t.test('an outage longer than the service keeps traces is told, and read as far as it can be', async (t) => {
  const service = new Service();
  service.steps = [0, 60, 10 * 24 * 3_600, 60, 60];
  const now = START + 10 * 24 * HOUR;
  service.traces.push(traceOf(1, now - 8 * 24 * HOUR, {}), traceOf(2, now - 6 * 24 * HOUR, {}), traceOf(3, now, {}));
  const { saved } = await readOn({ service, from: NOTHING });
  t.same([...saved.counts.keys()].sort(), ['id-2', 'id-3']);
  t.ok(Math.abs(saved.gap - 3 * 24 * 3_600) < 120, `${saved.gap} s are told`);
  const oldest = Math.min(...service.asked.slice(6).map(({ from }) => from));
  t.ok(oldest >= now - SETTINGS.retentionMs - MINUTE, 'nothing older is asked for');
});

t.test('a second that cannot be decoded costs nothing but itself, and is told once', async (t) => {
  const service = new Service();
  service.steps = [0, 60, 60, 60, 60];
  service.traces.push({ ...traceOf(1, START + 30_000, {}), trace_name: 'poison' });
  for (let i = 2; i < 40; i++) service.traces.push(traceOf(i, START + i * 1_300, {}));
  const { saved } = await readOn({ service, from: NOTHING });
  const wanted = service.traces.filter(({ record_time }) => Math.abs(record_time - START - 30_000) > 1_000);
  for (const { trace_id } of wanted) t.equal(saved.counts.get(trace_id), 1, trace_id);
  t.ok(saved.gap > 0 && saved.gap <= 1, `${saved.gap} s are told`);
  t.ok(service.asked.length < 400, `${service.asked.length} requests`);
});

t.test('a clock of the service that is set back leaves nothing out', async (t) => {
  const service = new Service();
  service.steps = [0, 60, 60, 60];
  let polls = 0;
  service.onPoll = () => {
    polls += 1;
    // While the third poll is under way it turns out that the clock was an hour ahead.
    if (polls === 3) service.clock -= HOUR;
  };
  service.traces.push(traceOf(1, START - HOUR + 150_000, {}));
  const from: Saved = { ...NOTHING, position: { cursor: START, floor: START - 2 * HOUR, passed: [] } };
  const { saved } = await readOn({ service, from });
  t.equal(saved.position && saved.position.cursor <= service.clock, true);
});

t.test('one pass reads a stretch of the past hour by hour', async (t) => {
  const service = new Service();
  service.clock = START + 5 * HOUR;
  for (let i = 0; i < 50; i++) service.traces.push(traceOf(i, START + i * 6 * MINUTE, {}));
  const counted = async (since: number | null, until: number | null) => {
    const reader = new CtsReader({
      client: service,
      settings: SETTINGS,
      seen: new SeenTraces(),
      onGap: () => {},
      onPoll: () => {},
      onError: () => {},
      log: pino({ level: 'silent' }),
      signal: new AbortController().signal,
    });
    const ids = new Set<string>();
    for await (const { items } of reader.pass({ since, until })) {
      for (const { found } of items) ids.add((found as { id: string }).id);
    }
    return ids.size;
  };
  t.equal(await counted(null, null), 50, 'all that is kept');
  t.equal(await counted(START + HOUR, START + 2 * HOUR), 10, 'since up to, but not including, until');
  t.equal(await counted(START + 5 * HOUR, null), 0);
});
