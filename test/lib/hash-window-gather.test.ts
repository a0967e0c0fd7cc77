import fc from 'fast-check';
import t from 'tap';
import { type HashBlock, HashWindow, type WindowOptions } from '../../src/lib/hash-window.ts';

const OPTIONS: WindowOptions = { lengthMs: 10_000, limit: 1_000, gather: { ms: 100, hashes: 4 } };

/** What is on disk after a commit. */
function save(window: HashWindow, disk: Map<number, HashBlock>): void {
  const { added, gone } = window.take();
  for (const block of added) disk.set(block.number, block);
  for (const number of gone) disk.delete(number);
}

t.test('small deliveries share a block, up to a time and a size', async (t) => {
  const window = new HashWindow(OPTIONS);
  const disk = new Map<number, HashBlock>();
  const see = (text: string, time: number) => {
    window.see(text);
    window.keep(time);
    save(window, disk);
  };
  const blocks = () => [...disk.values()].map(({ time, hashes }) => [time, hashes.length / 16]);
  for (let i = 0; i < 3; i++) see(`${i}`, i);
  t.same(blocks(), [[2, 3]]);
  see('3', 3);
  see('4', 4);
  t.same(blocks(), [
    [3, 4],
    [4, 1],
  ]);
  see('5', 103);
  see('6', 104);
  t.same(blocks().slice(1), [
    [103, 2],
    [104, 1],
  ]);
  see('7', 50);
  t.equal(disk.size, 4, 'a clock that goes back');
  const again = new HashWindow(OPTIONS);
  again.restore(disk.values());
  t.ok([...'01234567'].every((text) => again.see(text)));
});

t.test('what is known is the same, gathered or not', async () => {
  const delivery = fc.record({
    texts: fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 6 }),
    ms: fc.integer({ min: 0, max: 60 }),
    restart: fc.boolean(),
    counts: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(delivery, { maxLength: 40 }), (deliveries) => {
      const { gather: _, ...alone } = OPTIONS;
      const worlds = [OPTIONS, alone].map((options) => ({ options, disk: new Map<number, HashBlock>() }));
      const windows = worlds.map(({ options }) => new HashWindow(options));
      let now = 0;
      for (const { texts, ms, restart, counts } of deliveries) {
        now += ms;
        for (const text of texts) {
          const [one, other] = windows.map((window) => window.see(text));
          if (one !== other) throw new Error(`${text}: ${one}, ${other}`);
        }
        for (const [index, window] of windows.entries()) {
          const { options, disk } = worlds[index]!;
          if (counts) window.keep(now);
          else window.forget();
          save(window, disk);
          if (!restart) continue;
          windows[index] = new HashWindow(options);
          windows[index].restore(disk.values());
        }
      }
    }),
  );
});
