import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { SeenTraces, seenKey } from '../../../src/sources/cts/seen.ts';
import { type WalkItem, type WalkPage, type WalkQuery, walkWindow } from '../../../src/sources/cts/walk.ts';
import { fixture } from '../../support/paths.ts';

interface Item extends WalkItem {
  readonly id: string;
}

t.test('walks as recorded: pages that overlap, an empty last page, a trace that comes late', async (t) => {
  const { polls } = JSON.parse(readFileSync(fixture('cts/pages/walk.json'), 'utf8')) as { polls: readonly Poll[] };
  const seen = new SeenTraces();
  const sums = { events: 0, duplicates: 0 };
  for (const { requests, counted } of polls) {
    const asked: (string | null)[] = [];
    const list = async ({ from, to, next }: WalkQuery): Promise<WalkPage<Item>> => {
      // Edges are looked up in a narrow window, and nothing is there.
      if (next === null && to - from < 60_000) return { items: [], marker: null, limit: 4, bytes: 0 };
      asked.push(next);
      const found = requests.find((request) => request.next === next);
      t.ok(found, `request with next ${next}`);
      const { traces, meta_data } = found!.answer;
      const items = traces.map(({ trace_id, time, record_time }) => itemOf(trace_id, [time, record_time]));
      return { items, marker: meta_data.marker, limit: 4, bytes: 0 };
    };
    const stamps = polls.flatMap(({ requests }) =>
      requests.flatMap(({ answer }) => answer.traces.map(({ time }) => time)),
    );
    const window = { from: Math.min(...stamps) - 1_000, to: Math.max(...stamps) + 600_000 };
    for await (const { items, onPage } of walkWindow({ window, list, seen })) {
      for (const { key, stamps } of items) sums[seen.see(key, stamps[0]!, onPage) ? 'duplicates' : 'events'] += 1;
    }
    t.same(sums, counted);
    t.same(
      asked,
      requests.map(({ next }) => next),
    );
  }
});

interface Poll {
  readonly requests: readonly {
    readonly next: string | null;
    readonly answer: {
      readonly traces: readonly { trace_id: string; time: number; record_time: number }[];
      readonly meta_data: { readonly marker: string | null };
    };
  }[];
  readonly counted: { readonly events: number; readonly duplicates: number };
}

t.test('finds each trace of a window once, however the service pages', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }),
      fc.record({ limit: fc.integer({ min: 2, max: 7 }), byStamp: fc.boolean(), endless: fc.boolean() }),
      async (stamps, { limit, byStamp, endless }) => {
        // More traces of one millisecond than a page holds cannot be had from a service that pages by time.
        const few = byStamp
          ? stamps.filter((stamp, i) => stamps.slice(0, i).filter((s) => s === stamp).length < limit)
          : stamps;
        const all = few
          .map((stamp, i) => itemOf(`id ${i}`, [stamp, stamp]))
          .sort((a, b) => b.stamps[0]! - a.stamps[0]!);
        const service = { all, limit, byStamp, endless };
        const seen = new SeenTraces();
        const counts = new Map<string, number>();
        const walk = walkWindow({ window: { from: 10, to: 31 }, list: async (query) => answer(service, query), seen });
        for (let step = await walk.next(); ; step = await walk.next()) {
          if (step.done) {
            if (step.value.kind !== 'whole') throw new Error(step.value.kind);
            break;
          }
          for (const { id, key, stamps } of step.value.items) {
            if (!seen.see(key, stamps[0]!, step.value.onPage)) counts.set(id, (counts.get(id) ?? 0) + 1);
          }
        }
        const wanted = all.filter(({ stamps: [stamp] }) => stamp! >= 10 && stamp! < 31).map(({ id }) => id);
        for (const id of wanted) if (counts.get(id) !== 1) throw new Error(`${id} came ${counts.get(id)} times`);
      },
    ),
    { numRuns: 500 },
  );
});

interface Service {
  /** The newest first. */
  readonly all: readonly Item[];
  readonly limit: number;
  /** The next page begins by time, and not by place. */
  readonly byStamp: boolean;
  /** There is a marker on the last page too. */
  readonly endless: boolean;
}

function answer({ all, limit, byStamp, endless }: Service, { from, to, next }: WalkQuery): WalkPage<Item> {
  const inside = all.filter(({ stamps: [stamp] }) => stamp! > from && stamp! < to);
  const last = inside.find(({ id }) => id === next);
  const rest = !last
    ? inside
    : byStamp
      ? inside.filter(({ stamps: [stamp] }) => stamp! < last.stamps[0]!)
      : inside.slice(inside.indexOf(last) + 1);
  const items = rest.slice(0, limit);
  const marker = items.length > 0 && (endless || rest.length > limit) ? items.at(-1)!.id : null;
  return { items, marker, limit, bytes: 0 };
}

t.test('ends where the service does not heed the beginning', async (t) => {
  let asked = 0;
  const list = async ({ to }: WalkQuery): Promise<WalkPage<Item>> => {
    asked += 1;
    const newest = to - 50_000 * asked;
    return { items: [itemOf(`id ${asked}`, [newest, newest])], marker: `marker ${asked}`, limit: 10, bytes: 1 };
  };
  const seen = new SeenTraces();
  const found: string[] = [];
  const window = { from: 1_000_000, to: 1_100_000 };
  for await (const { items, onPage } of walkWindow({ window, list, seen })) {
    for (const { id, key } of items) {
      seen.see(key, 0, onPage);
      found.push(id);
    }
  }
  t.ok(asked < 12, `${asked} requests`);
  t.ok(found.includes('id 2'), 'what lies in the window is found');
});

t.test('tells why a window was not read whole', async (t) => {
  const window = { from: 0, to: 1_000 };
  const broken = walkWindow<Item>({ window, seen: new SeenTraces(), list: async () => ({ undecodable: 'no JSON' }) });
  t.same(await broken.next(), { done: true, value: { kind: 'undecodable', text: 'no JSON' } });
  let asked = 0;
  const list = async (): Promise<WalkPage<Item>> => {
    asked += 1;
    return { items: [itemOf(`id ${asked}`, [])], marker: `marker ${asked}`, limit: 10, bytes: 0 };
  };
  const long = walkWindow({ window, seen: new SeenTraces(), list, mostPages: 5 });
  let step = await long.next();
  while (!step.done) step = await long.next();
  t.same(step.value, { kind: 'long' });
  t.equal(asked, 5);
});

t.test('a marker that repeats ends the walk', async (t) => {
  let asked = 0;
  const list = async (): Promise<WalkPage<Item>> => {
    asked += 1;
    return { items: [itemOf(`id ${asked}`, [])], marker: 'same', limit: 10, bytes: 0 };
  };
  const walk = walkWindow({ window: { from: 0, to: 1_000 }, seen: new SeenTraces(), list });
  for await (const _ of walk) {
    // Only the requests count.
  }
  t.equal(asked, 2);
});

function itemOf(id: string, stamps: readonly number[]): Item {
  return { id, key: seenKey(id), stamps };
}
