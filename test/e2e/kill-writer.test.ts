import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type BulkTrouble, fakeBulk } from '../support/fake-bulk.ts';
import { get } from '../support/http.ts';
import { startKilling } from '../support/killing.ts';
import { compareCounters } from '../support/ledger.ts';
import { openLogWriter } from '../support/log-writer.ts';
import { fixture } from '../support/paths.ts';
import { seeded, seedOf } from '../support/random.ts';
import { tellStory } from '../support/story.ts';
import { parseExposition } from '../support/strict-exposition.ts';
import { eventually, home } from '../support/trailgauge.ts';

const KILLS = 15;
const WRITER = { writer: 'elasticsearch' };
const seed = seedOf(20_261_121);

/** What goes wrong with every fifth request or so, as long as it is killed. */
const TROUBLES = ['cut', 'gone', 'half busy', 'unavailable', 'busy items', 'fewer', 'empty'] as const;

t.setTimeout(180_000);

t.test(`killed ${KILLS} times while it delivers to a server that fails (seed ${seed})`, async (t) => {
  const random = seeded(seed + 1);
  const troubles: BulkTrouble[] = Array.from({ length: 400 }, () =>
    random.chance(0.2) ? random.pick(TROUBLES) : 'none',
  );
  const bulk = await fakeBulk(t, { troubles });
  const { folder, ...place } = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: 'logs/reaction.log' },
      },
    },
    writers: { elasticsearch: { url: bulk.url, index: 'trails', batch: 40 } },
  });
  mkdirSync(join(folder, 'logs'));
  const story = tellStory({ random: seeded(seed), holdMs: 60_000, stamped: true, begin: Date.UTC(2026, 4, 9, 10) });
  const writer = openLogWriter(join(folder, 'logs', 'reaction.log'), story, random);
  t.teardown(() => writer.close());
  const killing = await startKilling({ folder, ...place }, story, seeded(seed + 2));

  let isOver = false;
  async function write(): Promise<void> {
    while (!isOver) {
      await writer.burst(random.within(1, 40));
      await sleep(random.within(0, 40));
      if (random.chance(0.02)) await writer.rotate();
    }
  }
  /** What is shown as delivered is there, and never becomes less. */
  let shown = 0;
  let looks = 0;
  async function look(): Promise<void> {
    for (; !isOver; await sleep(random.within(0, 60))) {
      const url = killing.url();
      const answer = url === null ? null : await get(`${url}/metrics?scraper=c`).catch(() => null);
      if (answer?.status !== 200) continue;
      const delivered = parseExposition(answer.text).value('trailgauge_writer_events_total', WRITER) ?? 0;
      if (delivered < shown) throw new Error(`${delivered} are delivered, after ${shown}`);
      if (delivered > bulk.documents.size) throw new Error(`${delivered} are delivered, found ${bulk.documents.size}`);
      shown = delivered;
      looks += 1;
    }
  }
  const running = [write(), look()];
  // It is heard of below.
  for (const one of running) one.catch(() => {});
  try {
    for (let kill = 0; kill < KILLS; kill++) await killing.strike();
  } finally {
    isOver = true;
    await Promise.all(running);
  }
  // From now on all goes well.
  troubles.length = 0;
  await killing.conclude();

  const [{ collect }] = killing.collectors as [(typeof killing.collectors)[number]];
  const last = await eventually(
    () => `all to be delivered, found ${bulk.documents.size} documents`,
    async () => {
      const found = await collect();
      return found.value('trailgauge_writer_queue_events', WRITER) === 0 ? found : null;
    },
  );
  const own = (name: string, labels: Readonly<Record<string, string>>) => last.value(`trailgauge_${name}`, labels);
  const source = { source: 'reaction' };
  const events = own('source_events_total', source) ?? 0;
  t.same(...compareCounters(last, story.lines));
  const sentAs = new Map<string, string>();
  for (const { path, body } of bulk.requests) {
    if (!path.startsWith('/_bulk')) continue;
    const lines = body.split('\n');
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const id = (JSON.parse(lines[i] ?? '') as { create: { _id: string } }).create._id;
      const document = lines[i + 1] ?? '';
      const before = sentAs.get(id) ?? document;
      if (before !== document) t.fail(`one id, two events: ${before} and ${document}`);
      sentAs.set(id, document);
    }
  }
  t.equal(bulk.documents.size, sentAs.size, 'all that was sent is there');
  t.equal(bulk.documents.size, events, 'each event is there, once');
  t.equal(own('writer_events_total', WRITER), events, 'and is counted, once');
  for (const reason of ['rejected', 'too_large', 'queue_full'])
    t.equal(own('writer_dropped_total', { ...WRITER, reason }), 0, reason);
  t.equal(own('writer_queue_bytes', WRITER), 0);
  t.equal(own('writer_up', WRITER), 1);
  t.same(bulk.problems, []);
  t.notOk(existsSync(join(folder, 'state', 'dead-letter')));
  t.ok(looks > 0 && shown > 0);
  const sent = bulk.requests.reduce((sum, { count }) => sum + count, 0);
  t.comment(`${events} events, ${sent} sent in ${bulk.requests.length} requests, ${looks} looks`);
});
