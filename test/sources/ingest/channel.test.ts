import t from 'tap';
import { Channel, type ChannelOptions, type Load } from '../../../src/sources/ingest/channel.ts';
import type { Verdict } from '../../../src/sources/ingest/item.ts';

const MIB = 1024 * 1024;

function channel(options: Partial<ChannelOptions> = {}): Channel {
  return new Channel({
    mostBytes: 64 * MIB,
    commit: async () => {},
    signal: new AbortController().signal,
    ...options,
  });
}

/** A request; told when it is read. */
function load(size: number, onRead: (verdict: Verdict) => void = (verdict) => void (verdict.good += 1)): Load {
  return {
    bytes: size,
    size,
    items: (verdict) => {
      onRead(verdict);
      return [];
    },
  };
}

/** Takes batches until there were so many. */
async function take(from: Channel, count: number): Promise<number> {
  let bytes = 0;
  let left = count + 1;
  for await (const batch of from.batches()) {
    bytes += batch.bytes;
    // Asked for the next one once more, as what was taken is answered then.
    if (left-- === 0) break;
  }
  return bytes;
}

t.test('each request is a batch, in the order in which they came, and read when it is its turn', async (t) => {
  const one = channel();
  const order: number[] = [];
  const answers = [1, 2, 3].map((size) => one.push(load(size, () => order.push(size))));
  t.same(order, []);
  const taken = take(one, 3);
  t.same(await Promise.all(answers), Array(3).fill({ good: 0, bad: 0 }));
  t.same(order, [1, 2, 3]);
  void one.push(load(4));
  t.equal(await taken, 10);
});

t.test('so many may wait, and so many bytes, and one of any size', async (t) => {
  const many = channel({ waitMs: 50 });
  const waiting = [...Array(1_000)].map(() => many.push(load(1)));
  t.equal(await many.push(load(1)), null);
  t.ok(
    (await Promise.all(waiting)).every((one) => one === null),
    'nobody takes them',
  );
  const large = channel({ waitMs: 50 });
  const first = large.push(load(65 * MIB));
  t.equal(await large.push(load(1)), null);
  t.equal(await first, null);
  const halves = [large.push(load(32 * MIB)), large.push(load(32 * MIB))];
  t.equal(await large.push(load(1)), null);
  t.same(await Promise.all(halves), [null, null]);
});

t.test('who waited in vain is not counted: it will be sent again', async (t) => {
  const one = channel({ waitMs: 20 });
  let read = 0;
  t.equal(await one.push(load(1, () => (read += 1))), null);
  const next = one.push(load(1));
  const taken = take(one, 1);
  t.same(await next, { good: 1, bad: 0 });
  void one.push(load(1));
  await taken;
  t.equal(read, 0);
});

t.test('a commit that takes too long', async (t) => {
  const one = channel({ waitMs: 20, commit: () => new Promise(() => {}) });
  const answer = one.push(load(1));
  const refused = one.push(load(1, (verdict) => void (verdict.bad += 1)));
  const taken = take(one, 2);
  t.equal(await answer, null);
  t.same(await refused, { good: 0, bad: 1 }, 'what is refused is not saved for that');
  void one.push(load(1));
  await taken;
});

t.test('what could not be counted', async (t) => {
  const one = channel();
  const answer = one.push(load(1));
  const failing = (async () => {
    for await (const { bytes } of one.batches()) if (bytes > 0) throw new Error('a fault');
  })();
  await t.rejects(failing, /a fault/);
  t.equal(await answer, null);
  const again = one.push(load(1));
  const taken = take(one, 1);
  t.same(await again, { good: 1, bad: 0 }, 'then it goes on');
  void one.push(load(1));
  await taken;
});

t.test('the end', async (t) => {
  const ending = new AbortController();
  let saved = () => {};
  const one = channel({ signal: ending.signal, commit: () => new Promise((resolve) => (saved = resolve)) });
  const batches = one.batches();
  await batches.next();
  const taken = one.push(load(1));
  await batches.next();
  const next = batches.next();
  const waiting = one.push(load(1));
  ending.abort();
  t.equal(await waiting, null);
  t.ok((await next).done);
  t.equal(await one.push(load(1)), null);
  saved();
  t.same(await taken, { good: 1, bad: 0 }, 'what was counted is still saved');
});
