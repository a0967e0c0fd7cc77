import fc from 'fast-check';
import { pino } from 'pino';
import t from 'tap';
import { NO_ADDRESSES } from '../../../src/core/addresses.ts';
import { Registry } from '../../../src/core/metrics/registry.ts';
import { startPipeline } from '../../../src/core/pipeline.ts';
import { isRejected } from '../../../src/core/source.ts';
import { ingestSource } from '../../../src/sources/ingest/index.ts';
import { show } from '../../support/exposition.ts';
import { TRACES } from '../../support/ingest-rig.ts';

const SPEC = ingestSource([TRACES]);

t.test('its metrics are those of its kinds', async (t) => {
  t.same(Object.keys(SPEC.metrics), ['test records']);
  t.same(SPEC.reasons, ['malformed', 'shape', 'nameless']);
  t.same(ingestSource([]).reasons, ['malformed', 'shape']);
});

function openSource() {
  const registry = new Registry({ seriesLimit: 100 });
  return SPEC.open(SPEC.config.parse(SPEC.blank), {
    name: 'ingest',
    metrics: registry.register('ingest', SPEC.metrics),
    aside: registry.register('ingest', SPEC.metrics),
    log: pino({ level: 'silent' }),
    env: {},
    report: { problem: () => {}, error: () => {}, duplicate: () => {} },
    now: () => 0,
    follow: false,
    events: true,
    range: { since: null, until: null },
    addresses: NO_ADDRESSES,
    signal: new AbortController().signal,
  });
}

t.test('whatever comes, each item is an event that can be written down, or is refused', async () => {
  const opened = openSource();
  const members = { id: fc.string({ minLength: 1 }), type: fc.string(), data: fc.jsonValue(), subject: fc.jsonValue() };
  const event = fc.record({ specversion: fc.constant('1.0'), source: fc.string(), ...members }, { requiredKeys: [] });
  const near = fc.array(event).map((list) => Buffer.from(JSON.stringify(list)));
  const bytes = fc.uint8Array().map((one) => Buffer.from(one));
  fc.assert(
    fc.property(fc.oneof(near, bytes), (input) => {
      for (const raw of SPEC.split(input)) {
        const parsed = opened.parse(raw);
        if (typeof parsed !== 'object' || parsed === null || opened.excerpt(raw) === '') throw new Error('nothing');
        if (isRejected(parsed)) continue;
        opened.observe(parsed, raw);
        if (!JSON.stringify(opened.event(parsed, raw)).includes('"source":"ingest"')) throw new Error('no event');
      }
    }),
    { numRuns: 500 },
  );
});

t.test('recorded input', async (t) => {
  const lines = [
    '{"specversion":"1.0","id":"1","source":"/x","type":"t","data":{"trace_id":"a","trace_name":"n"}}',
    '{"specversion":"1.0","id":"2","source":"/x\\u0007y","type":"t"}',
    '{"id":"3"}',
    '{',
  ];
  const opened = openSource();
  const found = [...SPEC.split(Buffer.from(lines.join('\n')))].map((raw) => [opened.excerpt(raw), opened.parse(raw)]);
  t.match(found, [
    ['t 1 of /x', {}],
    ['t 2 of /x y', {}],
    ['found no specversion 1.0', { rejected: 'shape' }],
    ['found no JSON, or none in UTF-8', { rejected: 'malformed' }],
  ]);
});

t.test('a look at what is there now ends at once, with nothing', async (t) => {
  const registry = new Registry({ seriesLimit: 100 });
  const pipeline = startPipeline({
    name: 'ingest',
    spec: SPEC,
    config: SPEC.config.parse(SPEC.blank),
    registry,
    log: pino({ level: 'silent' }),
    env: {},
    now: () => 0,
    follow: false,
    range: { since: null, until: null },
    addresses: NO_ADDRESSES,
    saved: { position: null, entries: [] },
    queue: null,
    signal: new AbortController().signal,
  });
  await pipeline.done;
  t.equal(pipeline.status().state, 'ended');
  t.equal((await show(registry))['trailgauge_source_events_total{source="ingest"}'], 0);
});

t.test('what doctor finds', async (t) => {
  const found = async (section: Readonly<Record<string, unknown>>) => {
    const config = SPEC.config.parse({ cloudevents: section });
    const findings = [];
    for await (const finding of SPEC.check(config, new AbortController().signal, { A: 'x' }, () => {}))
      findings.push(finding);
    return findings;
  };
  const place = 'receives at /ingest/cloudevents (as ingest/NAME: /ingest/NAME/cloudevents)';
  t.same(await found({}), [{ ok: true, detail: `${place}, from this machine alone, as no token is set` }]);
  t.same(await found({ token: { env: 'A' } }), [{ ok: true, detail: `${place}, with a token` }]);
  t.match(await found({ token: { env: 'B' } }), [{ ok: false, detail: /environment variable B is not set/ }]);
});
