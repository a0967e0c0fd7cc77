import { gzipSync } from 'node:zlib';
import t from 'tap';
import { get } from '../../support/http.ts';
import { startIngest } from '../../support/ingest-rig.ts';
import { Disk } from '../../support/queue-rig.ts';
import { receiveCases } from '../../support/receive-cases.ts';
import { eventually } from '../../support/trailgauge.ts';

const NOW = Date.UTC(2026, 4, 9, 10);
const BINARY = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 't' };
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCH = { 'content-type': 'application/cloudevents-batch+json' };
const own = (name: string, reason = '') =>
  `trailgauge_source_${name}_total{source="ingest"${reason && `,reason="${reason}"`}}`;

function json(id: string, members: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ specversion: '1.0', id, source: '/x', type: 't', ...members });
}

t.test('the requests of the fixture', async (t) => {
  for (const { name, status, headers, body, kind, events, rejected, token } of receiveCases()) {
    const rig = await startIngest(t, { section: { token: 'right' } });
    const right = { authorization: `Bearer ${token ?? 'right'}` };
    const shown = token === null || token === 'query' ? {} : right;
    const answer = await rig.post({ ...headers, ...shown }, body, token === 'query' ? '?token=right' : '');
    t.equal(answer.status, status, name);
    if (status === 202) t.match(answer, { text: '', headers: { 'content-length': '0' } }, name);
    const found = await rig.shown();
    t.equal(found[own('events')] ?? 0, events, name);
    const records = Object.entries(found).filter(([series]) => series.startsWith('test_records_total'));
    if (kind) t.equal(records.length, kind === 'cts' ? 1 : 0, name);
    if (kind === 'cts') t.match(records[0]?.[0], 'name="createVolume"', name);
    for (const [reason, count] of Object.entries(rejected ?? {})) t.equal(found[own('rejected', reason)], count, name);
    if (status === 400 && !rejected) {
      t.equal(found[own('items')], 1, name);
      t.equal(found[own('rejected', /cut|overlong/.test(name) ? 'malformed' : 'shape')], 1, name);
    }
    if (status === 401 || status === 415) t.notOk(own('items') in found, name);
    t.equal(found[own('bytes')] ?? 0, found[own('items')] || name === 'batch, empty' ? body.length : 0, name);
    t.notMatch(rig.logged(), /right/, 'the token is nobody else’s');
    await rig.close();
  }
});

t.test('an event counts once, however often it is sent, over restarts', async (t) => {
  const clock = { now: NOW };
  const before = await startIngest(t, { now: () => clock.now });
  for (let i = 0; i < 3; i++) t.equal((await before.post(BINARY)).status, 202);
  t.equal((await before.post({ ...BINARY, 'ce-source': '/y' })).status, 202, 'of another source it is another one');
  t.equal((await before.post(BATCH, `[${json('1')},${json('2')},${json('2')}]`)).status, 202);
  t.match(await before.shown(), { [own('items')]: 7, [own('events')]: 3, [own('duplicates')]: 4 });
  await before.close();
  const after = await startIngest(t, { now: () => clock.now, disk: before.disk });
  for (const id of ['1', '2', '3']) t.equal((await after.post(STRUCTURED, json(id))).status, 202);
  t.match(await after.shown(), { [own('events')]: 1, [own('duplicates')]: 2 });
  clock.now += 27 * 3_600_000;
  await after.post(STRUCTURED, json('4'));
  await after.post(STRUCTURED, json('5'));
  await after.post(STRUCTURED, json('1'));
  t.equal((await after.shown())[own('events')], 4, 'after a day it is forgotten');
});

t.test('what was refused may come again, repaired', async (t) => {
  const rig = await startIngest(t);
  const bad = await rig.post(STRUCTURED, json('1', { data: { trace_id: 'a' } }));
  t.match(bad, { status: 400, text: 'found no sound record in t 1 of /x\n' });
  t.match(await rig.post(BATCH, '[7]'), { status: 400, text: 'found a CloudEvent that is no JSON object\n' });
  t.equal(
    (await rig.post(STRUCTURED, json('1', { region: 'r', data: { trace_id: 'a', trace_name: 'n' } }))).status,
    202,
  );
  t.match(await rig.shown(), {
    [own('rejected', 'nameless')]: 1,
    [own('events')]: 1,
    'test_records_total{name="n",region="r"}': 1,
  });
});

t.test('it is answered when it is saved, not before, and not if it cannot be', async (t) => {
  let release = () => {};
  let trouble = false;
  let commits = 0;
  const rig = await startIngest(t, {
    commit: async (save) => {
      commits += 1;
      if (trouble) throw new Error('no space left');
      await new Promise<void>((resolve) => (release = resolve));
      save();
    },
  });
  let answered = false;
  const first = rig.post(BINARY).finally(() => (answered = true));
  await eventually('the commit', () => commits === 1);
  t.equal((await rig.shown())[own('events')], 1, 'it counts');
  t.notOk(answered);
  // Nothing is lost by it either.
  t.equal((await rig.post(STRUCTURED, '{')).status, 400, 'what is refused is refused at once');
  release();
  t.equal((await first).status, 202);
  trouble = true;
  const failed = await rig.post({ ...BINARY, 'ce-id': '2' });
  t.match(failed, { status: 503, headers: { 'retry-after': '5' } });
  trouble = false;
  const again = rig.post({ ...BINARY, 'ce-id': '2' });
  await eventually('the next commit', () => commits === 3);
  release();
  t.equal((await again).status, 202);
  t.match(await rig.shown(), { [own('events')]: 2, [own('duplicates')]: 1 });
});

t.test('many at once', async (t) => {
  let commits = 0;
  const rig = await startIngest(t, {
    commit: async (save) => {
      commits += 1;
      await new Promise((resolve) => setImmediate(resolve));
      save();
    },
  });
  const answers = await Promise.all([...Array(300)].map((_, i) => rig.post(STRUCTURED, json(`${i % 250}`))));
  t.ok(answers.every(({ status }) => status === 202));
  t.match(await rig.shown(), { [own('events')]: 250, [own('duplicates')]: 50 });
  t.equal(commits, 300);
});

t.test('the record that writers take', async (t) => {
  const rig = await startIngest(t, { queueDisk: new Disk(), now: () => NOW });
  const full = { subject: 's', time: '2026-05-09T09:00:00Z', authid: 'u', authtype: 'user', sourceip: '192.0.2.1' };
  const deep = JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`);
  const events = [
    json('1', { ...full, outcome: 'failure', datacontenttype: 'application/json', data: { a: 1 } }),
    json('2', { data_base64: '/w==', time: '2027-01-01T00:00:00Z' }),
    json('3', { data: { trace_id: 'a', trace_name: 'n' } }),
    json('4', { data: deep }),
    json('1', { source: '/y', authid: 'v', outcome: 'success' }),
  ];
  t.equal((await rig.post(BATCH, `[${events}]`)).status, 202);
  const [first, second, third, fourth, fifth] = rig.queued();
  t.match(first?.id, /^sha256-[0-9a-f]{32}$/);
  t.not(first?.id, fifth?.id, 'ids are unique for each source alone');
  t.same(first, {
    id: first?.id,
    time: Date.UTC(2026, 4, 9, 9),
    source: 'ingest',
    action: 't',
    outcome: 'failed',
    actor: { type: 'user', id: 'u', address: '192.0.2.1' },
    target: { type: 'subject', id: 's', name: 's' },
    data: {
      dataset: 'ingest',
      kind: 'cloudevent',
      origin: '/x',
      attributes: {
        ...full,
        specversion: '1.0',
        id: '1',
        source: '/x',
        type: 't',
        outcome: 'failure',
        datacontenttype: 'application/json',
      },
      raw: { a: 1 },
    },
  });
  t.match(second, { time: NOW, outcome: 'unknown', data: { raw: '/w==', encoding: 'base64' } });
  t.notOk(second && ('actor' in second || 'target' in second));
  t.match(third, { id: 'n', source: 'ingest', action: 'n' });
  t.equal(fourth?.data.raw, JSON.stringify(deep));
  t.match(fifth, { outcome: 'ok', actor: { type: 'unknown', id: 'v' } });
  t.notOk('raw' in (fifth?.data ?? {}));
});

t.test('packed bodies', async (t) => {
  const rig = await startIngest(t, { section: { max_body: 1_000 } });
  const send = (body: Buffer, encoding: string) =>
    fetch(`${rig.url}/ingest/cloudevents`, {
      method: 'POST',
      headers: { ...STRUCTURED, 'content-encoding': encoding },
      body: new Uint8Array(body),
    });
  t.equal((await send(gzipSync(json('1')), 'gzip')).status, 202);
  t.equal((await send(gzipSync(json('2')), ' X-GZIP')).status, 202);
  t.equal((await send(Buffer.from(json('3')), 'identity')).status, 202);
  t.equal((await send(gzipSync(json('4', { x: 'x'.repeat(2_000) })), 'gzip')).status, 413);
  t.equal((await send(gzipSync(json('5')).subarray(0, -9), 'gzip')).status, 400);
  t.equal((await send(Buffer.from(json('6')), 'gzip')).status, 400);
  const unknown = await send(Buffer.from(json('7')), 'br');
  t.equal(unknown.status, 415);
  t.equal(unknown.headers.get('accept-encoding'), 'gzip');
  t.match(await rig.shown(), { [own('events')]: 3, [own('rejected', 'malformed')]: 2, [own('items')]: 5 });
  const bombs = await Promise.all([...Array(20)].map(() => send(gzipSync(Buffer.alloc(100_000)), 'gzip')));
  t.ok(bombs.every(({ status }) => status === 413));
});

t.test('whoever asks whether events may be sent is told so', async (t) => {
  const rig = await startIngest(t, { section: { token: 'right' } });
  const ask = (headers: Readonly<Record<string, string>>) =>
    get(`${rig.url}/ingest/cloudevents`, { method: 'OPTIONS', headers });
  t.match(await ask({}), { status: 200, headers: { allow: 'POST' } });
  const told = await ask({ 'WebHook-Request-Origin': 'events.example.test', 'WebHook-Request-Rate': '120' });
  t.match(told.headers, {
    allow: 'POST',
    'webhook-allowed-origin': 'events.example.test',
    'webhook-allowed-rate': '*',
  });
});

t.test('an ending source takes nothing more', async (t) => {
  const rig = await startIngest(t);
  await rig.end();
  t.match(await rig.post(BINARY), { status: 503, headers: { 'retry-after': '5' } });
});

t.test('what it says of itself', async (t) => {
  const rig = await startIngest(t, { name: 'ingest/edge', section: { token: 'right' }, now: () => NOW });
  t.equal(rig.receiver.path, '/ingest/edge/cloudevents');
  t.equal(rig.pipeline.status().state, 'reading');
  t.same(rig.pipeline.status().remarks, [{ text: '/ingest/edge/cloudevents: 0 requests, 0 refused', bad: false }]);
  await rig.post(BINARY, '', '?token=right');
  await rig.post(BINARY);
  t.same(rig.pipeline.status().remarks, [
    {
      text: '/ingest/edge/cloudevents: 2 requests, 1 refused, the last of them at 2026-05-09T10:00:00.000Z: 401, wanted the configured token',
      bad: false,
    },
  ]);
});
