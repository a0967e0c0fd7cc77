import fc from 'fast-check';
import t from 'tap';
import { type HashBlock, HashWindow, type WindowOptions } from '../../src/lib/hash-window.ts';
import { arrayBytes } from '../support/memory.ts';

const HOUR = 3_600_000;
const LENGTH = 24 * HOUR;

/** The blocks that would be on disk. */
function save(window: HashWindow, disk: Map<number, HashBlock>): void {
  const { added, gone } = window.take();
  for (const block of added) disk.set(block.number, block);
  for (const number of gone) disk.delete(number);
}

function restored(disk: ReadonlyMap<number, HashBlock>, options: WindowOptions): HashWindow {
  const window = new HashWindow(options);
  window.restore([...disk.values()].toReversed());
  return window;
}

t.test('what counts is remembered, what does not is not', async (t) => {
  const window = new HashWindow({ lengthMs: LENGTH, limit: 100 });
  t.notOk(window.see('a'));
  t.ok(window.see('a'), 'within one delivery');
  window.forget();
  t.notOk(window.see('a'));
  window.keep(0);
  t.ok(window.see('a'));
  window.forget();
  t.ok(window.see('a'));
  t.notOk(window.see(''));
});

t.test('as a set with times, over restarts', async () => {
  const text = fc.integer({ min: 0, max: 60 }).map(String);
  const delivery = fc.record({
    texts: fc.array(text, { maxLength: 30 }),
    counts: fc.boolean(),
    hours: fc.integer({ min: 0, max: 8 }),
    restart: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(delivery, { maxLength: 30 }), (deliveries) => {
      const options = { lengthMs: LENGTH, limit: 1_000 };
      const disk = new Map<number, HashBlock>();
      let window = new HashWindow(options);
      let now = 0;
      // When each text was last delivered for the first time.
      const times = new Map<string, number>();
      for (const { texts, counts, hours, restart } of deliveries) {
        now += hours * HOUR;
        const before = new Map(times);
        for (const one of texts) {
          const isKnown = window.see(one);
          const time = times.get(one);
          // What is older than the window may be forgotten by now, but must be by a tenth of it later.
          if (time !== undefined && time > now - LENGTH && !isKnown) throw new Error(`${one} was forgotten`);
          if (time === undefined && isKnown) throw new Error(`${one} was never seen`);
          if (!isKnown) times.set(one, now);
        }
        if (counts) window.keep(now);
        else {
          window.forget();
          times.clear();
          for (const [one, time] of before) times.set(one, time);
        }
        save(window, disk);
        const oldest = Math.min(...[...disk.values()].slice(0, -1).map(({ time }) => time));
        if (counts && oldest <= now - LENGTH * 1.1) throw new Error('too old a block is kept');
        if (restart) window = restored(disk, options);
      }
    }),
    { numRuns: 300 },
  );
});

t.test('no more than the limit; the oldest go, a whole delivery stays', async (t) => {
  const options = { lengthMs: LENGTH, limit: 10_000 };
  const window = new HashWindow(options);
  const disk = new Map<number, HashBlock>();
  const count = () => [...disk.values()].reduce((sum, { hashes }) => sum + hashes.length / 16, 0);
  for (let delivery = 0; delivery < 300; delivery++) {
    for (let index = 0; index < 100; index++) window.see(`${delivery} ${index}`);
    window.keep(delivery);
    save(window, disk);
    if (count() > 10_000) t.fail(`${count()} are kept`);
  }
  t.ok(count() > 8_000);
  t.ok(window.see('299 99') && window.see('250 0'));
  t.notOk(window.see('100 0'));
  window.forget();

  let known = 0;
  for (let index = 0; index < 50_000; index++) if (window.see(`large ${index}`)) known += 1;
  t.equal(known, 0);
  t.ok(window.see('large 0') && window.see('large 9999'));
  t.notOk(window.see('large 10000'), 'beyond the limit of one delivery nothing is remembered');
  window.keep(400);
  save(window, disk);
  t.equal(count(), 10_000);
  t.ok(restored(disk, options).see('large 9999'));
});

t.test('a clock that goes back forgets nothing', async (t) => {
  const window = new HashWindow({ lengthMs: LENGTH, limit: 100 });
  window.see('a');
  window.keep(100 * HOUR);
  window.see('b');
  window.keep(0);
  t.ok(window.see('a') && window.see('b'));
});

t.test('a million take some 50 MB, and little time', async (t) => {
  const window = new HashWindow({ lengthMs: LENGTH, limit: 1_000_000 });
  const before = arrayBytes();
  for (let index = 0; index < 300_000; index++) {
    window.see(String(index));
    if (index % 1_000 === 999) window.keep(index);
  }
  const used = arrayBytes() - before;
  t.ok(used < 60e6, `${used} bytes for 300,000`);
  t.ok(window.see('0'));
});
