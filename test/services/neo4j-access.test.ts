import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { neo4j } from '../../src/writers/neo4j/index.ts';
import { folder } from '../support/cli.ts';
import { startNeo4j } from '../support/neo4j.ts';
import { certificate } from '../support/neo4j-certificate.ts';
import { traces } from '../support/neo4j-traces.ts';
import { need } from '../support/services.ts';
import { findingsOf, openWriter, writeAll } from '../support/writers.ts';

t.setTimeout(170_000);

t.test('with a password, TLS, and only to be read', async (t) => {
  if (!need(t, 'neo4j', 'openssl')) return;
  let ca = '';
  const server = await startNeo4j(t, {
    password: 'not-a-real-secret',
    furnish: (place) => {
      ca = certificate(place);
    },
    settings: [
      'server.bolt.tls_level=REQUIRED',
      'dbms.ssl.policy.bolt.enabled=true',
      'dbms.ssl.policy.bolt.client_auth=NONE',
      'dbms.ssl.policy.bolt.base_directory=certificates',
    ],
  });
  const { uri } = server;
  const well = { uri, ca, password: 'not-a-real-secret' };
  const last = async (section: object, env: NodeJS.ProcessEnv = {}) =>
    (await findingsOf(neo4j, section, { env })).at(-1)?.detail ?? '';
  t.match(await last(well), /^database neo4j: it may be written to$/);
  t.match(await last({ ...well, uri: uri.replace('bolt', 'neo4j+s') }), /it may be written to$/);
  t.match(await last({ ca }, { NEO4J_URI: uri, NEO4J_PASSWORD: 'not-a-real-secret' }), /it may be written to$/);
  t.match(await last({ ...well, password: 'another' }), /Security\.Unauthorized.*; set user and password right/);
  t.match(await last({ ...well, password: null }), /Security\..*; set user and password right/);
  t.match(await last({ uri: uri.replace('bolt', 'bolt+s'), password: 'x' }), /; set ca to the file/);
  t.match(await last({ uri, password: 'x' }), /; does the server want TLS/);

  const file = join(folder(t), 'password');
  writeFileSync(file, 'another');
  const writer = openWriter(t, neo4j, { ...well, password: { file } });
  t.match(await writeAll(writer, traces(3)), { kind: 'later', hold: true, settled: [], text: /Unauthorized/ });
  // After three wrong ones the server would say that there were too many, and refuse the right one, too.
  for (let times = 0; times < 5; times++) {
    const again = await writeAll(writer, traces(3));
    t.match(again, { kind: 'later', hold: true, text: /Unauthorized/ }, 'the same password is not tried again at once');
  }
  writeFileSync(file, 'not-a-real-secret');
  t.same(await writeAll(writer, traces(3)), { kind: 'done', dead: [] }, 'another one is');

  await server.kill();
  server.configure('server.databases.default_to_read_only=true');
  await server.start();
  t.match(await last(well), /ReadOnly.*; this member or database may only be read/);
  const reading = openWriter(t, neo4j, well);
  t.match(await writeAll(reading, traces(9)), { kind: 'later', hold: true, settled: [], dead: [], text: /ReadOnly/ });
});
