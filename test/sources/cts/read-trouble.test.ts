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

const DAY = 24 * HOUR;
const BEGUN: Saved = { ...NOTHING, position: { cursor: START, floor: START, passed: [] } };

/** A trace each 20 s, for so many minutes. */
function busy(minutes: number): Service {
  const service = new Service();
  service.traces.push(...Array.from({ length: 3 * minutes }, (_, i) => traceOf(i, START + 100 + i * 20_000, {})));
  service.steps = [0, ...new Array(minutes + 7).fill(60)];
  return service;
}

function isExact(service: Service, { counts, gap }: Saved): void {
  for (const { trace_id } of service.traces) {
    const count = counts.get(trace_id);
    if (count !== 1) throw new Error(`${trace_id} counted ${count} times`);
  }
  if (gap !== 0) throw new Error(`a gap of ${gap} s`);
}

t.test('single answers that tell the time wrongly, by any amount, do no harm', async () => {
  const wrong = fc.oneof(fc.constantFrom(-DAY, DAY, -10 * DAY, 10 * DAY, HOUR), fc.integer({ min: -DAY, max: DAY }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), wrong), { maxLength: 6 }), async (wrongs) => {
      const service = busy(20);
      service.wrongBy = wrongs.flatMap(([right, ms]) => [...new Array<number>(right).fill(0), ms, 0]);
      isExact(service, (await readOn({ service, from: BEGUN })).saved);
    }),
    { numRuns: 40 },
  );
});

t.test('servers that take turns, and differ by some minutes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(0, -10 * MINUTE, 50 * MINUTE), { maxLength: 80 }), async (wrongBy) => {
      const service = busy(10);
      service.wrongBy = wrongBy;
      isExact(service, (await readOn({ service, from: BEGUN })).saved);
    }),
    { numRuns: 40 },
  );
});

t.test('a first start by a clock that was a day ahead goes on by the right one', async (t) => {
  const service = busy(20);
  service.told = DAY;
  const { saved } = await readOn({ service, from: NOTHING });
  t.ok((saved.position?.floor ?? 0) < START + 2 * MINUTE);
  t.ok(saved.counts.size > 55, `${saved.counts.size} traces`);
  t.ok([...saved.counts.values()].every((count) => count === 1));
});

t.test('a first start with all that is kept misses nothing', async (t) => {
  const service = busy(3);
  service.steps = [0, 1, 60, 60];
  const { saved, errors } = await readOn({ service, from: NOTHING, settings: { sinceMs: SETTINGS.retentionMs } });
  t.same([saved.gap, errors], [0, []]);
});

t.test('nothing before the floor is asked for, at the edge of a page neither', async (t) => {
  const service = new Service();
  service.limit = 2;
  for (let i = 0; i < 9; i++) service.traces.push(traceOf(i, START + 1_000 + i, { skew: -4_000 }));
  service.steps = [0, 60, 60];
  const { saved } = await readOn({ service, from: BEGUN });
  isExact(service, saved);
  t.ok(service.asked.every(({ from }) => from >= START - 1));
});

t.test('where no answer at all can be read, no window is passed', async (t) => {
  const service = busy(5);
  const polls: number[] = [];
  service.onPoll = () => {
    if (polls.push(service.asked.length) !== 3) return;
    service.isBroken = true;
    const { list } = service;
    let asked = 0;
    service.list = (query) => {
      if (++asked === 100) service.isBroken = false;
      return list.call(service, query);
    };
  };
  const { saved } = await readOn({ service, from: BEGUN });
  t.ok(service.asked.length > 100);
  isExact(service, saved);
});

t.test('a pass gives up where no answer at all can be read', async (t) => {
  const service = busy(5);
  service.clock += HOUR;
  service.isBroken = true;
  const reader = new CtsReader({
    client: service,
    settings: SETTINGS,
    seen: new SeenTraces(),
    onGap: () => t.fail('a gap'),
    onPoll: () => {},
    onError: () => {},
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  });
  const pass = async () => {
    for await (const { items } of reader.pass({ since: null, until: null })) t.same([...items], []);
  };
  await t.rejects(pass(), { message: 'no JSON' });
  t.equal(service.asked.length, 2);
});

t.test('a poll that left something out was not whole; the next one is', async (t) => {
  const service = busy(1);
  service.traces[1] = { ...service.traces[1]!, trace_name: 'poison' };
  const { problems, errors } = await readOn({ service, from: BEGUN });
  t.equal(errors.length, 1);
  t.match(
    problems.find((text) => text !== null),
    /^traces about 2026-01-01T12:00:\d\d\.\d{3}Z cannot be read$/,
  );
  t.equal(problems.filter((text) => text !== null).length, 1);
});

t.test('how soon traces can be seen is told by polls that come on time, and by answers that do', async (t) => {
  const service = new Service();
  service.steps = [0, ...new Array(9).fill(60)];
  service.traces.push(...[1, 2, 4, 6].map((minute) => traceOf(minute, START + minute * MINUTE + 1_000, {})));
  const { now } = performance;
  t.teardown(() => {
    performance.now = now;
  });
  let lateMs = 0;
  performance.now = () => now.call(performance) + lateMs;
  const { list } = service;
  service.list = async (query) => {
    const page = await list.call(service, query);
    // This answer was waited for.
    if ('items' in page && page.items.some((item) => (item as { trace_id: string }).trace_id === 'id-4')) {
      lateMs ||= 11_000;
    }
    return page;
  };
  const { visible, saved } = await readOn({ service, from: { ...BEGUN } });
  isExact(service, saved);
  t.same(visible, ['id-1', 'id-2', 'id-6']);
});
