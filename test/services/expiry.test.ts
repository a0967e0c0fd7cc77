import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openState } from '../../src/core/state.ts';
import { type Choir, openChoir } from '../support/choir.ts';
import { countOf } from '../support/ledger.ts';
import { type LogWriter, openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { type Random, seeded, seedOf } from '../support/random.ts';
import { need } from '../support/services.ts';
import { freePort, type Point, startPrometheus, startVictoria, type TimeSeries } from '../support/time-series.ts';
import { eventually, type Home, home, type Program } from '../support/trailgauge.ts';

const SECONDS = 13;
/** Two scrapes of the slower servers may be further apart than this. */
const IDLE = '3s';
/** Where kills fall: seconds from the beginning. */
const KILLS = [
  [2, 5],
  [7, 11],
] as const;
const seed = seedOf(20_260_614);

t.setTimeout(180_000);

t.test(`series are born, expire and return, over crashes, and the sums are true (seed ${seed})`, async (t) => {
  if (!need(t, 'prometheus')) return;
  const random = seeded(seed);
  const port = await freePort();
  const source = { config: fixture('reaction/etc'), command: fixture('reaction/reaction') };
  const place = home(t, {
    listen: { port },
    metrics: { idle_ttl: IDLE },
    sources: { reaction: { ...source, logs: { file: 'logs/reaction.log' } } },
  });
  mkdirSync(join(place.folder, 'logs'));
  const choir = openChoir({ random, seconds: SECONDS });
  const log = openLogWriter(join(place.folder, 'logs', 'reaction.log'), choir, random);
  t.teardown(() => log.close());
  let program = await place.start();
  const servers = await startServers(t, `127.0.0.1:${port}`);

  const stop = new AbortController();
  const singing = sing({ choir, log, random, stop: stop.signal });
  singing.catch(() => {});
  const kills: Kill[] = [];
  const began = performance.now();
  for (const [from, to] of KILLS) {
    await sleep(began + (from + random.next() * (to - from)) * 1_000 - performance.now());
    const kill = await killed(program, place, servers);
    program = kill.program;
    kills.push(kill);
  }
  await eventually('the end of the song', () => choir.isOver);
  // From here on nobody but the leader is heard, until the others are gone from all servers; then some come back.
  const { gone, back } = choir;
  for (const { server } of servers) await until(server, gone, (points, key) => isAbsent(points, key));
  choir.recall();
  await eventually('all to be back', () => choir.isOver);
  stop.abort();
  await singing;
  const truth = countOf(choir.lines);
  const counters = [...truth.keys()].filter((key) => /^[a-z_]+_total/.test(key));
  for (const { server } of servers) {
    await until(server, counters, (points, key) => points.get(key)?.at(-1)?.[1] === truth.get(key));
    // What is new in the last answer is told by one more.
    const before = (await scrapesOf(server)).length;
    await eventually(`${server.name} to scrape again`, async () => (await scrapesOf(server)).length >= before + 2);
  }
  for (const { server } of servers) {
    const name = `${server.name} every ${server.interval} s`;
    await t.test(name, async (t) => check(t, { server, points: await server.points(), truth, kills, gone, back }));
  }
});

/** A server, and the name that it scrapes by. */
interface Scraping {
  readonly server: TimeSeries;
  readonly scraper: string;
}

/** Each kind scrapes once as often as the other, and once half as often. */
async function startServers(t: Test, target: string): Promise<readonly Scraping[]> {
  const kinds = need(t, 'victoria-metrics') ? [startPrometheus, startVictoria] : [startPrometheus];
  const starting = kinds.flatMap((start, kind) =>
    [1, 2].map(async (interval) => {
      const scraper = `${kind}-${interval}`;
      return { server: await start(t, target, { interval, scraper }), scraper };
    }),
  );
  const servers = await Promise.all(starting);
  for (const { server } of servers) {
    await eventually(`${server.name} to scrape`, async () => (await scrapesOf(server)).length > 0);
  }
  return servers;
}

interface Singing {
  readonly choir: Choir;
  readonly log: LogWriter;
  readonly random: Random;
  readonly stop: AbortSignal;
}

/** Writes what is due, until told to stop. */
async function sing({ choir, log, random, stop }: Singing): Promise<void> {
  while (!stop.aborted) {
    await log.burst(choir.due());
    if (random.chance(0.02)) await log.rotate();
    await sleep(100);
  }
}

interface Kill {
  readonly program: Program;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Servers to whom something was given that they did not get: a collection is saved that they know nothing of. */
  readonly cut: ReadonlySet<TimeSeries>;
}

async function killed(program: Program, place: Home, servers: readonly Scraping[]): Promise<Kill> {
  const from = Date.now() / 1_000;
  await program.kill();
  const state = await openState(join(place.folder, 'state'));
  const saved = (state.load().under('scrapers')[0]?.[1] ?? []) as readonly { id: string; seen: number }[];
  await state.close();
  const cut = new Set<TimeSeries>();
  for (const { server, scraper } of servers) {
    const seen = (saved.find(({ id }) => id === `name ${scraper}`)?.seen ?? 0) / 1_000;
    // A sample has the time at which its scrape was due.
    const last = (await scrapesOf(server)).at(-1) ?? 0;
    if (seen > last + server.interval / 2) cut.add(server);
  }
  const next = await place.start();
  return { program: next, from, to: Date.now() / 1_000, cut };
}

type Points = ReadonlyMap<string, readonly Point[]>;

interface Outcome {
  readonly server: TimeSeries;
  readonly points: Points;
  readonly truth: ReadonlyMap<string, number>;
  readonly kills: readonly Kill[];
  /** Counters of those who fell silent, and of those among them who came back. */
  readonly gone: readonly string[];
  readonly back: readonly string[];
}

async function check(t: Test, { server, points, truth, kills, gone, back }: Outcome): Promise<void> {
  const up = points.get('up') ?? [];
  const isKilled = (time: number) =>
    kills.some(({ from, to }) => time > from - server.interval && time < to + server.interval);
  const missed = up.filter(([time, value]) => value === 0 && !isKilled(time)).map(([time]) => time);
  const cuts = kills.filter(({ cut }) => cut.has(server)).map(({ from }) => from);
  t.ok(missed.length <= up.length / 10, `${up.length} scrapes, ${missed.length} missed, ${cuts.length} cut`);

  const counters = [...truth].filter(([key]) => /^[a-z_]+_total/.test(key));
  const found = counters.map(([key]) => [key, increase(points.get(key))] as const);
  t.same(Object.fromEntries(found), Object.fromEntries(counters), `what ${counters.length} counters grew by`);
  const falling = [...points].filter(([key, list]) => /^[a-z_]+_(?:total|bucket|count|sum)( |$)/.test(key) && falls(list));
  t.same(
    falling.filter(([key]) => !/^reaction_[a-z_]+_count/.test(key)),
    [],
    'no counter falls',
  );
  // What was given but not taken may have been the 0.
  const trouble = Math.min(Number.POSITIVE_INFINITY, ...cuts, ...missed);
  const startsHigh = (key: string) => points.get(key)?.slice(0, 1).some(([time, value]) => value !== 0 && time < trouble);
  t.same(
    counters.filter(([key]) => startsHigh(key)),
    [],
    'each series begins at 0',
  );

  const scrapes = scrapesIn(points);
  const gaps = new Map(counters.map(([key]) => [key, gapsOf(points.get(key) ?? [], scrapes)] as const));
  t.same(
    gone.filter((key) => !isAbsent(points, key) && !back.includes(key)),
    [],
    'those who fell silent are gone',
  );
  t.same(
    back.filter((key) => !gaps.get(key)),
    [],
    'those who came back had been gone',
  );
  t.comment(`${[...gaps.values()].reduce((sum, count) => sum + count, 0)} times a series returned`);

  const gauges = [...truth].filter(([key]) => /^reaction_[a-z_]+_count/.test(key));
  const off = gauges
    .map(([key, value]) => [key, sum(points.get(key)), value] as const)
    .filter(([, given, value]) => (trouble < Number.POSITIVE_INFINITY ? given > value : given !== value));
  t.same(off, [], `what came since the last collection, in ${gauges.length} gauges`);
}

/** Waits until something is true of all these series in a server. */
async function until(
  server: TimeSeries,
  keys: readonly string[],
  isTrue: (points: Points, key: string) => boolean,
): Promise<void> {
  let wrong = keys;
  await eventually(
    () => `${server.name} every ${server.interval} s: ${wrong.length} of ${keys.length}: ${wrong.join(', ')}`,
    async () => {
      const points = await server.points();
      wrong = keys.filter((key) => !isTrue(points, key));
      return wrong.length === 0;
    },
  );
}

/** Times of all scrapes that were answered. */
async function scrapesOf(server: TimeSeries): Promise<readonly number[]> {
  return scrapesIn(await server.points());
}

function scrapesIn(points: Points): readonly number[] {
  return (points.get('up') ?? []).filter(([, value]) => value === 1).map(([time]) => time);
}

/** Whether the last scrape did not have this series any more. */
function isAbsent(points: Points, key: string): boolean {
  const last = points.get(key)?.at(-1)?.[0];
  const newest = scrapesIn(points).at(-1);
  return last !== undefined && newest !== undefined && newest > last;
}

/** How often a series was missing in an answer, and there again in a later one. */
function gapsOf(points: readonly Point[], scrapes: readonly number[]): number {
  const times = new Set(points.map(([time]) => time));
  const [first = 0, last = 0] = [points[0]?.[0], points.at(-1)?.[0]];
  const within = scrapes.filter((time) => time >= first && time <= last);
  return within.filter((time, index) => times.has(time) && index > 0 && !times.has(within[index - 1]!)).length;
}

/** What a counter grew by: its first value, and all that it rose after that. */
function increase(points: readonly Point[] = []): number {
  return points.reduce((sum, [, value], index) => sum + Math.max(0, value - (points[index - 1]?.[1] ?? 0)), 0);
}

function falls(points: readonly Point[]): boolean {
  return points.some(([, value], index) => value < (points[index - 1]?.[1] ?? 0));
}

function sum(points: readonly Point[] = []): number {
  return points.reduce((total, [, value]) => total + value, 0);
}
