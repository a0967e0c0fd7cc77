import { Counter, Gauge, Histogram, Registry as Oracle } from 'prom-client';
import t from 'tap';
import { counter, gauge, histogram } from '../../../src/core/metrics/define.ts';
import { expose } from '../../../src/core/metrics/exposition.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { createRuntimeMetrics } from '../../../src/core/metrics/runtime.ts';
import { Scrapers } from '../../../src/core/metrics/scrape.ts';
import { exposed, readSamples, show, showTo, TEXT } from '../../support/exposition.ts';

const CATALOGUE = {
  hits: counter('test_hits_total', 'Hits, with a \\ and\na line.', ['who', 'how']),
  level: gauge('test_level', 'Level.', ['who']),
  took: histogram('test_took_seconds', 'Took.', ['who'], [0.25, 1, 2.5]),
};

const VALUES = ['plain', 'q"q', 'b\\', 'n\nn', 'é€😀', '\t', '}', '{a="b"}', '# HELP', ' '];

t.test('text is what prom-client writes', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const ours = registry.register('', CATALOGUE);
  const oracle = new Oracle();
  const registers = [oracle];
  const { hits, level, took } = CATALOGUE;
  const theirs = {
    hits: new Counter({ name: hits.name, help: hits.help, labelNames: [...hits.labels], registers }),
    level: new Gauge({ name: level.name, help: level.help, labelNames: [...level.labels], registers }),
    took: new Histogram({
      name: took.name,
      help: took.help,
      labelNames: [...took.labels],
      buckets: [...took.buckets],
      registers,
    }),
  };
  VALUES.forEach((who, index) => {
    const how = VALUES[(index * 3 + 1) % VALUES.length] ?? '';
    ours.hits.inc({ who, how }, index + 1);
    theirs.hits.inc({ who, how }, index + 1);
    ours.level.set({ who }, index / 3);
    theirs.level.set({ who }, index / 3);
    for (const value of [0.1, index]) {
      ours.took.observe({ who }, value);
      theirs.took.observe({ who }, value);
    }
  });
  const lines = (text: string) => text.split('\n').filter(Boolean).toSorted();
  // prom-client puts `le` in front, and orders the buckets of a series differently.
  const ordered = (line: string) => line.replace(/\{le="([^"]*)",(.*)\} /, '{$2,le="$1"} ');
  t.same(
    lines(await exposed(registry)),
    lines(await oracle.metrics())
      .map(ordered)
      .toSorted(),
  );
});

t.test('OpenMetrics: names, units, times of creation, the end', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  registry.time = 1_700_000_000_500;
  const { hits, took } = registry.register('', CATALOGUE);
  hits.inc({ who: 'x', how: '' });
  took.observe({ who: 'x' }, 1);
  t.same((await exposed(registry, { view: { format: 'openmetrics', escaping: 'underscores' } })).split('\n'), [
    '# HELP test_hits Hits, with a \\\\ and\\na line.',
    '# TYPE test_hits counter',
    'test_hits_total{who="x"} 1',
    'test_hits_created{who="x"} 1700000000.5',
    '# HELP test_took_seconds Took.',
    '# TYPE test_took_seconds histogram',
    '# UNIT test_took_seconds seconds',
    'test_took_seconds_bucket{who="x",le="0.25"} 0',
    'test_took_seconds_bucket{who="x",le="1.0"} 1',
    'test_took_seconds_bucket{who="x",le="2.5"} 1',
    'test_took_seconds_bucket{who="x",le="+Inf"} 1',
    'test_took_seconds_sum{who="x"} 1',
    'test_took_seconds_count{who="x"} 1',
    'test_took_seconds_created{who="x"} 1700000000.5',
    '# EOF',
    '',
  ]);
});

t.test('a series that was born since is shown at 0 once', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { hits } = registry.register('', CATALOGUE);
  const scrapers = new Scrapers(registry, 0);
  const scrape = () => showTo(scrapers, registry);
  hits.inc({ who: 'old', how: '' }, 3);
  t.same(await scrape(), { 'test_hits_total{who="old"}': 3 }, 'what was before its first visit is shown as it is');
  hits.inc({ who: 'new', how: '' }, 5);
  t.same(await scrape(), { 'test_hits_total{who="old"}': 3, 'test_hits_total{who="new"}': 0 });
  t.same(await scrape(), { 'test_hits_total{who="old"}': 3, 'test_hits_total{who="new"}': 5 });
});

t.test('idle counters are left out, and go on from their total', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { hits } = registry.register('', CATALOGUE);
  const scrapers = new Scrapers(registry, 0);
  const scrape = (now: number) => showTo(scrapers, registry, { idleMs: 500, now });
  registry.time = 1_000;
  hits.inc({ who: 'x', how: '' }, 3);
  registry.settle();
  for (const now of [1_100, 1_200, 1_500]) t.same(await scrape(now), { 'test_hits_total{who="x"}': 3 });
  t.same(await scrape(1_501), {});
  registry.time = 2_000;
  hits.inc({ who: 'x', how: '' });
  t.same(await scrape(2_000), { 'test_hits_total{who="x"}': 3 }, 'as it was left');
  t.same(await scrape(2_000), { 'test_hits_total{who="x"}': 4 });
});

t.test('no idle counter is left out before a scraper has seen what it grew to', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const { hits } = registry.register('', CATALOGUE);
  const scrapers = new Scrapers(registry, 0);
  const scrape = async (now: number, arrives = true) => {
    registry.time = now;
    const collection = scrapers.begin('a', now);
    const shown = await show(registry, { collection, idleMs: 500, now });
    if (arrives) collection.delivered();
    else collection.failed();
    return shown;
  };
  const series = 'test_hits_total{who="x"}';
  await scrape(0);
  registry.time = 300;
  hits.inc({ who: 'x', how: '' }, 3);
  t.same(await scrape(2_000, false), { [series]: 0 }, 'it came late, and did not get it');
  t.same(await scrape(3_000), { [series]: 0 });
  t.same(await scrape(4_000, false), { [series]: 3 });
  t.same(await scrape(5_000), { [series]: 3 });
  t.same(await scrape(6_000), {});
  hits.inc({ who: 'x', how: '' });
  registry.settle();
  await scrape(6_100);
  await scrape(6_200);
  registry.time = 6_300;
  hits.inc({ who: 'x', how: '' });
  registry.settle();
  t.same(await scrape(99_000), { [series]: 5 }, 'it was away');
  t.same(await show(registry, { idleMs: 500, now: 999_000 }), { [series]: 5 }, 'one who is new is shown all once');
});

t.test('many series go out in pieces, and the event loop turns in between', async (t) => {
  const registry = new Registry({ seriesLimit: 100_000 });
  const { hits } = registry.register('', CATALOGUE);
  for (let i = 0; i < 90_000; i++) hits.inc({ who: `w${i}`, how: '' }, i);
  let turns = 0;
  const turn = () => {
    turns += 1;
    handle = setImmediate(turn);
  };
  let handle = setImmediate(turn);
  const text = await exposed(registry);
  clearImmediate(handle);
  t.ok(turns >= 3, `${turns} turns`);
  t.equal(Object.keys(readSamples(text)).length, 90_000);
});

t.test('while others count, no counter goes back, and what is born meanwhile is shown at 0 first', async (t) => {
  const registry = new Registry({ seriesLimit: 100_000 });
  const { hits } = registry.register('', CATALOGUE);
  const scrapers = new Scrapers(registry, 0);
  const size = 90_000;
  const all = Array.from({ length: size }, (_, index) => hits.series({ who: `w${index}`, how: '' }));
  let births = 0;
  let isOver = false;
  const count = () => {
    for (let i = 0; i < all.length; i += 3) all[i]?.inc();
    all.push(hits.series({ who: `w${size + births++}`, how: '' }));
    all.at(-1)?.inc(5);
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const scrape = async (id: string) => {
    const samples: Record<string, number>[] = [];
    for (let round = 0; round < 3; round++) {
      const collection = scrapers.begin(id, 0);
      const { pieces } = await expose(registry, { view: TEXT, collection, idleMs: 0, now: 0 });
      const text = Buffer.concat(pieces).toString();
      // Of its own, for the case that the pieces are written to.
      await new Promise(setImmediate);
      t.equal(Buffer.concat(pieces).toString(), text);
      collection.delivered();
      samples.push(readSamples(text));
      t.equal(text.split('\n').length - 3, Object.keys(samples[round]!).length, 'none is there twice');
    }
    return samples;
  };
  const found = await Promise.all([scrape('a'), scrape('b')]);
  isOver = true;
  t.ok(births > 5, `${births} births`);
  for (const [before, middle, after] of found) {
    for (const [series, value] of Object.entries(before!)) {
      if (!(middle![series]! >= value && after![series]! >= middle![series]!)) t.fail(`${series} went back`);
    }
    for (const [series, value] of Object.entries(after!)) {
      if (!(series in middle!) && value !== 0) t.fail(`${series} came with ${value}`);
    }
  }
});

t.test('metrics of the process in both formats', async (t) => {
  const runtime = await createRuntimeMetrics();
  const text = await runtime('text');
  const openmetrics = await runtime('openmetrics');
  t.match(text, /^process_cpu_seconds_total [0-9.]+$/m);
  t.match(openmetrics, /^# TYPE process_cpu_seconds counter$/m);
  t.match(openmetrics, /^process_cpu_seconds_total [0-9.]+$/m);
  t.match(await runtime('text'), /^# TYPE process_cpu_seconds_total counter$/m, 'still, after OpenMetrics');
  t.notMatch(openmetrics.trimEnd(), /^(# EOF)?$/m, 'no end mark and no blank line');
});
