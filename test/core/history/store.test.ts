import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type Combine, StepStore } from '../../../src/core/history/store.ts';
import { folder } from '../../support/cli.ts';
import { fill, smallDisk } from '../../support/disk.ts';

/** Numbers of a row, by series; 2 of them keep the greatest and all others the sum. */
const WIDTHS = [1, 3, 1, 18, 1];
const isGreatest = (series: number) => series % 2 === 1;

const combine =
  (series: number): Combine =>
  (into, more, at) => {
    more.forEach((value, i) => {
      into[at + i] = isGreatest(series) ? Math.max(into[at + i]!, value) : into[at + i]! + value;
    });
  };

const stepNumbers = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 29_000_000, max: 29_000_100 }),
  fc.integer({ min: 0, max: 2 ** 45 }),
);
const added = fc.record({
  series: fc.nat(WIDTHS.length - 1),
  step: stepNumbers,
  value: fc.integer({ min: -9, max: 9 }),
});

t.test('it gives what a map would, wherever that lies', async (t) => {
  const place = folder(t);
  const property = fc.property(
    fc.array(fc.oneof({ weight: 12, arbitrary: added }, { weight: 1, arbitrary: fc.constant('relieve' as const) }), {
      maxLength: 400,
    }),
    fc.constantFrom(1, 2_000, 1_000_000),
    (actions, memory) => {
      const store = new StepStore({ combine, folder: place, memory });
      const model = WIDTHS.map(() => new Map<number, number[]>());
      for (const action of actions) {
        if (action === 'relieve') {
          store.relieve();
          continue;
        }
        const { series, step, value } = action;
        const values = Float64Array.from({ length: WIDTHS[series]! }, (_, index) => value + index / 2);
        store.add(series, { step, values });
        const known = model[series]!.get(step);
        const both = (before: number, i: number) =>
          isGreatest(series) ? Math.max(before, values[i]!) : before + values[i]!;
        model[series]!.set(step, known ? known.map(both) : [...values]);
        values.fill(Number.NaN);
      }
      for (let series = 0; series < WIDTHS.length; series++) {
        const wanted = [...model[series]!].sort(([one], [other]) => one - other);
        // Twice: to look at it changes nothing.
        for (let times = 0; times < 2; times++) {
          const found = [...store.steps(series)].map(({ step, values }) => [step, [...values]]);
          if (JSON.stringify(found) !== JSON.stringify(wanted)) {
            throw new Error(`series ${series}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
          }
        }
      }
      store.close();
    },
  );
  fc.assert(property, { numRuns: 300 });
  t.same(readdirSync(place), [], 'nothing is left');
});

t.test('many runs that follow each other, and rows of more than one piece', async (t) => {
  const store = new StepStore({ combine: () => combine(0), folder: folder(t), memory: 50_000 });
  const count = 30_000;
  for (let step = 0; step < count; step++) {
    store.add(7, { step, values: Float64Array.of(step, 1) });
    // Late ones reach back into what is on disk.
    if (step % 10 === 0) store.add(7, { step: Math.floor(step / 2), values: Float64Array.of(0, 1) });
    store.relieve();
  }
  let next = 0;
  let sum = 0;
  for (const { step, values } of store.steps(7)) {
    if (step !== next++ || values[0] !== step) t.fail(`step ${step} holds ${values[0]}`);
    sum += values[1]!;
  }
  t.equal(next, count);
  t.equal(sum, count + count / 10);
  t.same([...store.steps(8)], []);
  store.close();
});

t.test('a temporary folder that is full or missing', async (t) => {
  const add = (place: string, rounds: number) => {
    const store = new StepStore({ combine, folder: place, memory: 1 });
    try {
      for (let round = 0; round < rounds; round++) {
        for (let step = 0; step < 10_000; step++) store.add(0, { step, values: Float64Array.of(1) });
        store.relieve();
      }
    } finally {
      store.close();
    }
  };
  const none = join(folder(t), 'none');
  t.throws(() => add(none, 1), {
    message: `temporary folder ${none}: it cannot be made there (ENOENT), wanted another place`,
  });
  const disk = smallDisk(t);
  if (disk === null) return;
  const filler = fill(disk, 64 * 1024);
  t.throws(() => add(disk, 100), { message: `temporary folder ${disk}: no space left on the disk` });
  filler.remove();
  t.same(readdirSync(disk), []);
});
