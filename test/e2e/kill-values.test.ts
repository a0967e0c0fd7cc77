import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startKilling } from '../support/killing.ts';
import { countOf } from '../support/ledger.ts';
import { openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { type Random, seeded, seedOf } from '../support/random.ts';
import { type Story, type StoryLine, tellStory } from '../support/story.ts';
import { type Exposition, seriesKey } from '../support/strict-exposition.ts';
import { home } from '../support/trailgauge.ts';

const KILLS = 10;
const seed = seedOf(20_261_121);
const HOUR = 3_600_000;
/** Values that are shown of each pattern, and how many one of them may have: all of it is exact. */
const TOP = 20;
const MANY = 500;

t.setTimeout(120_000);

/** The story, with matches of many more values in between. */
function withMany(story: Story, random: Random): Story {
  const lines: StoryLine[] = [];
  const names = { stream: 'cloud', filter: 'login' };
  const many = ({ time, invocation }: StoryLine): StoryLine => {
    const number = Math.floor(MANY ** random.next());
    const ip = `10.0.${number >> 8}.${number & 255}`;
    const counted = [
      seriesKey('trailgauge_source_items_total', [['source', 'reaction']]),
      seriesKey('reaction_matches_total', Object.entries(names)),
      seriesKey('reaction_match_count', Object.entries({ ...names, ip })),
    ];
    return { text: `${new Date(time).toISOString()} INFO cloud.login: match ["${ip}"]`, time, invocation, counted };
  };
  return {
    ...story,
    lines,
    tell: () => {
      const last = lines.at(-1);
      const line = last && random.chance(0.25) ? many(last) : story.tell();
      lines.push(line);
      return line;
    },
  };
}

/** What the matches of these lines make of the values of patterns: as `reaction_match_count` has them as its labels. */
function truth(lines: readonly StoryLine[]): Readonly<Record<string, number>> {
  const counts = new Map<string, [value: string, count: number][]>();
  for (const [key, count] of countOf(lines)) {
    if (!key.startsWith('reaction_match_count ')) continue;
    const labels = new Map(JSON.parse(key.slice(key.indexOf(' ') + 1)) as [string, string][]);
    const [stream = '', filter = ''] = [labels.get('stream'), labels.get('filter')];
    for (const [pattern, value] of labels) {
      if (pattern === 'stream' || pattern === 'filter') continue;
      const names = JSON.stringify({ stream, filter, pattern });
      const known = counts.get(names) ?? [];
      const found = known.find(([name]) => name === value);
      if (found) found[1] += count;
      else known.push([value, count]);
      counts.set(names, known);
    }
  }
  const wanted: Record<string, number> = {};
  for (const [text, values] of counts) {
    const names = JSON.parse(text) as Record<string, string>;
    wanted[seriesKey('reaction_pattern_distinct', Object.entries(names))] = values.length;
    values.sort(([a, one], [b, other]) => other - one || Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const [value, count] of values.slice(0, TOP)) {
      wanted[seriesKey('reaction_pattern_top', Object.entries({ ...names, value }))] = count;
    }
  }
  return wanted;
}

function shown({ samples }: Exposition): Readonly<Record<string, number>> {
  const found = [...samples.values()].filter(({ name }) => name.startsWith('reaction_pattern_'));
  return Object.fromEntries(found.map(({ key, value }) => [key, value]));
}

t.test(`values of patterns, killed ${KILLS} times while the log grows (seed ${seed})`, async (t) => {
  const { folder, ...place } = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: 'logs/reaction.log' },
      },
    },
  });
  mkdirSync(join(folder, 'logs'));
  // Lines of half a day: they are in the window for as long as this runs, and in many slices of it.
  const begin = Date.now() - 12 * HOUR;
  const told = tellStory({ random: seeded(seed), holdMs: 60_000, stamped: true, begin });
  const story = withMany(told, seeded(seed + 3));
  const random = seeded(seed + 1);
  const writer = openLogWriter(join(folder, 'logs', 'reaction.log'), story, random);
  t.teardown(() => writer.close());
  const killing = await startKilling({ folder, ...place }, story, seeded(seed + 2));

  let isOver = false;
  async function write(): Promise<void> {
    while (!isOver) {
      await writer.burst(random.within(1, 40));
      await sleep(random.within(0, 30));
    }
  }
  const writing = write();
  try {
    for (let kill = 0; kill < KILLS; kill++) await killing.strike();
  } finally {
    isOver = true;
    await writing;
  }
  await killing.conclude();

  const wanted = truth(story.lines);
  t.ok(Object.keys(wanted).length > 50);
  for (const { collect } of killing.collectors) t.same(shown(await collect()), wanted);
  t.comment(`${story.lines.length} lines`);
});
