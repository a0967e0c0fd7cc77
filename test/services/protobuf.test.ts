import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { labelName, metricName } from '../../src/core/metrics/names.ts';
import { NativeHistogram } from '../../src/core/metrics/native.ts';
import { contentType, type Escaping, type Negotiated, negotiate } from '../../src/core/metrics/negotiate.ts';
import { encodeFamily, type NumberMetric } from '../../src/core/metrics/protobuf.ts';
import { fixture } from '../support/paths.ts';
import { need } from '../support/services.ts';
import { seriesKey } from '../support/strict-exposition.ts';
import { type Prometheus, startPrometheus, startVictoria, type TimeSeries } from '../support/time-series.ts';
import { eventually, home } from '../support/trailgauge.ts';

/** More than fit in one message of the size that is given below. */
const MANY = 3_000;
const FLAGS = ['--enable-feature=native-histograms,exemplar-storage'] as const;
const CONFIG = { storage: { exemplars: { max_exemplars: 100 } } };
/** Matches by stream and filter, whose names hold what has to be escaped, or is of several bytes. */
const MATCHES = [
  ['q"u\\o"te', 'plain', 3],
  ['花 ☃', 'zwölf', 5],
  ['🦊', 'a="b",c', 7],
] as const;

t.setTimeout(120_000);

t.test('Prometheus takes counters, classic and native histograms', async (t) => {
  if (!need(t, 'prometheus')) return;
  const asked: Negotiated[] = [];
  const target = await serve(t, (accept) => {
    const negotiated = negotiate(accept);
    asked.push(negotiated);
    return { type: contentType(negotiated), body: exposition(negotiated.escaping) };
  });
  const prometheus = await startPrometheus(t, target, { flags: FLAGS, config: CONFIG });
  const { log } = prometheus;
  const query = queryOf(prometheus);
  await eventually(
    () => `a scrape that is taken:\n${log()}`,
    async () => (await query('up')).length > 0 && (await query('scrape_samples_scraped'))[0]?.value?.[1] !== '0',
  );
  t.same(asked[0], { format: 'protobuf', version: '', escaping: 'underscores' }, 'what it asks for');

  await t.test('counters and gauges', async (t) => {
    t.same(await values(query, 'events_total'), {
      '{"action":"ban","stream":"q\\"\\\\\\n花"}': '1152921504606847000',
    });
    t.same(await values(query, 'temperature'), { '{}': '-Inf' });
    t.same(await values(query, 'my_metric'), { '{"label_name":"x"}': '1' }, 'names are escaped');
  });
  await t.test('a family in several messages', async (t) => {
    t.same(await values(query, 'count(many_total)'), { '{}': String(MANY) });
    t.same(await values(query, 'sum(many_total)'), { '{}': String((MANY * (MANY - 1)) / 2) });
  });
  await t.test('a classic histogram', async (t) => {
    t.same(await values(query, 'wait_seconds_bucket'), {
      '{"le":"0.1","stream":"ssh"}': '1',
      '{"le":"1.0","stream":"ssh"}': '3',
      '{"le":"10.0","stream":"ssh"}': '6',
      '{"le":"+Inf","stream":"ssh"}': '10',
    });
    t.same(await values(query, 'wait_seconds_sum'), { '{"stream":"ssh"}': '99.5' });
    t.same(await values(query, 'wait_seconds_count'), { '{"stream":"ssh"}': '10' });
  });
  await t.test('native histograms', async (t) => {
    const results = await query('native_seconds');
    const found = new Map(results.map(({ metric, histogram }) => [metric.kind ?? '', histogram?.[1]]));
    t.equal(found.get('some')?.count, '10');
    t.equal(Number(found.get('some')?.sum), 0.75 + 1 + 1 + 1.2 + 100 - 3);
    t.same(
      found.get('some')?.buckets?.map(([, low, high, count]) => [Number(low), Number(high), Number(count)]),
      [
        [-4, -2, 1],
        [-(2 ** -128), 2 ** -128, 4],
        [0.5, 1, 3],
        [1, 2, 1],
        [64, 128, 1],
      ],
    );
    t.equal(found.get('none')?.count, '0', 'one that has seen nothing');
    t.equal(found.get('wide')?.count, '1000', 'one of a lowered resolution');
    t.same(
      await values(query, 'histogram_count(native_seconds{kind="wide"})'),
      { '{"kind":"wide"}': '1000' },
      'functions take it',
    );
  });
  await t.test('exemplars', async (t) => {
    t.same(await exemplarsOf(prometheus, 'events_total'), [
      { labels: { trace: 'abc' }, value: '2', timestamp: 1_700_000_001.5 },
    ]);
  });
  t.notMatch(log(), /level=(error|warn)/, 'it complains of nothing');
});

t.test('the program is scraped in protobuf by one server and in text by another', async (t) => {
  if (!need(t, 'prometheus')) return;
  const place = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: 'reaction.log' },
      },
    },
  });
  const path = join(place.folder, 'reaction.log');
  writeFileSync(path, '');
  const { host } = new URL((await place.start()).url);
  const starting: Promise<TimeSeries>[] = [startPrometheus(t, host, { flags: FLAGS, config: CONFIG })];
  if (need(t, 'victoria-metrics')) starting.push(startVictoria(t, host));
  const servers = await Promise.all(starting);
  for (const { name, points } of servers) await eventually(`${name} to scrape`, async () => isUp(await points()));
  const lines = MATCHES.flatMap(([stream, filter, times]) =>
    Array.from({ length: times }, () => `${new Date().toISOString()} INFO ${stream}.${filter}: match ["x"]\n`),
  );
  writeFileSync(path, lines.join(''), { flag: 'a' });

  const wanted = Object.fromEntries(
    MATCHES.map(([stream, filter, times]) => [keyOf('reaction_matches_total', { stream, filter }), times]),
  );
  for (const server of servers) {
    const last = async () => {
      const points = await server.points();
      return Object.fromEntries(Object.keys(wanted).map((key) => [key, points.get(key)?.at(-1)?.[1]]));
    };
    await eventually(
      `${server.name} to see all matches`,
      async () => JSON.stringify(await last()) === JSON.stringify(wanted),
    );
    const points = await server.points();
    t.same(
      Object.keys(wanted).map((key) => points.get(key)?.[0]?.[1]),
      [0, 0, 0],
      `${server.name} sees them from 0 on`,
    );
    // Only in protobuf a bound is a number, which Prometheus then writes in its own way.
    const bound = server.name === 'prometheus' ? '10.0' : '10';
    t.ok(points.has(keyOf('trailgauge_scrape_seconds_bucket', { le: bound })), `${server.name} has a bucket ${bound}`);
  }
});

function isUp(points: ReadonlyMap<string, readonly (readonly [number, number])[]>): boolean {
  return points.get('up')?.at(-1)?.[1] === 1;
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return seriesKey(name, Object.entries(labels));
}

function exposition(escaping: Escaping): Buffer {
  const some = new NativeHistogram(0);
  for (const value of [0, 0, 0, 1e-40, 0.75, 1, 1, 1.2, 100, -3]) some.observe(value);
  const wide = new NativeHistogram(8);
  for (let i = 0; i < 1_000; i++) wide.observe(1.1 ** (i - 500));
  function* many(): Generator<NumberMetric> {
    for (let i = 0; i < MANY; i++) yield { labels: [['i', String(i)]], value: i };
  }
  const event: NumberMetric = {
    labels: [
      ['stream', 'q"\\\n花'],
      ['action', 'ban'],
      ['empty', ''],
    ],
    value: 2 ** 60,
    createdMs: 1_700_000_000_000,
    exemplar: { labels: [['trace', 'abc']], value: 2, timeMs: 1_700_000_001_500 },
  };
  const classic = { labels: [['stream', 'ssh']], bounds: [0.1, 1, 10], counts: [1, 2, 3, 4], sum: 99.5 } as const;
  const foreign = [[labelName('label.name', escaping), 'x']] as const;
  return Buffer.concat([
    ...encodeFamily({ name: 'events_total', help: 'Hé\nlp', type: 'counter' }, [event]),
    ...encodeFamily({ name: 'temperature', help: '', type: 'gauge' }, [{ labels: [], value: -Infinity }]),
    ...encodeFamily({ name: metricName('my.metric', escaping), help: '', type: 'gauge' }, [
      { labels: foreign, value: 1 },
    ]),
    ...encodeFamily({ name: 'many_total', help: 'h', type: 'counter' }, many(), 4_096),
    ...encodeFamily({ name: 'wait_seconds', help: 'w', type: 'histogram', unit: 'seconds' }, [
      { ...classic, createdMs: 1_700_000_000_000 },
    ]),
    ...encodeFamily({ name: 'native_seconds', help: 'n', type: 'histogram', unit: 'seconds' }, [
      { labels: [['kind', 'some']], native: some, createdMs: 1_700_000_000_000 },
      { labels: [['kind', 'none']], native: new NativeHistogram() },
      { labels: [['kind', 'wide']], native: wide },
    ]),
  ]);
}

/** Serves what is given on `/metrics`; the address that it can be scraped at. */
async function serve(
  t: Test,
  answer: (accept: string | undefined) => { readonly type: string; readonly body: Buffer },
): Promise<string> {
  const server = createServer((request, response) => {
    const { type, body } = answer(request.headers.accept);
    response.setHeader('Content-Type', type).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [time: number, value: string];
  readonly histogram?: readonly [
    time: number,
    shown: {
      readonly count: string;
      readonly sum: string;
      readonly buckets?: readonly (readonly [rule: number, low: string, high: string, count: string])[];
    },
  ];
}

type Query = (query: string) => Promise<readonly Result[]>;

function queryOf({ ask }: Prometheus): Query {
  return async (query) => {
    const { result } = await ask<{ result: readonly Result[] }>(`query?query=${encodeURIComponent(query)}`);
    return result;
  };
}

async function exemplarsOf({ ask }: Prometheus, query: string): Promise<readonly unknown[]> {
  const range = `start=1600000000&end=${Date.now() / 1_000 + 60}`;
  const series = await ask<{ exemplars: unknown[] }[]>(`query_exemplars?query=${encodeURIComponent(query)}&${range}`);
  return series.flatMap(({ exemplars }) => exemplars);
}

/** Values by labels, those that Prometheus itself gives left out. */
async function values(query: Query, text: string): Promise<Readonly<Record<string, string>>> {
  const own = ['__name__', 'job', 'instance'];
  const results = await query(text);
  return Object.fromEntries(
    results.map(({ metric, value }) => {
      const labels = Object.entries(metric).filter(([name]) => !own.includes(name));
      return [JSON.stringify(Object.fromEntries(labels.toSorted(([a], [b]) => (a < b ? -1 : 1)))), value?.[1] ?? ''];
    }),
  );
}
