import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startFakeCts } from '../support/fake-cts.ts';
import { startCollecting } from '../support/growing.ts';

import { seeded, seedOf } from '../support/random.ts';
import { freePort } from '../support/time-series.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 6;
const TRACES = 800;
const seed = seedOf(20_261_123);

t.setTimeout(120_000);

t.test(`traces go from one program to another as CloudEvents, both killed ${KILLS} times (seed ${seed})`, async (t) => {
  const random = seeded(seed);
  const fake = await startFakeCts(t);
  const port = await freePort();
  const token = 'invented-token';
  const receiving = home(t, {
    listen: { address: '127.0.0.1', port },
    sources: { ingest: { cloudevents: { token } } },
  });
  const sending = home(t, {
    sources: { cts: { endpoint: fake.url, region: 'eu-de', auth: fake.auth, interval: '100ms' } },
    writers: { cloudevents: { url: `http://127.0.0.1:${port}/ingest/cloudevents?token=${token}`, mode: 'structured' } },
  });
  const programs = { sender: await sending.start(), receiver: await receiving.start() };
  const collecting = startCollecting(() => (programs.receiver.isListening() ? programs.receiver.url : null));
  const making = (async () => {
    for (let made = 0; made < TRACES; ) {
      const stamp = Date.now();
      for (let count = random.within(1, 30); count > 0 && made < TRACES; count--) {
        const trace_id = `${(made++).toString(16).padStart(8, '0')}-e709-11f0-9c00-02f1a7c40000`;
        fake.add({ trace_id, trace_name: 'createServer', service_type: 'ECS', time: stamp, record_time: stamp });
      }
      await sleep(random.within(10, 200));
    }
  })();
  const restart = async (program: Program, place: typeof sending) => {
    await program.kill();
    return place.start({ until: random.chance(0.5) ? 'spawned' : 'ready' });
  };
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(random.within(200, 1_500));
    if (random.chance(0.5)) programs.sender = await restart(programs.sender, sending);
    else programs.receiver = await restart(programs.receiver, receiving);
  }
  await making;
  await Promise.all([programs.sender.ready(), programs.receiver.ready()]);

  const source = { source: 'ingest' };
  const why = () =>
    `all ${TRACES} traces:\n${programs.sender.log().slice(-1_500)}\n${programs.receiver.log().slice(-1_500)}`;
  const last = await eventually(why, async () => {
    const exposition = await collecting.collect();
    return exposition?.value('trailgauge_source_events_total', source) === TRACES ? exposition : null;
  });
  const labels = { service: 'ECS', resource_type: 'unknown', trace_type: 'unknown', rating: 'unknown' };
  t.equal(last.value('cts_traces_total', labels), TRACES, 'the receiver counts as if it had read them');
  const delivered = async () =>
    /trailgauge_writer_events_total\{writer="cloudevents"\} ([0-9]+)/.exec(
      await (await fetch(`${programs.sender.url}/metrics`)).text(),
    )?.[1];
  await eventually('the sender to know that all are there', async () => Number(await delivered()) === TRACES);
  const after = await collecting.collect();
  t.equal(after?.value('trailgauge_source_events_total', source), TRACES, 'what was sent again is a duplicate');
  t.equal(after?.value('trailgauge_source_rejected_total', { ...source, reason: 'shape' }), 0);
  for (const program of [programs.sender, programs.receiver])
    t.notOk(program.log().includes(token), 'no token is logged');
  await collecting.end();
  t.comment(`${after?.value('trailgauge_source_duplicates_total', source)} came again`);
});
