import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readSamples } from '../support/exposition.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { get } from '../support/http.ts';
import { fixture } from '../support/paths.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

t.setTimeout(120_000);

const WRITER = 'writer="elasticsearch"';

async function samplesOf({ url }: Program): Promise<Readonly<Record<string, number>>> {
  return readSamples((await get(`${url}/metrics?scraper=test`)).text);
}

t.test('a writer that is down loses nothing, and holds nobody up', async (t) => {
  // A port that nobody listens on any more.
  const gone = await fakeBulk(t);
  await gone.close();
  const { folder, start } = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: 'reaction.log' },
      },
    },
    writers: { elasticsearch: { url: gone.url, index: 'trails', drain: '200ms' } },
  });
  const log = join(folder, 'reaction.log');
  const match = (count: number) => appendFileSync(log, 'INFO ssh.failedlogin: match ["192.0.2.1"]\n'.repeat(count));
  // What was there before the very first start is not counted.
  match(1);
  const first = await start();
  match(100);
  await eventually('the metrics', async () => {
    const samples = await samplesOf(first);
    return samples['reaction_matches_total{stream="ssh",filter="failedlogin"}'] === 100;
  });
  await eventually('the failure', async () => (await samplesOf(first))[`trailgauge_writer_up{${WRITER}}`] === 0);
  const page = (await get(first.url)).text;
  t.match(page, /<title>⚠ trailgauge: elasticsearch cannot deliver<\/title>/);
  t.match(page, /<b>Problem:<\/b> <bdi>[^<]+ECONNREFUSED/);
  const { writers } = JSON.parse((await get(`${first.url}/api/v1/status`)).text) as { writers: object[] };
  t.match(writers, [{ name: 'elasticsearch', state: 'waiting', events: 0, dropped: 0 }]);
  t.equal((await get(`${first.url}/-/ready`)).status, 200, 'metrics are served all the same');
  const waiting = (await samplesOf(first))[`trailgauge_writer_queue_events{${WRITER}}`];
  t.ok(waiting);
  t.equal(await first.stop(), 0);

  const port = Number(new URL(gone.url).port);
  const bulk = await fakeBulk(t, { port });
  match(10);
  const second = await start();
  await eventually('all of it to arrive', async () => {
    const samples = await samplesOf(second);
    return samples['reaction_matches_total{stream="ssh",filter="failedlogin"}'] === 110 && bulk.documents.size === 110;
  });
  await eventually('it to be counted', async () => {
    const samples = await samplesOf(second);
    return (
      samples[`trailgauge_writer_events_total{${WRITER}}`] === 110 && samples[`trailgauge_writer_up{${WRITER}}`] === 1
    );
  });
  t.match((await get(second.url)).text, /<title>trailgauge: the source is being read<\/title>/);
  match(5);
  t.equal(await second.stop(), 0);
  const third = await start();
  await eventually('what came at the end', () => bulk.documents.size === 115);
  t.equal(await third.stop(), 0);
});
