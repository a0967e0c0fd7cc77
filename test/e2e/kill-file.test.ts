import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startKilling } from '../support/killing.ts';
import { compareCounters } from '../support/ledger.ts';
import { openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { seeded, seedOf } from '../support/random.ts';
import { tellStory } from '../support/story.ts';
import { home } from '../support/trailgauge.ts';

const KILLS = 20;
const seed = seedOf(20_260_509);

t.setTimeout(180_000);

t.test(`killed ${KILLS} times while its log grows and is rotated (seed ${seed})`, async (t) => {
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
  const story = tellStory({ random: seeded(seed), holdMs: 60_000, stamped: true, begin: Date.UTC(2026, 4, 9, 10) });
  const random = seeded(seed + 1);
  const writer = openLogWriter(join(folder, 'logs', 'reaction.log'), story, random);
  t.teardown(() => writer.close());
  const killing = await startKilling({ folder, ...place }, story, seeded(seed + 2));

  let isOver = false;
  async function write(): Promise<void> {
    while (!isOver) {
      await writer.burst(random.within(1, 40));
      await sleep(random.within(0, 30));
      if (random.chance(0.02)) await writer.rotate();
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

  for (const { ledger, collect } of killing.collectors) {
    const last = await collect();
    t.same(...compareCounters(last, story.lines));
    t.equal(last.value('trailgauge_source_bytes_total', { source: 'reaction' }), writer.bytes);
    t.equal(last.value('trailgauge_source_errors_total', { source: 'reaction' }), 0);
    t.ok(ledger.answers > KILLS / 2);
    t.comment(`${ledger.answers} answers, ${ledger.cuts} cut, which had ${ledger.lost} lines`);
  }
  t.comment(`${story.lines.length} lines, ${writer.rotations} rotations`);
});
