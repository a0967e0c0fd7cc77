import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Event } from '../../src/core/event.ts';
import type { OpenedWriter } from '../../src/core/writer.ts';
import { neo4j } from '../../src/writers/neo4j/index.ts';
import { type Neo4j, startNeo4j } from '../support/neo4j.ts';
import { totalsOf } from '../support/neo4j-graph.ts';
import { traces } from '../support/neo4j-traces.ts';
import { need } from '../support/services.ts';
import { freePort } from '../support/time-series.ts';
import { eventually } from '../support/trailgauge.ts';
import { findingsOf, openWriter, writeAll } from '../support/writers.ts';

t.setTimeout(170_000);

t.test('a real Neo4j, and what goes wrong', async (t) => {
  if (!need(t, 'neo4j')) return;
  const server = await startNeo4j(t);
  const parts: readonly (readonly [string, (t: Test, server: Neo4j) => Promise<void>])[] = [
    ['two processes write the same at once', twoProcesses],
    ['one bad event among many', oneBad],
    ['old events are deleted', retention],
    ['doctor', doctor],
    ['killed and started again', interruptions],
    ['frozen', frozen],
  ];
  for (const [name, part] of parts) {
    await t.test(name, async (t) => {
      await server.clear();
      await part(t, server);
    });
  }
});

async function twoProcesses(t: Test, server: Neo4j): Promise<void> {
  const path = fileURLToPath(new URL('../support/neo4j-writing.js', import.meta.url));
  const children = [0, 1].map((shift) => fork(path, [server.uri, '1000', String(shift)], { execArgv: [] }));
  t.teardown(() => children.map((child) => child.kill('SIGKILL')));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  t.same(codes, [0, 0]);
  t.match(await totalsOf(server), { events: 1_000, touched: 1_000, used: 1_000, failures: 100 });
}

async function oneBad(t: Test, server: Neo4j): Promise<void> {
  await server.query('CREATE CONSTRAINT of_somebody_else FOR (n:Event) REQUIRE n.code IS UNIQUE');
  await server.query("CREATE (:Event {key: 'x', code: 'taken'})");
  const bad = (event: Event) => ({ ...event, data: { ...event.data, code: 'taken' } });
  const all = traces(200).map((event, index) => (index === 77 || index === 150 ? bad(event) : event));
  const writer = openWriter(t, neo4j, { uri: server.uri });
  const written = await writeAll(writer, all);
  t.match(written, {
    kind: 'done',
    dead: [
      { index: 77, reason: 'rejected' },
      { index: 150, reason: 'rejected' },
    ],
  });
  t.match(written.dead[0]?.text, /ConstraintValidationFailed/);
  t.match(await totalsOf(server), { events: 199, touched: 198 });

  const two = await writeAll(
    writer,
    [bad(all[1]!), bad(all[2]!)].map((event, index) => ({ ...event, id: `new ${index}` })),
  );
  t.match(two, { kind: 'later', hold: true, settled: [], dead: [] }, 'all of a batch: it is not they');
  t.match((two as { readonly text: string }).text, /every event of a batch is refused/);
  const one = await writeAll(writer, [{ ...bad(all[1]!), id: 'new' }]);
  t.match(one, { kind: 'done', dead: [{ index: 0 }] }, 'one alone, as the server takes statements');
  await server.query('DROP CONSTRAINT of_somebody_else');
}

async function retention(t: Test, server: Neo4j): Promise<void> {
  const [trace] = traces(1);
  const two = [
    { ...trace!, id: 'old', time: Date.now() - 91 * 86_400_000 },
    { ...trace!, id: 'young', time: Date.now() },
  ];
  t.same(await writeAll(openWriter(t, neo4j, { uri: server.uri }), two), { kind: 'done', dead: [] });
  await server.query("UNWIND range(1, 5999) AS i CREATE (:Event {key: toString(i), time: datetime('2020-01-01')})");
  const log: string[] = [];
  openWriter(t, neo4j, { uri: server.uri, retention: '90d' }, { log });
  await eventually('old events to go', async () => (await totalsOf(server)).events === 1);
  t.match(await totalsOf(server), { touched: 2, used: 2 }, 'sums stay');
  await eventually('a line in the log', () => log.some((line) => line.includes('"events":6000')));
  const away = openWriter(t, neo4j, { uri: 'bolt://127.0.0.1:1', retention: '90d' });
  await away.close();
}

async function interruptions(t: Test, server: Neo4j): Promise<void> {
  const all = traces(1_200);
  const writer = openWriter(t, neo4j, { uri: server.uri, timeout: '5s' });
  t.same(await writeAll(writer, all.slice(0, 200)), { kind: 'done', dead: [] });

  await server.kill();
  const giving = new AbortController();
  const given = writer.write(all.slice(200, 400), giving.signal);
  const stopping = setTimeout(() => giving.abort(), 300);
  t.match(await given, { kind: 'later', settled: [], dead: [], hold: false }, 'it is away, and the program ends');
  clearTimeout(stopping);
  t.match(await writeAll(writer, all.slice(200, 400)), { kind: 'later', hold: false, text: /ECONNREFUSED/ });
  await server.start();
  t.same(await writeAll(writer, all.slice(200, 400)), { kind: 'done', dead: [] }, 'it is there again');

  const delivered = Promise.all(
    [400, 800].map((start) => persist(openWriter(t, neo4j, { uri: server.uri }), all.slice(start, start + 400), 50)),
  );
  await eventually('some of it', async () => (await totalsOf(server)).events > 400);
  await server.kill();
  await server.start();
  await delivered;
  await writeAll(writer, all);
  t.match(await totalsOf(server), { events: 1_200, touched: 1_200, used: 1_200, failures: 120 });
}

async function frozen(t: Test, server: Neo4j): Promise<void> {
  const writer = openWriter(t, neo4j, { uri: server.uri });
  t.same(await writeAll(writer, traces(10)), { kind: 'done', dead: [] });
  server.freeze(true);
  const giving = new AbortController();
  setTimeout(() => giving.abort(), 500);
  t.match(await writer.write(traces(20), giving.signal), { kind: 'later', settled: [], text: /stopped/ });
  server.freeze(false);
  t.same(await writeAll(writer, traces(20)), { kind: 'done', dead: [] });
  t.match(await totalsOf(server), { events: 20, touched: 20, used: 20 });
}

async function doctor(t: Test, server: Neo4j): Promise<void> {
  const { uri } = server;
  const cases: readonly (readonly [section: object, ...details: RegExp[]])[] = [
    [{ uri }, /: Neo4j 5\.26\.[0-9]+ community, database neo4j$/, /^database neo4j: it may be written to$/],
    [{ uri: uri.replace('bolt', 'neo4j') }, /: Neo4j 5/, /written to$/],
    [{ uri, database: 'nowhere' }, /DatabaseNotFound: .*; create the database, or set database/],
    [{ uri: uri.replace('bolt', 'bolt+s') }, /the server speaks no TLS: leave \+s out of uri/],
    [{ uri: `bolt://127.0.0.1:${await freePort()}` }, /ECONNREFUSED.*; is the server running/],
    [{ uri: `neo4j://127.0.0.1:${await freePort()}` }, /ECONNREFUSED.*; is the server running/],
    [{ uri: 'neo4j://no-such-host.invalid' }, /(?:ENOTFOUND|EAI_AGAIN).*; is the host name of uri right/],
    [{ uri, ca: '/no/such.pem' }, /ca: cannot read \/no\/such\.pem: ENOENT/],
  ];
  for (const [section, ...details] of cases) {
    const findings = await findingsOf(neo4j, section);
    t.match(
      findings.map(({ detail }) => detail),
      details,
    );
    t.equal(findings.length, details.length, JSON.stringify(findings));
    t.ok(findings.every(({ ok }) => ok === details.length > 1));
  }
}

/** Gives events again and again until they are settled, as the loop of a writer does. */
async function persist(writer: OpenedWriter, events: readonly Event[], size: number): Promise<void> {
  for (let start = 0; start < events.length; ) {
    const written = await writeAll(writer, events.slice(start, start + size));
    if (written.dead.length > 0) throw new Error(JSON.stringify(written.dead[0]));
    if (written.kind === 'done') start += size;
    else await delay(500);
  }
}
