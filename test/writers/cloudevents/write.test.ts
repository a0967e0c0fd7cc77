import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../../src/core/event.ts';
import type { Written } from '../../../src/core/writer.ts';
import { noProof } from '../../../src/writers/cloudevents/doubt.ts';
import { cloudevents, cloudeventsIn } from '../../../src/writers/cloudevents/index.ts';
import { file, folder } from '../../support/cli.ts';
import { ctsEvents } from '../../support/cts-events.ts';
import { type FakeSink, fakeSink, type SinkSays } from '../../support/fake-sink.ts';
import { fixture } from '../../support/paths.ts';
import { deliver, openWriter, writeAll } from '../../support/writers.ts';

function events(count: number, prefix = 'event'): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix} ${index}`,
    time: 1_767_268_861_130,
    source: 'reaction',
    action: 'match',
    outcome: 'ok' as const,
    data: {},
  }));
}

function idsOf({ requests }: FakeSink): readonly (string | undefined)[] {
  return requests.map(({ event }) => event?.attributes.id);
}

/** A writer that is known to send to the right place. */
async function proven(t: Test, url: string, section: object = {}) {
  const writer = openWriter(t, cloudevents, { url, concurrency: 1, ...section });
  t.same(await writeAll(writer, events(1, 'first')), { kind: 'done', dead: [] });
  return writer;
}

t.test('each event arrives, in its attributes and its data', async (t) => {
  for (const mode of ['binary', 'structured'] as const) {
    const sink = await fakeSink(t);
    const writer = openWriter(t, cloudevents, { url: `${sink.url}?a=b`, mode });
    t.same(await writeAll(writer, ctsEvents()), { kind: 'done', dead: [] });
    t.equal(sink.accepted.size, ctsEvents().length);
    t.ok([...sink.accepted.values()].every((times) => times === 1));
    t.ok(sink.most() <= 4, 'no more than 4 at once');
    const named = new Map(sink.requests.map(({ event }) => [event?.attributes.id, event]));
    const unicode = named.get('cec1b348-e70c-11f0-9c00-02f1a7c40000');
    t.match(unicode?.attributes, { subject: 'Fässer "Süd" 100% 樽 🍷', domain: /^0c1d/, datacontenttype: /json/ });
    t.match(unicode?.data, { resource_name: 'Fässer "Süd" 100% 樽 🍷', trace_status: 'normal' });
    t.match(sink.requests[0], { method: 'POST', path: '/ns/broker?a=b' });
    t.notOk(
      sink.requests.some(({ headers }) => headers['content-encoding']),
      'nothing is compressed',
    );
    t.match(
      sink.requests.map(({ headers }) => headers['content-type']),
      sink.requests.map(() => (mode === 'binary' ? 'application/json' : 'application/cloudevents+json; charset=utf-8')),
    );
  }
});

t.test('a newline in a name breaks nothing', async (t) => {
  const sink = await fakeSink(t);
  const [event] = events(1);
  const named = { ...event!, target: { type: 'x', id: 'a\r\nce-id: b\u0000' } };
  t.same(await writeAll(openWriter(t, cloudevents, { url: sink.url }), [named]), { kind: 'done', dead: [] });
  t.match(sink.requests, [{ event: { attributes: { id: 'event 0', subject: 'a\r\nce-id: b\u0000' } } }]);
});

t.test('as many at once as are configured, in their order where it is one', async (t) => {
  const one = await fakeSink(t);
  await writeAll(openWriter(t, cloudevents, { url: one.url, concurrency: 1 }), events(20));
  t.equal(one.most(), 1);
  t.same(
    idsOf(one),
    events(20).map(({ id }) => id),
  );
});

interface Retry {
  readonly status: number | 'no answer' | 'timeout';
  readonly action: 'done' | 'retry' | 'drop' | 'hold';
}

const table = JSON.parse(readFileSync(fixture('cts/cloudevents/retry.json'), 'utf8')) as readonly Retry[];

t.test('what follows from each answer', async (t) => {
  for (const { status, action } of table) {
    const says: SinkSays = status === 'no answer' ? 'cut' : status === 'timeout' ? 'hang' : status;
    const sink = await fakeSink(t, { say: (_, turn) => (turn === 1 ? says : 202) });
    const writer = await proven(t, sink.url, { timeout: status === 'timeout' ? '200ms' : '20s' });
    const written = await writeAll(writer, events(1));
    const wanted: Readonly<Record<Retry['action'], object>> = {
      done: { kind: 'done', dead: [] },
      retry: { kind: 'later', settled: [], dead: [], hold: false },
      hold: { kind: 'later', settled: [], dead: [], hold: true },
      drop: { kind: 'done', dead: [{ index: 0, reason: status === 413 || status === 431 ? 'too_large' : 'rejected' }] },
    };
    t.match(written, wanted[action], `${status}`);
    const text = written.kind === 'later' ? written.text : (written.dead[0]?.text ?? '');
    if (typeof status === 'number' && action !== 'done') t.match(text, new RegExp(`^HTTP ${status}(?:$|[: ])`));
    t.notMatch(text, /not for machines/, 'bodies are not looked at');
    if (action === 'done' || action === 'drop') continue;
    t.same(await writeAll(writer, events(1)), { kind: 'done', dead: [] });
    const [, before, after] = sink.requests;
    t.equal(after?.bytes, before?.bytes, `${status}: the same bytes again`);
  }
});

t.test('each try is of the same bytes, also after a start', async (t) => {
  const sink = await fakeSink(t, { say: (_, turn) => (turn < 6 ? 503 : 202) });
  const section = { url: sink.url, overrides: { cluster: 'north' }, concurrency: 1 };
  for (let start = 0; start < 3; start++) {
    const writer = openWriter(t, cloudevents, section);
    for (let attempt = 0; attempt < 3; attempt++) await writeAll(writer, ctsEvents().slice(0, 1));
  }
  t.equal(sink.requests.length, 9);
  t.equal(new Set(sink.requests.map(({ bytes }) => bytes)).size, 1);
});

t.test('what is said of a wait', async (t) => {
  const says: readonly SinkSays[] = [
    { status: 429, headers: { 'retry-after': '7' } },
    { status: 503, headers: { 'retry-after': '86400' } },
    { status: 503, headers: {} },
  ];
  const sink = await fakeSink(t, { say: (_, turn) => says[turn] ?? 202 });
  const { waits, done } = await deliver(openWriter(t, cloudevents, { url: sink.url, concurrency: 1 }), events(3));
  t.same(waits, [7_000, 300_000, 0]);
  t.equal(done, 3);
  t.match(cloudevents, { pace: { firstMs: 250, maxMs: 30_000, holdMs: 30_000, maxHoldMs: 300_000 } });
});

t.test('where a redirect leads is told, and not followed', async (t) => {
  const headers = { location: 'https://elsewhere.test/in?token=secret' };
  const sink = await fakeSink(t, { say: () => ({ status: 307, headers }) });
  const written = await writeAll(openWriter(t, cloudevents, { url: sink.url }), events(1));
  t.match(written, {
    kind: 'later',
    hold: true,
    text: 'HTTP 307 to https://elsewhere.test/in: redirects are not followed; wanted the address itself as url',
  });
  t.equal(sink.requests.length, 1);
});

t.test('those that arrived are not sent again when one has to wait', async (t) => {
  const isBusy = (id: string | undefined) => id === 'event 5';
  let busy = true;
  const sink = await fakeSink(t, { say: ({ event }) => (busy && isBusy(event?.attributes.id) ? 503 : 202) });
  const writer = openWriter(t, cloudevents, { url: sink.url });
  const first = await writeAll(writer, events(30));
  if (first.kind !== 'later') throw new Error('it was busy');
  t.notOk(first.settled.includes(5));
  t.ok(first.settled.length >= 2 && first.settled.length < 29, 'no more were begun');
  busy = false;
  t.equal(
    (
      await deliver(
        writer,
        events(30).filter((_, index) => !first.settled.includes(index)),
      )
    ).done,
    30 - first.settled.length,
  );
  t.same([...sink.accepted.values()], new Array(30).fill(1));
});

t.test('requests that failed are counted one by one', async (t) => {
  const sink = await fakeSink(t, { say: () => 503 });
  const written = await writeAll(openWriter(t, cloudevents, { url: sink.url, concurrency: 4 }), events(9));
  t.match(written, { kind: 'later', failures: sink.requests.length });
  t.ok(sink.requests.length > 1);
});

t.test('an answer whose body has no end is one all the same', async (t) => {
  const sink = await fakeSink(t, { say: () => 'stall' });
  const writer = openWriter(t, cloudevents, { url: sink.url });
  t.same(await writeAll(writer, events(8)), { kind: 'done', dead: [] });
});

t.test('a sink that hangs is given up, and so is all when it has to end', async (t) => {
  const sink = await fakeSink(t, { say: () => 'hang' });
  const slow = openWriter(t, cloudevents, { url: sink.url, timeout: '150ms' });
  t.match(await writeAll(slow, events(2)), {
    kind: 'later',
    hold: false,
    text: /no answer within 0.15 s; does a firewall/,
  });
  const abort = new AbortController();
  const writer = openWriter(t, cloudevents, { url: sink.url });
  const writing = writer.write(events(10), abort.signal);
  abort.abort();
  t.match(await writing, { kind: 'later', settled: [], dead: [], hold: false });
});

t.test('no refusal is for good before the sink took something', async (t) => {
  const isBad = (id: string | undefined) => /[02]$/.test(id ?? '');
  const sink = await fakeSink(t, { say: ({ event }) => (isBad(event?.attributes.id) ? 400 : 202) });
  const writer = openWriter(t, cloudevents, { url: sink.url, concurrency: 1 });
  const alone = await writeAll(writer, events(1));
  t.match(alone, {
    kind: 'later',
    settled: [],
    dead: [],
    hold: false,
    more: true,
    text: /^one event is refused, .*HTTP 400/,
  });
  const written = await writeAll(writer, events(3));
  t.equal(written.kind, 'done');
  t.same(written.dead.map(({ index }) => index).sort(), [0, 2], 'the second was accepted');
  t.match(idsOf(sink), ['event 0', 'event 1', 'event 2', 'event 0'], 'those not tried before come first');
});

t.test('twenty refusals in a row are no matter of the events', async (t) => {
  let right = false;
  const sink = await fakeSink(t, { say: () => (right ? 202 : 400) });
  const writer = openWriter(t, cloudevents, { url: sink.url, concurrency: 1 });
  const first = await writeAll(writer, events(50));
  t.match(first, {
    kind: 'later',
    settled: [],
    dead: [],
    hold: true,
    text: /^20 events are refused, so many in a row that url/,
  });
  t.equal(sink.requests.length, 20);
  t.match(await writeAll(writer, events(50)), { kind: 'later', settled: [], dead: [], hold: true });
  t.equal(sink.requests.length, 21, 'it is asked once more, and not hammered');
  t.equal(idsOf(sink).at(-1), 'event 20', 'with one that was not refused');
  right = true;
  t.equal((await deliver(writer, events(50))).done, 50, 'nothing was lost by it');
});

t.test('twenty in a row hold one that was proven, too', async (t) => {
  const sink = await fakeSink(t, { say: (_, turn) => (turn === 0 ? 202 : 415) });
  const writer = await proven(t, sink.url);
  const written: Written = await writeAll(writer, events(50));
  t.match(written, { kind: 'later', hold: true });
  t.equal(written.dead.length, 19);
});

t.test('a proof lasts for 10 min', async (t) => {
  let now = 0;
  const doubt = noProof(() => now);
  t.notOk(doubt.isProven());
  doubt.accepted();
  now = 600_000;
  t.ok(doubt.isProven());
  now = 600_001;
  t.notOk(doubt.isProven());
  for (let i = 0; i < 19; i++) doubt.refused(`${i}`);
  doubt.refused('3');
  t.notOk(doubt.isWrong());
  doubt.refused('19');
  t.ok(doubt.isWrong());
  t.same(doubt.order(['3', 'x', '4', 'y']), [1, 3, 0, 2]);
  doubt.accepted();
  t.notOk(doubt.isWrong());
  t.same(doubt.order(['3', 'x']), [0, 1]);
});

t.test('a token that Knative put there is sent, and read again after it was refused', async (t) => {
  const place = folder(t);
  const token = file(place, 'token', 'old\n');
  const sink = await fakeSink(t, { say: ({ headers }) => (headers.authorization === 'Bearer new' ? 202 : 401) });
  const spec = cloudeventsIn({ certificates: join(place, 'none'), token });
  const writer = openWriter(t, spec, {}, { env: { K_SINK: sink.url } });
  const refused = await writeAll(writer, events(1));
  t.match(refused, { kind: 'later', hold: true, text: /^HTTP 401: wanted a token in \/oidc\/token/ });
  file(place, 'token', 'new');
  t.same(await writeAll(writer, events(1)), { kind: 'done', dead: [] });
  t.same(
    sink.requests.map(({ headers }) => headers.authorization),
    ['Bearer old', 'Bearer new'],
  );
  rmSync(token);
  const other = openWriter(t, spec, {}, { env: { K_SINK: sink.url } });
  await writeAll(other, events(1));
  t.equal(sink.requests.at(-1)?.headers.authorization, undefined);
  file(place, 'token', 'a\nb');
  const broken = openWriter(t, spec, {}, { env: { K_SINK: sink.url } });
  t.match(await writeAll(broken, events(1)), {
    kind: 'later',
    hold: true,
    text: /^token: found spaces or control characters/,
  });
});

t.test('the token is for $K_SINK and for nobody else', async (t) => {
  const place = folder(t);
  const spec = cloudeventsIn({ certificates: place, token: file(place, 'token', 'secret') });
  const sink = await fakeSink(t);
  for (const [env, wanted] of [
    [{ K_SINK: 'http://broker.test/' }, undefined],
    [{ K_SINK: new URL('/other', sink.url).href }, 'Bearer secret'],
    [{}, 'Bearer secret'],
  ] as const) {
    t.same(await writeAll(openWriter(t, spec, { url: sink.url }, { env }), events(1)), { kind: 'done', dead: [] });
    t.equal(sink.requests.at(-1)?.headers.authorization, wanted);
  }
});
