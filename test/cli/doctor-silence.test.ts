import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { cli, file, folder, isForPeople, launch } from '../support/cli.ts';
import { fixture } from '../support/paths.ts';
import { eventually } from '../support/trailgauge.ts';

interface Silence {
  readonly host: string;
  /** Those that are connected now. */
  connections(): number;
}

/** A server that takes connections, and never says anything. */
async function silence(t: Test): Promise<Silence> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).resume());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => sockets.size };
}

/** Sources and writers that wait for the silent server, and one between that does not. */
function config(place: string, host: string): string {
  const store = { endpoint: `http://${host}`, bucket: 'logs', access_key: 'a', secret_key: 'b' };
  const auth = { url: `http://${host}/v3`, username: 'u', password: 'p', user_domain: 'd', project: 'eu-de' };
  const sources = {
    cts: { auth },
    cloudtrail: { ...store, digests: true },
    ingest: { cloudevents: {} },
    's3-audit': store,
  };
  const url = `http://${host}`;
  const writers = {
    influx: { url, database: 'trails' },
    elasticsearch: { url, index: 'trails' },
    cloudevents: { url },
    neo4j: { uri: `bolt://${host}` },
  };
  const state = { directory: join(place, 'state') };
  return file(place, 'c.json', JSON.stringify({ state, sources, writers }));
}

t.test('servers that never answer are not waited for without end', async (t) => {
  const place = folder(t);
  const { host } = await silence(t);
  const { code, stdout, stderr } = await cli(['-c', config(place, host), 'doctor']);
  t.equal(code, 1);
  t.equal(stderr, '');
  t.ok(isForPeople(stdout), stdout);
  const silent = 'no answer within 10 s';
  const firewall = 'does a firewall or a wrong address keep the server away?';
  const store = `cannot list bucket logs at ${host}: ${silent}; check the endpoint and the network`;
  t.same(stdout.trimEnd().split('\n').slice(2), [
    'ok   cts: settings: a poll each 60 s, looking back 300 s',
    `ok   cts: credentials: password of u, at http://${host}/v3`,
    `FAIL cts: auth_token: POST http://${host}/v3/auth/tokens: ${silent}`,
    `FAIL cloudtrail: ${store}`,
    'ok   ingest: receives at /ingest/cloudevents (as ingest/NAME: /ingest/NAME/cloudevents), from this machine alone, as no token is set',
    `FAIL s3-audit: ${store}`,
    `FAIL writer influx: POST http://${host}/write: ${silent}; ${firewall}`,
    `FAIL writer elasticsearch: GET http://${host}/: ${silent}; ${firewall}`,
    `FAIL writer cloudevents: OPTIONS http://${host}/: ${silent}; ${firewall}`,
    `FAIL writer neo4j: bolt://${host}: ${silent}; ${firewall}`,
  ]);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends it at once, and is nobody's fault`, async (t) => {
    const place = folder(t);
    const { host, connections } = await silence(t);
    const child = launch(['-c', config(place, host), 'doctor']);
    child.stdin.end();
    const [stdout, stderr, exit] = [text(child.stdout), text(child.stderr), once(child, 'exit')];
    await eventually('all to be connected side by side', () => connections() === 7);
    child.kill(signal);
    t.same(await exit, [1, null]);
    t.notMatch(await stdout, 'FAIL');
    t.match(await stdout, 'ok   ingest: ', 'what was found is told');
    const left = 'cts, cloudtrail, s3-audit, writer influx, writer elasticsearch, writer cloudevents, writer neo4j';
    t.equal(await stderr, `trailgauge: stopped before all was checked; not checked to the end: ${left}\n`);
  });
}

t.test('a program that is asked when it is stopped', async (t) => {
  const place = folder(t);
  const reaction = {
    config: fixture('reaction/etc'),
    command: fixture('reaction/reaction'),
    logs: { file: fixture('reaction/v2.log') },
  };
  const path = file(place, 'c.json', JSON.stringify({ state: { directory: join(place, 's') }, sources: { reaction } }));
  const child = launch(['-c', path, 'doctor'], { env: { FAKE_REACTION_MODE: 'hang' } });
  child.stdin.end();
  const [stderr, exit] = [text(child.stderr), once(child, 'exit')];
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  await eventually('the version to be told', () => stdout.includes('ok   reaction: reaction 2.3.0'));
  child.kill('SIGINT');
  t.same(await exit, [1, null]);
  t.notMatch(stdout, 'FAIL');
  t.equal(await stderr, 'trailgauge: stopped before all was checked; not checked to the end: reaction\n');
});
