import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openJournalWriter } from '../support/journal-writer.ts';
import { countOf } from '../support/ledger.ts';
import { openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { seeded, seedOf } from '../support/random.ts';
import { need } from '../support/services.ts';
import { type Story, tellStory } from '../support/story.ts';
import { seriesKey } from '../support/strict-exposition.ts';
import { freePort, type Point, startPrometheus, startVictoria, type TimeSeries } from '../support/time-series.ts';
import { eventually, home } from '../support/trailgauge.ts';

const SECONDS = 20;
const seed = seedOf(20_260_512);

t.setTimeout(180_000);

t.test(`servers that scrape every second know what happened, over a crash (seed ${seed})`, async (t) => {
  if (!need(t, 'prometheus', 'journalctl', 'systemd-journal-remote')) return;
  const port = await freePort();
  const common = { config: fixture('reaction/etc'), command: fixture('reaction/reaction') };
  const place = home(t, {
    listen: { port },
    sources: {
      'reaction/file': { ...common, logs: { file: 'logs/reaction.log' } },
      'reaction/journal': { ...common, logs: { systemd: 'reaction', directory: 'journal' } },
    },
  });
  mkdirSync(join(place.folder, 'logs'));
  const stories = new Map([true, false].map((stamped) => [stamped ? 'file' : 'journal', storyOf(stamped)] as const));
  const random = seeded(seed + 1);
  const file = openLogWriter(join(place.folder, 'logs', 'reaction.log'), stories.get('file')!, random);
  t.teardown(() => file.close());
  const journal = openJournalWriter(join(place.folder, 'journal'), stories.get('journal')!, random);

  let program = await place.start();
  const servers: TimeSeries[] = [await startPrometheus(t, `127.0.0.1:${port}`)];
  if (need(t, 'victoria-metrics')) servers.push(await startVictoria(t, `127.0.0.1:${port}`));
  for (const { name, points } of servers) {
    await eventually(`${name} to scrape`, async () =>
      [...(await points()).keys()].some((key) => key.startsWith('reaction_')),
    );
  }

  const until = performance.now() + SECONDS * 1_000;
  const crash = { from: 0, to: 0 };
  await Promise.all([
    write(until, 200, async () => {
      await file.burst(random.within(1, 60));
      if (random.chance(0.1)) await file.rotate();
    }),
    write(until, 400, () => journal.burst(random.within(1, 60))),
    sleep((SECONDS / 2) * 1_000).then(async () => {
      crash.from = Date.now() / 1_000;
      await program.kill();
      program = await place.start();
      crash.to = Date.now() / 1_000;
    }),
  ]);

  const truth = truthOf(stories);
  for (const server of servers) await t.test(server.name, (t) => check(t, { server, truth, crash }));
});

interface Outcome {
  readonly server: TimeSeries;
  readonly truth: ReadonlyMap<string, number>;
  /** Seconds since 1970. */
  readonly crash: { readonly from: number; readonly to: number };
}

async function check(t: Test, { server, truth, crash }: Outcome): Promise<void> {
  const items = [...truth].filter(([key]) => key.startsWith('trailgauge_source_items_total'));
  await eventually(`${server.name} to see the end`, async () => {
    const points = await server.points();
    return items.every(([key, value]) => points.get(key)?.at(-1)?.[1] === value);
  });
  // What is new in the last answer is told by one more.
  await sleep(2_500);
  const points = await server.points();
  // A busy machine may be late once in a while, and what was given then may not have been taken.
  const up = points.get('up') ?? [];
  const missed = up.filter(([time, value]) => value === 0 && (time < crash.from || time > crash.to + 1));
  t.ok(up.length > SECONDS / 2 && missed.length <= up.length / 10, `${up.length} scrapes, ${missed.length} missed`);

  const counters = [...truth].filter(([key]) => /^[a-z_]+_total/.test(key));
  const found = (of: (points: readonly Point[]) => unknown) =>
    Object.fromEntries(counters.map(([key]) => [key, of(points.get(key) ?? [])]));
  t.same(found(increase), Object.fromEntries(counters), 'what counters grew by');
  t.same(
    found((list) => list.at(-1)?.[1]),
    Object.fromEntries(counters),
    'what counters show',
  );
  const falling = [...points].filter(([key, list]) => /^[a-z_]+_(?:total|bucket)/.test(key) && falls(list));
  t.same(falling, [], 'no counter falls');
  const startsHigh = ([time, value]: Point) => value !== 0 && time < crash.from;
  t.same(
    counters.filter(([key]) => points.get(key)?.slice(0, 1).some(startsHigh)),
    [],
    'each series begins at 0',
  );

  const gauges = [...truth].filter(([key]) => /^reaction_[a-z_]+_count/.test(key));
  const off = gauges.filter(([key, value]) => {
    const given = sum(points.get(key));
    return missed.length > 0 ? given > value : given !== value;
  });
  t.same(off, [], 'what came since the last collection');
}

function storyOf(stamped: boolean): Story {
  return tellStory({
    random: seeded(seed + (stamped ? 2 : 3)),
    holdMs: 60_000,
    stamped,
    begin: Date.UTC(2026, 4, 9, 10),
  });
}

async function write(until: number, pauseMs: number, step: () => Promise<void>): Promise<void> {
  for (; performance.now() < until; await sleep(pauseMs)) await step();
}

/** The truth about several named sources. */
function truthOf(stories: ReadonlyMap<string, Story>): ReadonlyMap<string, number> {
  const truth = new Map<string, number>();
  for (const [name, { lines }] of stories) {
    for (const [key, value] of countOf(lines)) truth.set(named(key, name), value);
  }
  return truth;
}

/** The same series with the label `source` of a named source. */
function named(key: string, source: string): string {
  const [name = '', labels = '[]'] = key.split(/ (.*)/s, 2);
  const others = (JSON.parse(labels) as [string, string][]).filter(([label]) => label !== 'source');
  return seriesKey(name, [...others, ['source', source]]);
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
