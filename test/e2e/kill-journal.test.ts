import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { openJournalWriter } from '../support/journal-writer.ts';
import { startKilling } from '../support/killing.ts';
import { compareCounters } from '../support/ledger.ts';
import { fixture } from '../support/paths.ts';
import { seeded, seedOf } from '../support/random.ts';
import { need } from '../support/services.ts';
import { tellStory } from '../support/story.ts';
import { home } from '../support/trailgauge.ts';

if (!need(t, 'journalctl', 'systemd-journal-remote')) process.exit();

const KILLS = 20;
const seed = seedOf(20_260_510);

t.setTimeout(180_000);

t.test(`killed ${KILLS} times while its journal grows, over a reboot (seed ${seed})`, async (t) => {
  const place = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { systemd: 'reaction', directory: 'journal' },
      },
    },
  });
  const story = tellStory({ random: seeded(seed), holdMs: 60_000, stamped: false, begin: Date.UTC(2026, 4, 9, 10) });
  const random = seeded(seed + 1);
  const writer = openJournalWriter(join(place.folder, 'journal'), story, random);
  const killing = await startKilling(place, story, seeded(seed + 2));

  let isOver = false;
  async function write(): Promise<void> {
    while (!isOver) {
      await writer.burst(random.within(1, 60));
      await sleep(random.within(0, 100));
      if (random.chance(0.05)) story.restart();
    }
  }
  const writing = write();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      if (kill === KILLS / 2) writer.reboot();
      await killing.strike();
    }
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
  t.comment(`${story.lines.length} lines`);
});
