import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Scraper } from '../../src/core/metrics/scrape.ts';
import { openState } from '../../src/core/state.ts';
import { type Choir, openChoir } from '../support/choir.ts';
import { countOf } from '../support/ledger.ts';
import { type LogWriter, openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { type Random, seeded, seedOf } from '../support/random.ts';
import { need } from '../support/services.ts';
import { freePort, type Point, startPrometheus, startVictoria, type TimeSeries } from '../support/time-series.ts';
import { eventually, type Home, home, type Program } from '../support/trailgauge.ts';

/** How long voices come and go. */
const SECONDS = 9;
/** Not longer than the slower servers take from one scrape to the next: nobody may miss anything for that. */
const IDLE = '2s';
/** Between which seconds kills fall; after one all is shown again for a while, and then there has to be time to expire. */
const KILLS = [
  [0.5, 2],
  [6.5, 8.5],
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
  t.teardown(() => stop.abort());
  const singing = sing({ choir, log, random, stop: stop.signal });
  singing.catch(() => {});
  const kills: Kill[] = [];
  const began = performance.now();
  for (const [from, to] of KILLS) {
    await sleep(began + (from + random.next() * (to - from)) * 1_000 - performance.now());
    const kill = await killed(program, place);
    program = kill.program;
    kills.push(kill);
  }
  await eventually('the end of the song', () => choir.isOver);
  // From here on nobody but the leader is heard, until the others are gone from all servers; then some come back.
  const { gone, back } = choir;
  await Promise.all(servers.map(({ server }) => until(server, gone, isAbsent)));
  choir.recall();
  await eventually('all to be back', () => choir.isOver);
  stop.abort();
  await singing;
  const truth = countOf(choir.lines);
  const counters = [...truth.keys()].filter((key) => /^[a-z_]+_total/.test(key));
  await Promise.all(
    servers.map(async ({ server }) => {
      await until(server, counters, (points, key) => points.get(key)?.at(-1)?.[1] === truth.get(key));
      // What is new in the last answer is told by one more.
      const before = (await scrapesOf(server)).length;
      await until(server, ['up'], (points) => scrapesIn(points).length > before);
    }),
  );
  for (const scraping of servers) {
    const { server } = scraping;
    const name = `${server.name} every ${server.interval} s`;
    await t.test(name, async (t) => check(t, { scraping, points: await server.points(), truth, kills, gone, back }));
  }
});

/** A server, and the name that it scrapes by. */
interface Scraping {
  readonly server: TimeSeries;
  readonly scraper: string;
}

/** Of both kinds one that scrapes every second, and one that takes two. */
async function startServers(t: Test, target: string): Promise<readonly Scraping[]> {
  const kinds = need(t, 'victoria-metrics') ? [startPrometheus, startVictoria] : [startPrometheus];
  const starting = kinds.flatMap((start, kind) =>
    [1, 2].map(async (interval) => {
      const scraper = `${kind}-${interval}`;
      return { server: await start(t, target, { interval, scraper }), scraper };
    }),
  );
  const servers = await Promise.all(starting);
  await Promise.all(servers.map(({ server }) => until(server, ['up'], (points) => scrapesIn(points).length > 0)));
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
  /** The program that was started after it. */
  readonly program: Program;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** When the last collection that was saved began, in seconds since 1970, by scraper. */
  readonly saved: ReadonlyMap<string, number>;
}

async function killed(program: Program, place: Home): Promise<Kill> {
  const from = Date.now() / 1_000;
  await program.kill();
  const state = await openState(join(place.folder, 'state'));
  const scrapers = (state.load().under('scrapers')[0]?.[1] ?? []) as readonly Pick<Scraper, 'id' | 'seen'>[];
  await state.close();
  const next = await place.start();
  const saved = new Map(scrapers.map(({ id, seen }) => [id.replace(/^name /, ''), seen / 1_000]));
  return { program: next, from, to: Date.now() / 1_000, saved };
}

/** Whether a server was given something that it did not get: a collection was saved that it knows nothing of. */
function isCut({ saved, from }: Kill, { server, scraper }: Scraping, scrapes: readonly number[]): boolean {
  // A sample has the time at which its scrape was due.
  const last = scrapes.findLast((time) => time <= from) ?? 0;
  return (saved.get(scraper) ?? 0) > last + server.interval / 2;
}

type Points = ReadonlyMap<string, readonly Point[]>;

interface Outcome {
  readonly scraping: Scraping;
  readonly points: Points;
  readonly truth: ReadonlyMap<string, number>;
  readonly kills: readonly Kill[];
  /** Counters of those who fell silent, and of those among them who came back. */
  readonly gone: readonly string[];
  readonly back: readonly string[];
}

async function check(t: Test, { scraping, points, truth, kills, gone, back }: Outcome): Promise<void> {
  const { server } = scraping;
  const scrapes = scrapesIn(points);
  const up = points.get('up') ?? [];
  const isKilled = (time: number) =>
    kills.some(({ from, to }) => time > from - server.interval && time < to + server.interval);
  const missed = up.filter(([time, value]) => value === 0 && !isKilled(time)).map(([time]) => time);
  const cuts = kills.filter((kill) => isCut(kill, scraping, scrapes)).map(({ from }) => from);
  t.ok(missed.length <= up.length / 10, `${up.length} scrapes, ${missed.length} missed, ${cuts.length} cut`);

  const counters = [...truth].filter(([key]) => /^[a-z_]+_total/.test(key));
  const found = counters.map(([key]) => [key, increase(points.get(key))] as const);
  t.same(Object.fromEntries(found), Object.fromEntries(counters), `what ${counters.length} counters grew by`);
  const falling = [...points].filter(([key, list]) => /^[a-z_]+_(?:total|bucket)/.test(key) && falls(list));
  t.same(falling, [], 'no counter falls');
  // What was given but not taken may have been the 0, or the value before a return; what a kill cut off is repeated.
  const isOff = (by: number, wanted: number, trouble: readonly number[]) =>
    trouble.length > 0 ? by > wanted : by !== wanted;
  const inPieces = counters.map(([key]) => [key, increaseInPieces(points.get(key) ?? [], scrapes)] as const);
  t.same(
    inPieces.filter(([key, by]) => isOff(by, truth.get(key)!, missed)),
    [],
    'over however short a time that is looked at, with a gap as the end of a series',
  );
  const startsHigh = (key: string) =>
    points
      .get(key)
      ?.slice(0, 1)
      .some(([time, value]) => value !== 0 && time < Math.min(Number.POSITIVE_INFINITY, ...missed));
  t.same(
    counters.filter(([key]) => startsHigh(key)),
    [],
    'each series begins at 0',
  );

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
    .filter(([, given, value]) => isOff(given, value, [...cuts, ...missed]));
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
      if (wrong.length > 0) await sleep(200);
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

/** Whether a series was missing in the newest answers: in two, as what came with one may be seen bit by bit. */
function isAbsent(points: Points, key: string): boolean {
  const last = points.get(key)?.at(-1)?.[0];
  const newest = scrapesIn(points).at(-2);
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

/** The same to one who takes a series that was missing in an answer for a new one, of which the first value tells nothing. */
function increaseInPieces(points: readonly Point[], scrapes: readonly number[]): number {
  return points.reduce((sum, [time, value], index) => {
    const before = points[index - 1];
    const isNew = !before || scrapes.some((scrape) => scrape > before[0] && scrape < time);
    return sum + (isNew ? 0 : Math.max(0, value - before[1]));
  }, 0);
}

function falls(points: readonly Point[]): boolean {
  return points.some(([, value], index) => value < (points[index - 1]?.[1] ?? 0));
}

function sum(points: readonly Point[] = []): number {
  return points.reduce((total, [, value]) => total + value, 0);
}
