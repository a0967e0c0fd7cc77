import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../src/core/event.ts';
import { neo4j } from '../../src/writers/neo4j/index.ts';
import { ctsCases, ctsEvents } from '../support/cts-events.ts';
import { readMarkdown } from '../support/markdown.ts';
import { type Neo4j, startNeo4j } from '../support/neo4j.ts';
import { edgeTexts, type GraphText, graphText, nodeTexts, totalsOf } from '../support/neo4j-graph.ts';
import { TIME, traces } from '../support/neo4j-traces.ts';
import { fixture, root } from '../support/paths.ts';
import { need } from '../support/services.ts';
import { openWriter, writeAll } from '../support/writers.ts';

t.setTimeout(170_000);

t.test('a real Neo4j', async (t) => {
  if (!need(t, 'neo4j')) return;
  const server = await startNeo4j(t);
  const parts: readonly (readonly [string, (t: Test, server: Neo4j) => Promise<void>])[] = [
    ['model trails: the whole graph', trailsGraph],
    ['model cloudtrace: the whole graph', cloudtraceGraph],
    ['repeats, whole and partial, change nothing', repeats],
    ['an old graph with nodes that are there twice', duplicates],
    ['events of every source', everySource],
    ['the questions of README.md', questions],
  ];
  for (const [name, part] of parts) {
    await t.test(name, async (t) => {
      await server.clear();
      await part(t, server);
    });
  }
});

async function trailsGraph(t: Test, server: Neo4j): Promise<void> {
  const wanted = JSON.parse(readFileSync(fixture('neo4j/trails.json'), 'utf8')) as {
    readonly nodes: readonly { readonly label: string; readonly key: string; readonly properties: object }[];
    readonly relationships: readonly string[];
    readonly aggregated: readonly Readonly<Record<string, unknown>>[];
  };
  for (const uri of [server.uri, server.uri.replace('bolt', 'neo4j')]) {
    const writer = openWriter(t, neo4j, { uri });
    t.same(await writeAll(writer, ctsEvents()), { kind: 'done', dead: [] });
    const nodes = await server.query(
      'MATCH (n) RETURN labels(n)[0] AS label, n.key AS key, n {.*, time: toString(n.time), recorded: toString(n.recorded)} AS properties ORDER BY label, key',
    );
    t.same(
      nodes.map(({ label, key }) => `${label} ${key}`),
      wanted.nodes.map(({ label, key }) => `${label} ${key}`).toSorted(),
    );
    const found = new Map(nodes.map(({ label, key, properties }) => [`${label} ${key}`, properties]));
    for (const { label, key, properties } of wanted.nodes) {
      const of = found.get(`${label} ${key}`) as Readonly<Record<string, unknown>>;
      const told = Object.keys(properties).map((name) => [name, timeOf(of[name])]);
      t.same(Object.fromEntries(told), properties, `${label} ${key}`);
    }
    const relationships = await server.query(
      `MATCH (a)-[r]->(b) WHERE NOT type(r) IN ['TOUCHED', 'USED']
       RETURN labels(a)[0] + ' ' + a.key + ' -[' + type(r) + ']-> ' + labels(b)[0] + ' ' + b.key AS text`,
    );
    t.same(relationships.map(({ text }) => text).toSorted(), wanted.relationships.toSorted());
    const sums = await server.query(
      `MATCH (a)-[r:TOUCHED|USED]->(b)
       RETURN labels(a)[0] + ' ' + a.key AS from, type(r) AS type, labels(b)[0] + ' ' + b.key AS to,
         r.events AS events, r.failures AS failures, toString(r.first) AS first, toString(r.last) AS last`,
    );
    const shown = sums.map(({ first, last, ...rest }) => ({ ...rest, first: timeOf(first), last: timeOf(last) }));
    t.same(bySum(shown), bySum(wanted.aggregated));
  }
  const names = (await server.query('SHOW CONSTRAINTS YIELD name')).map(({ name }) => name);
  t.ok(names.includes('trails_event'), String(names));
}

async function cloudtraceGraph(t: Test, server: Neo4j): Promise<void> {
  const wanted = JSON.parse(readFileSync(fixture('neo4j/cloudtrace.json'), 'utf8')) as GraphText;
  const writer = openWriter(t, neo4j, { uri: server.uri, model: 'cloudtrace' });
  const others: readonly Event[] = [{ ...traces(1)[0]!, source: 'reaction', data: {} }];
  for (let time = 0; time < 2; time++) {
    t.same(await writeAll(writer, [...others, ...ctsEvents()]), { kind: 'done', dead: [] });
    const found = await graphText(server);
    t.same(found.nodes, [...wanted.nodes].toSorted());
    t.same(found.relationships, [...wanted.relationships].toSorted());
  }
  const [plain] = ctsCases();
  const [action] = await server.query(
    'MATCH (a:ACTION {id: $id}) RETURN a.source AS source, a.type AS type, toString(a.timestamp) AS time',
    { id: plain?.event.id },
  );
  t.same(action, {
    source: plain?.event.data.origin,
    type: 'evs.apicall.evs.createvolume',
    time: '2026-01-01T12:01:01.13Z',
  });
  t.same(await server.query('MATCH (t:TENANT) RETURN t.domainId AS domain'), [{ domain: plain?.event.data.account }]);
}

async function repeats(t: Test, server: Neo4j): Promise<void> {
  const all = traces(1_200);
  for (const model of ['trails', 'cloudtrace']) {
    await server.clear();
    const writer = openWriter(t, neo4j, { uri: server.uri, model });
    t.same(await writeAll(writer, all.slice(0, 500)), { kind: 'done', dead: [] });
    t.same(await writeAll(writer, all.slice(250, 750)), { kind: 'done', dead: [] }, 'partly known');
    t.same(await writeAll(writer, [...all.slice(700), ...all.slice(700)]), { kind: 'done', dead: [] }, 'twice in one');
    const before = await totalsOf(server);
    t.same(await writeAll(writer, all), { kind: 'done', dead: [] });
    const other = openWriter(t, neo4j, { uri: server.uri, model });
    t.same(await writeAll(other, all), { kind: 'done', dead: [] });
    t.same(await totalsOf(server), before, model);
    if (model === 'trails') t.same(before, { ...before, events: 1_200, touched: 1_200, used: 1_200, failures: 120 });
  }
}

async function duplicates(t: Test, server: Neo4j): Promise<void> {
  await server.dropSchema();
  await server.query(
    "CREATE (:RESOURCE {id: ''}), (:RESOURCE {id: ''}), (:ACTION {id: 'trace-000000', timestamp: 'x'})",
  );
  const log: string[] = [];
  const writer = openWriter(t, neo4j, { uri: server.uri, model: 'cloudtrace' }, { log });
  t.same(await writeAll(writer, traces(100)), { kind: 'done', dead: [] });
  t.same(await writeAll(openWriter(t, neo4j, { uri: server.uri, model: 'cloudtrace' }), traces(100)), {
    kind: 'done',
    dead: [],
  });
  t.equal(log.filter((line) => line.includes('plain indexes')).length, 1);
  const names = (await server.query('SHOW INDEXES YIELD name')).map(({ name }) => String(name));
  t.ok(names.includes('cloudtrace_resource_plain') && names.includes('cloudtrace_action'), String(names));
  t.same(await server.query('MATCH (a:ACTION) RETURN count(a) AS count'), [{ count: 100 }]);
}

async function everySource(t: Test, server: Neo4j): Promise<void> {
  const base = { time: TIME, outcome: 'ok' as const };
  const events: readonly Event[] = [
    {
      ...base,
      ...{ id: 'r1', source: 'reaction', action: 'match' },
      actor: { type: 'address', id: '2001:DB8::1', address: '2001:DB8::1' },
      target: { type: 'filter', id: 'ssh.failed', name: 'failed' },
      scope: { type: 'stream', id: 'ssh', name: 'ssh' },
      data: { stream: 'ssh' },
    },
    {
      ...base,
      ...{ id: 's1', source: 's3-audit/eu', action: 'GetObject', outcome: 'denied' },
      actor: { type: 'account', id: 'backup', address: '203.0.113.1' },
      target: { type: 'object', id: 'photos/a.jpg', name: 'a.jpg' },
      scope: { type: 'bucket', id: 'photos', name: 'photos' },
      data: { dataset: 's3-audit', kind: 'request' },
    },
    {
      ...base,
      ...{ id: 'c1', source: 'cloudtrail', action: 'RunInstances' },
      actor: { type: 'IAMUser', id: 'arn:aws:iam::1:user/ann', name: 'ann' },
      target: { type: 'service', id: 'ec2.amazonaws.com' },
      scope: { type: 'account', id: '1' },
      data: { dataset: 'cloudtrail', region: 'eu-west-1' },
    },
    {
      ...base,
      ...{ id: 'g1', source: 'gcp-logs', action: 'storage.get' },
      actor: { type: 'principal', id: 'a@b.c', name: 'a@b.c' },
      target: { type: 'gcs_bucket', id: 'b' },
      scope: { type: 'project', id: 'demo' },
      data: { dataset: 'gcp-logs', message: 'ü\ud800' },
    },
    {
      ...base,
      id: 'sha256-a',
      source: 'ingest',
      action: 'com.x',
      data: { dataset: 'ingest', kind: 'cloudevent', origin: '/a' },
    },
    {
      ...base,
      id: 'sha256-b',
      source: 'ingest',
      action: 'com.x',
      data: { dataset: 'ingest', kind: 'cloudevent', origin: '/b' },
    },
    { ...base, id: 'x'.repeat(3_000), time: Number.NaN, source: 'reaction', action: '', data: {} },
  ];
  const writer = openWriter(t, neo4j, { uri: server.uri });
  t.same(await writeAll(writer, events), { kind: 'done', dead: [] });
  t.matchOnly(await nodeTexts(server), [
    'Account cloudtrail:1',
    'Account gcp-logs:demo',
    'Account reaction:stream:ssh',
    'Account s3-audit/eu:bucket:photos',
    'Actor cloudtrail::arn:aws:iam::1:user/ann',
    'Actor gcp-logs::a@b.c',
    'Actor s3-audit/eu::backup',
    'Address 2001:db8::1',
    'Address 203.0.113.1',
    'Event cloudtrail:c1',
    'Event gcp-logs:g1',
    'Event ingest:sha256-a',
    'Event ingest:sha256-b',
    'Event reaction:r1',
    /^Event reaction:x{891}#[0-9a-f]{64}$/,
    'Event s3-audit/eu:s1',
    'Region cloudtrail:eu-west-1',
    'Resource cloudtrail:1::service:ec2.amazonaws.com',
    'Resource gcp-logs:demo::gcs_bucket:b',
    'Resource reaction:ssh::filter:ssh.failed',
    'Resource s3-audit/eu:photos::object:photos/a.jpg',
  ]);
  t.ok((await edgeTexts(server)).includes('Event reaction:r1 -[FROM]-> Address 2001:db8::1'));
}

const DAY = 86_400_000;

/** Each has an answer in a graph where just that has happened. */
async function questions(t: Test, server: Neo4j): Promise<void> {
  const now = Date.now();
  const [base] = traces(1);
  const by = (name: string, address: string) => ({
    actor: { type: 'user', id: name, name, address },
    data: { ...base?.data, userId: name, userName: name, resourceId: 'r1', resourceName: 'safe' },
  });
  const event = (id: string, time: number, more: Partial<Event>): Event => ({
    ...base!,
    id,
    time,
    outcome: 'ok',
    ...more,
  });
  const ann = by('ann', '203.0.113.1');
  const events: readonly Event[] = [
    event('old', now - 60 * DAY, { ...ann, action: 'createVolume' }),
    event('credential', now - DAY / 2, { ...ann, action: 'createCredential', outcome: 'failed' }),
    event('new address', now - DAY / 4, { ...by('ann', '198.51.100.7'), action: 'deleteTracker' }),
    event('critical', now - DAY / 8, {
      ...ann,
      action: 'createAssignment',
      data: { ...ann.data, severity: 'critical' },
    }),
    ...Array.from({ length: 5 }, (_, index) =>
      event(`spray ${index}`, now - 1_000, {
        ...by(`user ${index}`, '198.51.100.7'),
        action: 'login',
        outcome: 'denied',
      }),
    ),
  ];
  t.same(await writeAll(openWriter(t, neo4j, { uri: server.uri }), events), { kind: 'done', dead: [] });
  const { blocks, prose } = readMarkdown(readFileSync(join(root, 'README.md'), 'utf8'));
  const asked = blocks.filter(({ info }) => info === 'cypher');
  t.equal(asked.length, 10, 'README.md has ten questions');
  for (const { text, line } of asked) {
    // Two lines above the fence is the question, and whose name it wants.
    const question = prose[line - 3] ?? '';
    const name = question.includes('name of the resource') ? 'safe' : 'ann';
    t.ok((await server.query(text, { name })).length > 0, question);
  }
}

function timeOf(text: unknown): unknown {
  return typeof text === 'string' && /^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text).toISOString() : text;
}

function bySum(rows: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  const key = ({ from, type, to }: Readonly<Record<string, unknown>>) => `${from} ${type} ${to}`;
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
