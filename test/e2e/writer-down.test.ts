import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { readSamples } from '../support/exposition.ts';
import { fakeBulk } from '../support/fake-bulk.ts';
import { fakeSink } from '../support/fake-sink.ts';
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
  t.match(first.log(), 'events wait on disk for the next start');

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

t.test('writers without an address or a server are down, and the program is not', async (t) => {
  const { folder, start, run } = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: 'reaction.log' },
      },
    },
    // Nobody listens at port 1, which is as if Neo4j were not there yet.
    writers: { cloudevents: {}, elasticsearch: {}, neo4j: { uri: 'bolt://127.0.0.1:1', drain: '100ms' } },
  });
  const log = join(folder, 'reaction.log');
  const match = (count: number) => appendFileSync(log, 'INFO ssh.failedlogin: match ["192.0.2.1"]\n'.repeat(count));
  match(1);
  const found = (name: string) => `found neither url nor $${name}, wanted an address such as http`;
  const first = await start({ env: { K_SINK: '', ES_HOST: '' } });
  match(10);
  await eventually('the metrics', async () => {
    const samples = await samplesOf(first);
    return (
      samples['reaction_matches_total{stream="ssh",filter="failedlogin"}'] === 10 &&
      samples['trailgauge_writer_queue_events{writer="cloudevents"}'] === 10
    );
  });
  await eventually(
    'Neo4j to be missed',
    async () => (await samplesOf(first))['trailgauge_writer_up{writer="neo4j"}'] === 0,
  );
  t.match(await samplesOf(first), {
    'trailgauge_writer_up{writer="cloudevents"}': 0,
    'trailgauge_writer_up{writer="elasticsearch"}': 0,
  });
  const { writers } = JSON.parse((await get(`${first.url}/api/v1/status`)).text) as { writers: object[] };
  t.match(writers, [
    { name: 'cloudevents', state: 'waiting', problem: found('K_SINK') },
    { name: 'elasticsearch', state: 'waiting', problem: found('ES_HOST') },
    { name: 'neo4j', state: 'waiting', problem: /ECONNREFUSED.*; is the server running/ },
  ]);
  t.match(first.log(), `"problem":"${found('K_SINK')}`);
  t.equal((await get(`${first.url}/-/ready`)).status, 200);
  t.equal(await first.stop(), 0);
  t.match(await run('doctor'), { code: 1, stdout: `FAIL writer cloudevents: ${found('K_SINK')}` });
  t.match(await run('once'), { code: 1, stderr: `writer cloudevents: ${found('K_SINK')}` });

  const sink = await fakeSink(t);
  const bulk = await fakeBulk(t);
  const second = await start({ env: { K_SINK: sink.url, ES_HOST: bulk.url } });
  await eventually('all of it to arrive', () => sink.accepted.size === 10 && bulk.documents.size === 10);
  await eventually('it to be counted', async () => {
    const samples = await samplesOf(second);
    return ['cloudevents', 'elasticsearch'].every(
      (writer) =>
        samples[`trailgauge_writer_events_total{writer="${writer}"}`] === 10 &&
        samples[`trailgauge_writer_up{writer="${writer}"}`] === 1,
    );
  });
  t.equal(await second.stop(), 0);
});

t.test('servers that take connections and say nothing hold up no end', async (t) => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const address = silent.address();
  const place = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const { folder, start } = home(t, {
    sources: {
      reaction: {
        config: fixture('reaction/etc'),
        command: fixture('reaction/reaction'),
        logs: { file: 'reaction.log' },
      },
    },
    writers: {
      cloudevents: { url: `http://${place}`, drain: '100ms' },
      elasticsearch: { url: `http://${place}`, drain: '100ms' },
      neo4j: { uri: `bolt://${place}`, drain: '100ms', retention: '90d' },
    },
  });
  const log = join(folder, 'reaction.log');
  appendFileSync(log, '');
  const program = await start();
  appendFileSync(log, 'INFO ssh.failedlogin: match ["192.0.2.1"]\n');
  await eventually('all of them to be asked', () => sockets.size >= 3);
  t.equal(await program.stop(), 0);
});
