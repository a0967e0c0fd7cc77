import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startFakeCts } from '../support/fake-cts.ts';
import { startNeo4j } from '../support/neo4j.ts';
import { seeded, seedOf } from '../support/random.ts';
import { need } from '../support/services.ts';
import { freePort } from '../support/time-series.ts';
import { eventually, home, type Program } from '../support/trailgauge.ts';

const KILLS = 6;
const TRACES = 600;
const USERS = ['mara.winter', 'jon.keller', 'ci-deploy'];
const seed = seedOf(20_261_124);

t.setTimeout(170_000);

t.test(`CTS, a program, another, and the graph: all killed in turn, ${KILLS} times (seed ${seed})`, async (t) => {
  if (!need(t, 'neo4j')) return;
  const random = seeded(seed);
  const graph = await startNeo4j(t);
  const fake = await startFakeCts(t);
  const port = await freePort();
  const receiving = home(t, {
    listen: { address: '127.0.0.1', port },
    sources: { ingest: { cloudevents: {} } },
    writers: { neo4j: { uri: graph.uri } },
  });
  const sending = home(t, {
    sources: { cts: { endpoint: fake.url, region: 'eu-de', auth: fake.auth, interval: '100ms' } },
    writers: { cloudevents: { url: `http://127.0.0.1:${port}/ingest/cloudevents` } },
  });
  let sender: Program = await sending.start();
  let receiver: Program = await receiving.start();
  const truth = new Map<string, number>();
  const making = (async () => {
    for (let made = 0; made < TRACES; ) {
      const stamp = Date.now();
      for (let count = random.within(1, 20); count > 0 && made < TRACES; count--) {
        const trace_id = `${(made++).toString(16).padStart(8, '0')}-e709-11f0-9c00-02f1a7c40000`;
        const name = USERS[random.within(0, USERS.length - 1)] ?? '';
        const resource_id = `vol-${random.within(0, 9)}`;
        const what = { trace_name: 'createVolume', service_type: 'EVS', resource_type: 'evs', trace_rating: 'normal' };
        fake.add({ trace_id, ...what, user: { name }, resource_id, time: stamp, record_time: stamp });
        truth.set(`${name} ${resource_id}`, (truth.get(`${name} ${resource_id}`) ?? 0) + 1);
      }
      await sleep(random.within(10, 200));
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(random.within(300, 2_000));
    if (kill % 3 === 0) {
      await sender.kill();
      sender = await sending.start({ until: 'spawned' });
    } else if (kill % 3 === 1) {
      await receiver.kill();
      receiver = await receiving.start({ until: 'spawned' });
    } else {
      await graph.kill();
      await graph.start();
    }
  }
  await making;

  const why = () =>
    `all ${TRACES} events in the graph:\n${sender.log().slice(-1_500)}\n${receiver.log().slice(-1_500)}`;
  await eventually(
    why,
    async () => (await graph.query('MATCH (e:Event) RETURN count(e) AS events'))[0]?.events === TRACES,
    90_000,
  );
  await graph.settled();
  const sums = await graph.query(
    'MATCH (a:Actor)-[t:TOUCHED]->(r:Resource) RETURN a.name AS name, r.id AS id, t.events AS events',
  );
  t.same(Object.fromEntries(sums.map(({ name, id, events }) => [`${name} ${id}`, events])), Object.fromEntries(truth));
  const [edges] = await graph.query(
    'MATCH (:Actor)-[p:PERFORMED]->(:Event)-[o:ON]->(:Resource) RETURN count(p) AS performed, count(o) AS on',
  );
  t.same(edges, { performed: TRACES, on: TRACES });
  const [account] = await graph.query(
    "MATCH (a:Account {kind: 'project'})-[:LOCATED_IN]->(r:Region) RETURN a.id AS id, r.name AS region",
  );
  t.same(account, { id: fake.facts.projectId, region: 'eu-de' }, 'where it was is known to the second program');
});
