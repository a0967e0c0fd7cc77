import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { countOf, startCollector } from '../support/ledger.ts';
import { openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { seeded, seedOf } from '../support/random.ts';
import { tellStory } from '../support/story.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 20;
const seed = seedOf(20_260_509);

t.test(`killed ${KILLS} times while a rotated log grows, it tells two scrapers the truth (seed ${seed})`, async (t) => {
  const random = seeded(seed);
  const story = tellStory({ random: seeded(seed + 1), holdMs: 60_000, stamped: true, begin: Date.UTC(2026, 4, 9, 10) });
  const folder = home(t, {
    sources: { reaction: { config: fixture('reaction/etc'), command: fixture('reaction/reaction'), logs: { file: 'logs/reaction.log' } } },
  });
});
