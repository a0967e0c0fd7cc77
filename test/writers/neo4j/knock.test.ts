import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { knock } from '../../../src/writers/neo4j/knock.ts';
import { openLink } from '../../../src/writers/neo4j/link.ts';
import { freePort } from '../../support/time-series.ts';
import { eventually } from '../../support/trailgauge.ts';

interface Door {
  readonly uri: string;
  readonly sockets: ReadonlySet<Socket>;
}

/** A server that says something, or nothing, to whoever connects and speaks. */
async function door(t: Test, says: string | null): Promise<Door> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', () => says !== null && socket.write(says));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { uri: `bolt://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

const PATIENT = { isEncrypted: false, signal: new AbortController().signal, limitMs: 60_000 };

t.test('somebody who answers, whatever it is', async (t) => {
  await knock((await door(t, '\0\0\x04\x05')).uri, PATIENT);
  await knock((await door(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')).uri, { ...PATIENT, isEncrypted: true });
});

t.test('nobody is there: the driver tells that better', async () => {
  await knock(`neo4j://127.0.0.1:${await freePort()}`, PATIENT);
  await knock('neo4j+s://no-such-host.invalid?region=x', { ...PATIENT, isEncrypted: true });
});

t.test('somebody who says nothing', async (t) => {
  const { uri, sockets } = await door(t, null);
  for (const isEncrypted of [false, true])
    await t.rejects(knock(uri, { ...PATIENT, isEncrypted, limitMs: 100 }), { message: /^no answer within/ });
  const ending = new AbortController();
  const knocking = knock(uri, { ...PATIENT, signal: ending.signal });
  ending.abort();
  await t.rejects(knocking, { message: /^stopped/ });
  await eventually('no connection to be left', () => sockets.size === 0);
});

t.test('a begin that hangs is given up, and made again', async (t) => {
  const { uri, sockets } = await door(t, '\0\0\x04\x05');
  const options = { uri, user: 'neo4j', database: 'neo4j', ca: null, timeoutMs: 30_000, env: {} };
  let begun = 0;
  const begin = () => (begun++ === 0 ? new Promise<never>(() => {}) : Promise.resolve());
  const link = openLink({ ...options, readPassword: async () => null }, begin, 100);
  await t.rejects(link.connect(), { message: /^no answer within/ });
  await link.connect();
  await link.close();
  begun = 0;
  const other = openLink({ ...options, readPassword: async () => null }, begin);
  const connecting = other.connect();
  await eventually('the begin', () => begun === 1);
  await Promise.all([t.rejects(connecting, { message: /^stopped/ }), other.close()]);
  await eventually('no connection to be left', () => sockets.size === 0);
});
