import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { counter } from '../../../src/core/metrics/define.ts';
import { expose } from '../../../src/core/metrics/exposition.ts';
import { CHUNK_ROWS } from '../../../src/core/metrics/pages.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { Scrapers } from '../../../src/core/metrics/scrape.ts';
import type { Exposition } from '../../../src/core/metrics/sheet.ts';
import { readSamples } from '../../support/exposition.ts';

const CATALOGUE = { hits: counter('test_hits_total', 'Hits.', ['who', 'how']) };
const IDLE_MS = 1_000;

function create(series: number) {
  const registry = new Registry({ seriesLimit: 100_000 });
  const { hits } = registry.register('', CATALOGUE);
  const scrapers = new Scrapers(registry, 0);
  const count = (from: number, to: number, by = 1) => {
    for (let i = from; i < to; i++) hits.inc({ who: `somebody who came as number ${i}`, how: 'x' }, by);
  };
  count(0, series, 10);
  const scrape = async (id = 'a', now = 0, format: 'text' | 'openmetrics' = 'text') => {
    registry.time = now;
    const view = { format, escaping: 'underscores' } as const;
    const collection = scrapers.begin(id, now);
    const exposition = await expose(registry, { view, collection, idleMs: IDLE_MS, now });
    collection.delivered();
    return exposition;
  };
  return { count, scrape };
}

/** Values by series, shortened to what tells them apart. */
function valuesOf({ pieces }: Exposition): Map<number, number> {
  const samples = Object.entries(readSamples(Buffer.concat(pieces).toString()));
  return new Map(samples.map(([series, value]) => [Number(/number ([0-9]+)/.exec(series)?.[1]), value]));
}

async function packedBy(exposition: Exposition): Promise<Buffer> {
  const members: Buffer[] = [];
  for await (const member of exposition.packed()) members.push(member);
  return gunzipSync(Buffer.concat(members));
}

t.test('what did not change is neither written nor packed again', async (t) => {
  const { count, scrape } = create(10_000);
  const first = await scrape();
  const members: Buffer[] = [];
  for await (const member of first.packed()) members.push(member);
  first.giveBack();
  const second = await scrape('b');
  const again: Buffer[] = [];
  for await (const member of second.packed()) again.push(member);
  second.giveBack();
  const shared = (one: readonly Buffer[], other: readonly Buffer[]) =>
    one.filter((piece) => other.includes(piece)).length;
  t.equal(shared(first.pieces, second.pieces), 5);
  t.ok(shared(members, again) >= 4, 'all but the last, which is short');
  count(0, 1);
  const third = await scrape();
  t.equal(shared(first.pieces, third.pieces), 5, 'a value is written into its place');
  t.equal(valuesOf(third).get(0), 11);
});

t.test('what is held does not change, however it is sent', async (t) => {
  const { count, scrape } = create(5_000);
  const held: { exposition: Exposition; copy: Buffer }[] = [];
  for (let round = 0; round < 5; round++) {
    const exposition = await scrape();
    held.push({ exposition, copy: Buffer.concat(exposition.pieces) });
    count(0, 5_000, round === 2 ? 1_000 : 1);
    (await scrape('other')).giveBack();
  }
  t.equal(new Set(held.map(({ copy }) => copy.toString())).size, 5);
  for (const { exposition, copy } of held.reverse()) {
    t.ok(Buffer.concat(exposition.pieces).equals(copy));
    t.ok((await packedBy(exposition)).equals(copy), 'packed only now');
    t.ok((await packedBy(exposition)).equals(copy), 'twice');
    exposition.giveBack();
  }
});

t.test('idle series come back when they change, however many others do', async (t) => {
  const { count, scrape } = create(2 * CHUNK_ROWS);
  const last = 2 * CHUNK_ROWS - 1;
  const shown = async (now: number) => {
    const exposition = await scrape('a', now);
    exposition.giveBack();
    return valuesOf(exposition);
  };
  for (const now of [0, 1, 2]) await shown(now);
  count(0, last - 9);
  t.equal((await shown(IDLE_MS)).size, last + 1);
  t.equal((await shown(IDLE_MS + 1)).size, last - 9);
  count(1, last + 1);
  for (const returned of [10, 11]) {
    const after = await shown(IDLE_MS + 2);
    t.equal(after.size, last + 1);
    t.equal(after.get(0), 11);
    t.equal(after.get(1), 12);
    t.equal(after.get(last), returned);
  }
});

t.test('a clock that is set back brings idle series back, and does not keep others for ever', async (t) => {
  const { count, scrape } = create(10);
  const shown = async (now: number) => valuesOf(await scrape('a', now)).size;
  t.equal(await shown(5_000), 10, 'they changed at this time');
  for (const now of [5_001, 5_002]) await shown(now);
  t.equal(await shown(6_001), 0);
  t.equal(await shown(6_000), 10);
  count(0, 1);
  t.equal(await shown(3_000), 10);
  t.equal(await shown(4_001), 9, 'the last change of the first is older now');
});

t.test('both formats are kept side by side', async (t) => {
  const { count, scrape } = create(3_000);
  const totals = async (format: 'text' | 'openmetrics') => {
    const text = Buffer.concat((await scrape('a', 0, format)).pieces).toString();
    return [...text.matchAll(/^test_hits_total.* ([0-9]+)$/gm)].map(([, value]) => Number(value));
  };
  for (let round = 0; round < 3; round++) {
    const [text, openmetrics] = [await totals('text'), await totals('openmetrics')];
    t.equal(text.length, 3_000);
    t.same(text, openmetrics);
    t.equal(text[0], 10 + 100 * round);
    count(0, 3_000, 100);
  }
});
