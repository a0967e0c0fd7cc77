import fc from 'fast-check';
import t from 'tap';
import { Column } from '../../../src/core/metrics/column.ts';
import type { ExpositionFormat } from '../../../src/core/metrics/negotiate.ts';
import { CHUNK_ROWS } from '../../../src/core/metrics/pages.ts';
import { Returns } from '../../../src/core/metrics/returns.ts';
import { type End, Onlooker, Watched } from '../../support/onlookers.ts';
import { seeded } from '../../support/random.ts';

const FORMATS: readonly ExpositionFormat[] = ['text', 'openmetrics', 'protobuf'];
const IDLE_MS = 2_000;
const X = 'hits_total{who="x"}';

/** A program with a counter and a histogram that these scrapers have seen, and that are idle. */
async function idle(format: ExpositionFormat, ...scrapers: readonly string[]): Promise<Watched> {
  const watched = new Watched(IDLE_MS);
  watched.hit('x', 3);
  for (const value of [0.3, 1, 7]) watched.observe('x', value);
  for (const ms of [0, 1, 2]) {
    watched.now += ms;
    for (const id of scrapers) await watched.scrape(id, format);
  }
  watched.now += IDLE_MS + 1;
  for (const id of scrapers) {
    const { size } = await watched.scrape(id, format);
    if (size > 0) throw new Error(`${size} are not left out`);
  }
  return watched;
}

for (const format of FORMATS) {
  t.test(`what returns is shown as it was before, once, in ${format}`, async (t) => {
    const watched = await idle(format, 'a');
    watched.hit('x', 2);
    watched.observe('x', 1);
    watched.hit('x');
    const buckets = (...counts: readonly number[]) =>
      format === 'protobuf'
        ? []
        : ['0.5', format === 'text' ? '2' : '2.0', '+Inf'].map((le, index) => [
            `took_seconds_bucket{who="x",le="${le}"}`,
            counts[index],
          ]);
    const before = [
      [X, 3],
      ...buckets(1, 2, 3),
      ['took_seconds_sum{who="x"}', 8.3],
      ['took_seconds_count{who="x"}', 3],
    ];
    const after = [[X, 6], ...buckets(1, 3, 4), ['took_seconds_sum{who="x"}', 9.3], ['took_seconds_count{who="x"}', 4]];
    const shown = async (end: End = 'arrives') => Object.fromEntries(await watched.scrape('a', format, end));
    t.same(await shown('fails'), Object.fromEntries(before));
    watched.now += 1;
    watched.hit('x', 0);
    t.same(await shown(), Object.fromEntries(before), 'the answer before did not arrive');
    t.same(await shown('fails'), Object.fromEntries(after));
    t.same(await shown(), Object.fromEntries(after));
    t.same(Object.fromEntries(await watched.scrape('new', format)), Object.fromEntries(after), 'it has missed nothing');
  });
}

t.test(
  'one that comes seldom sees what a series was when it was last shown to it, however often it returned',
  async (t) => {
    const watched = await idle('text', 'often', 'seldom');
    for (const value of [3, 4, 5, 6]) {
      watched.hit('x');
      t.equal((await watched.scrape('often', 'text')).get(X), value);
      watched.now += 1;
      t.equal((await watched.scrape('often', 'text')).get(X), value + 1);
      for (const ms of [1, 1, IDLE_MS]) {
        watched.now += ms;
        await watched.scrape('often', 'text');
      }
      t.notOk((await watched.scrape('often', 'text')).has(X));
      watched.save();
      watched.start();
    }
    watched.hit('x', 10);
    t.ok(watched.kept > 0);
    const [often, seldom] = [await watched.scrape('often', 'text'), await watched.scrape('seldom', 'text')];
    t.equal(often.get(X), 7);
    t.equal(seldom.get(X), 3);
    t.equal((await watched.scrape('often', 'text')).get(X), 17);
    t.equal((await watched.scrape('seldom', 'text')).get(X), 17);
    t.equal(watched.kept, 0, 'nobody needs it any more');
  },
);

t.test('a restart forgets neither what returned nor what may', async (t) => {
  const watched = await idle('protobuf', 'a', 'b');
  watched.hit('x');
  watched.observe('x', 1);
  watched.save();
  watched.start();
  watched.hit('x');
  const count = 'took_seconds_count{who="x"}';
  for (const id of ['a', 'b']) {
    const [before, after] = [await watched.scrape(id, 'protobuf'), await watched.scrape(id, 'protobuf')];
    t.same([before.get(X), before.get(count)], [3, 3]);
    t.same([after.get(X), after.get(count)], [5, 4]);
  }
  watched.now += 2 * IDLE_MS;
  for (let round = 0; round < 3; round++) for (const id of ['a', 'b']) await watched.scrape(id, 'protobuf');
  watched.save();
  watched.start();
  t.equal(watched.kept, 0);
  watched.hit('x');
  t.equal((await watched.scrape('a', 'protobuf')).get(X), 5, 'it is not known whether it had been left out');
});

t.test('nothing is kept where nothing is left out, or nobody comes', async (t) => {
  const open = new Watched(0);
  open.hit('x');
  await open.scrape('a', 'text');
  open.start();
  open.now += 99_999;
  open.hit('x');
  t.equal(open.kept, 0);
  t.equal((await open.scrape('a', 'text')).get(X), 2);
  const alone = new Watched(IDLE_MS);
  alone.hit('x');
  alone.save();
  alone.start();
  alone.hit('x');
  t.equal(alone.kept, 0);
});

t.test('a clock that is set back makes no counter fall', async (t) => {
  const watched = await idle('text', 'a');
  const onlooker = new Onlooker();
  for (const ms of [0, -5_000, 1, 1, 1, IDLE_MS, 1, 1, -1, 1, 1]) {
    watched.now += ms;
    watched.hit('x');
    onlooker.see(await watched.scrape('a', 'text'));
  }
  onlooker.see(await watched.scrape('a', 'text'));
  t.equal(onlooker.grew.get(X), 11);
});

t.test('a row keeps one value for each who needs one, and another series in it has none', (t) => {
  let births = 1;
  const audience = { known: [1, 1, 4, 9], returning: () => births };
  const returns = new Returns(audience, 1);
  const totals = new Column(1);
  for (; births < 12; births++) {
    totals.values[7] = births;
    returns.note(7, totals);
  }
  const found = [1, 2, 4, 5, 9, 10, 12].map((known) => returns.find(7, known)?.values[0]);
  t.same(found, [1, 4, 4, 9, 9, undefined, undefined]);
  returns.note(8, totals);
  returns.prune(9);
  t.ok(returns.find(7, 0));
  returns.prune(13);
  t.notOk(returns.find(7, 0));
  t.notOk(returns.find(8, 0));
  t.end();
});

const scrapers = ['a', 'b'] as const;
const ends = fc.constantFrom<End>('arrives', 'arrives', 'arrives', 'fails', 'kill');
const steps = fc.oneof(
  fc.record({
    do: fc.constant('hit' as const),
    who: fc.constantFrom('x', 'y', 'z'),
    by: fc.integer({ min: 0, max: 9 }),
  }),
  fc.record({
    do: fc.constant('observe' as const),
    who: fc.constantFrom('x', 'y'),
    value: fc.constantFrom(0, 0.25, 1, 64),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 700, IDLE_MS + 1) }),
  fc.record({ do: fc.constant('scrape' as const), id: fc.constantFrom(...scrapers), end: ends, isSeen: fc.boolean() }),
  fc.record({ do: fc.constant('save' as const) }),
  fc.record({ do: fc.constant('kill' as const) }),
);
const formats = fc.constantFrom(...FORMATS);

t.test('who takes a gap for the end of a series sees all that it grew by, and no series fall', async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(formats, formats), fc.array(steps, { maxLength: 100 }), async (formats, steps) => {
      const watched = new Watched(IDLE_MS);
      const onlookers = new Map(scrapers.map((id) => [id, new Onlooker()]));
      const scrape = async (id: (typeof scrapers)[number], end: End = 'arrives', isSeen = true) => {
        const samples = await watched.scrape(id, formats[scrapers.indexOf(id)]!, end);
        if (end === 'arrives' || (end === 'kill' && isSeen)) onlookers.get(id)!.see(samples);
      };
      const truth = new Map<string, number>();
      const add = (series: string, by: number) => truth.set(series, (truth.get(series) ?? 0) + by);
      for (const id of scrapers) await scrape(id);
      for (const step of steps) {
        if (step.do === 'wait') watched.now += step.ms;
        else if (step.do === 'scrape') await scrape(step.id, step.end, step.isSeen);
        else if (step.do === 'save') watched.save();
        else if (step.do === 'kill') watched.start();
        else if (step.do === 'hit') {
          watched.hit(step.who, step.by);
          add(`hits_total{who="${step.who}"}`, step.by);
        } else {
          watched.observe(step.who, step.value);
          add(`took_seconds_sum{who="${step.who}"}`, step.value);
          add(`took_seconds_count{who="${step.who}"}`, 1);
        }
      }
      for (let round = 0; round < 2; round++) for (const id of scrapers) await scrape(id);
      for (const { grew } of onlookers.values()) {
        for (const [series, by] of truth) {
          if (grew.get(series) !== by)
            throw new Error(`${series} grew by ${by}, and was seen to by ${grew.get(series)}`);
        }
      }
    }),
    { numRuns: 500 },
  );
});

for (const format of ['text', 'protobuf'] as const) {
  t.test(`so it is where series come and go while they are shown, in ${format}`, async (t) => {
    const watched = new Watched(IDLE_MS);
    const random = seeded(7);
    // So long that few of them are shown without a pause.
    const names = Array.from({ length: 5 * CHUNK_ROWS }, (_, index) => `${index} ${'x'.repeat(500)}`);
    const truth = new Map<string, number>();
    let [turns, isOver] = [0, false];
    const hit = (from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        const who = names[i % names.length]!;
        watched.hit(who);
        truth.set(who, (truth.get(who) ?? 0) + 1);
      }
    };
    const go = () => {
      if (isOver) return;
      hit(random.within(0, names.length - 1), 500);
      watched.now += 1;
      turns += 1;
      if (random.chance(0.3)) watched.registry.settle();
      setImmediate(go);
    };
    const onlookers = { a: new Onlooker(), b: new Onlooker() };
    const scrape = async (id: 'a' | 'b', end: End = 'arrives') => {
      const samples = await watched.scrape(id, format, end);
      if (end === 'arrives') onlookers[id].see(samples);
    };
    for (const id of ['a', 'b'] as const) await scrape(id);
    go();
    for (let round = 0; round < 18; round++) {
      // Most are shown, and some are idle for a while.
      hit(round * 1_500, 5_000);
      watched.now += IDLE_MS / 3;
      const both = [scrape('a', random.chance(0.9) ? 'arrives' : 'fails')];
      if (round % 5 === 0) both.push(scrape('b', random.chance(0.8) ? 'arrives' : 'fails'));
      await Promise.all(both);
    }
    isOver = true;
    await new Promise(setImmediate);
    for (const id of ['a', 'b', 'a', 'b'] as const) await scrape(id);
    t.ok(turns > 40, `${turns} turns`);
    for (const { grew } of Object.values(onlookers)) {
      const wrong = [...truth].filter(([who, by]) => grew.get(`hits_total{who="${who}"}`) !== by);
      t.same(wrong.slice(0, 3), [], `${wrong.length} of ${truth.size}`);
    }
    t.equal(watched.kept, 0);
  });
}
