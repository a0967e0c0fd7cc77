import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cli, file, folder, isForPeople } from '../support/cli.ts';
import { fill, smallDisk } from '../support/disk.ts';
import { readSamples } from '../support/exposition.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { get } from '../support/http.ts';
import { fixture } from '../support/paths.ts';
import { eventually, home } from '../support/trailgauge.ts';

t.setTimeout(120_000);

const MATCH = 'INFO ssh.failedlogin: match ["192.0.2.1"]\n';
const reaction = { config: fixture('reaction/etc'), command: fixture('reaction/reaction') };

t.test('events that a full disk kept back are delivered afterwards, each once', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const bulk = await fakeBulk(t);
  const log = file(folder(t), 'reaction.log', '');
  const { start } = home(t, {
    state: { directory: join(disk, 'state') },
    sources: { reaction: { ...reaction, logs: { file: log } } },
    writers: { elasticsearch: { url: bulk.url, index: 'trails' } },
  });
  const program = await start();
  appendFileSync(log, MATCH.repeat(10));
  await eventually('ten', () => bulk.documents.size === 10);
  const filler = fill(disk);
  appendFileSync(log, MATCH.repeat(1_000));
  await eventually('the disk to be noticed', async () => (await get(`${program.url}/-/ready`)).status === 503);
  appendFileSync(log, MATCH.repeat(90));
  t.equal(bulk.documents.size, 10, 'what is not saved is not delivered');
  filler.remove();
  await eventually('all of them', () => bulk.documents.size === 1_100);
  await eventually('it to be counted', async () => {
    const samples = readSamples((await get(`${program.url}/metrics`)).text);
    return samples['trailgauge_writer_events_total{writer="elasticsearch"}'] === 1_100;
  });
  await program.kill();
  const again = await start();
  const samples = readSamples((await get(`${again.url}/metrics`)).text);
  t.equal(samples['reaction_matches_total{stream="ssh",filter="failedlogin"}'], 1_100);
  t.equal(samples['trailgauge_writer_events_total{writer="elasticsearch"}'], 1_100);
  t.equal(bulk.requests.reduce((sum, { count }) => sum + count, 0) >= 1_100, true);
});

t.test('once: without room for what is on its way, it fails and says why', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  const place = folder(t);
  const log = file(place, 'reaction.log', MATCH.repeat(50_000));
  const path = file(
    place,
    'c.json',
    JSON.stringify({
      sources: { reaction: { ...reaction, logs: { file: log } } },
      // Nobody takes anything, so all of it has to wait.
      writers: { elasticsearch: { url: 'http://127.0.0.1:9', index: 'trails', drain: '100ms' } },
    }),
  );
  const { code, stderr } = await cli(['-c', path, 'once'], { env: { TMPDIR: disk } });
  t.equal(code, 1);
  t.match(stderr, 'no space left on the disk');
  t.ok(isForPeople(stderr), stderr);
  t.same(readdirSync(disk), []);
});
