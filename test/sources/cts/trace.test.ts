import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { isRejected } from '../../../src/core/source.ts';
import { isWithinDepth } from '../../../src/lib/json-value.ts';
import { toEvent } from '../../../src/sources/cts/event.ts';
import { NOWHERE, OPTIONAL_LABELS, traceLabels } from '../../../src/sources/cts/labels.ts';
import { splitInput } from '../../../src/sources/cts/split.ts';
import { decodeTrace, type Trace, traceKey, traceOf } from '../../../src/sources/cts/trace.ts';
import { fixture } from '../../support/paths.ts';

const ALL = new Set(OPTIONAL_LABELS);
const RECEIVED = Date.UTC(2026, 0, 1, 13);

function decoded(item: unknown): Trace {
  const trace = decodeTrace(item);
  if (isRejected(trace)) throw new Error(JSON.stringify(item));
  return trace;
}

function labelsOf(trace: Trace) {
  return traceLabels(trace, NOWHERE, ALL);
}

function eventOf(trace: Trace) {
  const { labels } = labelsOf(trace);
  return toEvent({ trace, source: 'cts', place: NOWHERE, labels, receivedAt: RECEIVED });
}

/** Traces and refusals of an answer. */
function read(name: string) {
  const items = [...splitInput(readFileSync(fixture(`cts/hostile/${name}.json`)))].map(({ item }) => decodeTrace(item));
  return {
    traces: items.filter((item): item is Trace => !isRejected(item)),
    rejected: items.filter(isRejected).map(({ rejected }) => rejected),
  };
}

const HOSTILE: readonly (readonly [name: string, traces: number, rejected?: number])[] = [
  ['bom', 2],
  ['invalid-utf8', 1],
  ['mixed-items', 2, 6],
  ['proto', 1],
  ['duplicate-keys', 1],
  ['deep', 1],
  ['long-strings', 1],
  ['label-injection', 4],
  ['surrogates', 1],
  ['numbers', 1],
  ['nul', 1],
];

for (const [name, count, refused = 0] of HOSTILE) {
  t.test(`hostile: ${name}`, async (t) => {
    const { traces, rejected } = read(name);
    t.equal(traces.length, count);
    t.same(rejected, new Array(refused).fill('shape'));
    for (const trace of traces) {
      const { data } = eventOf(trace);
      t.ok(isWithinDepth(data, 70));
      t.ok(JSON.stringify(data).isWellFormed());
    }
  });
}

t.test('what becomes of hostile items', async (t) => {
  const one = (name: string) => read(name).traces[0]!;
  t.match(one('proto'), { service: 'EVS', rating: 'normal', name: 'x' });
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
  t.ok(Object.hasOwn(eventOf(one('proto')).data.raw as object, '__proto__'), 'carried along as data');
  t.equal(one('duplicate-keys').name, 'second');
  t.match(labelsOf(one('long-strings')), { limited: true, labels: { operation: 'other', user: 'other' } });
  t.match(labelsOf(one('surrogates')), { limited: true, labels: { operation: 'other' } });
  t.match(labelsOf(one('nul')), { limited: true, labels: { operation: 'other' } });
  t.match(one('invalid-utf8').resourceName, /\ufffd/);
  t.match(one('numbers'), { recorded: 1767273070613 }, 'of a name that is there twice the last one counts');
  t.type(eventOf(one('deep')).data.raw, 'string', 'nested too deep for writers: as text');
  t.same(
    read('label-injection').traces.map((trace) => {
      const { service, resource_type, operation, user } = labelsOf(trace).labels;
      return [service, resource_type, operation, user];
    }),
    [
      ['other', 'evs', 'createVolume', 'mara.winter'],
      ['EVS', 'other', 'createVolume', 'mara.winter'],
      ['EVS', 'evs', 'createVolume', 'other'],
      ['EVS', 'evs', 'other', 'mara.winter'],
    ],
  );
});

t.test('numbers that are no time', async (t) => {
  const trace = decoded({ trace_id: 'a', time: Number.POSITIVE_INFINITY, record_time: -1, code: 1e26 });
  t.match(trace, { time: null, recorded: null, code: `1${'0'.repeat(26)}` });
  t.equal(eventOf(trace).time, RECEIVED);
});

t.test('an id that is of no use is made of the content', async (t) => {
  const long = 'x'.repeat(201);
  for (const trace_id of [undefined, null, '', ' \n', [], {}, long, '🍷'.repeat(201)]) {
    const trace = decoded({ trace_id, trace_name: 'x' });
    t.ok(trace.derived);
    t.match(trace.id, /^sha256-[0-9a-f]{32}$/);
  }
  for (const trace_id of ['x'.repeat(200), '🍷'.repeat(200)]) t.equal(decoded({ trace_id }).id, trace_id);
  t.equal(decoded({ trace_id: ' a\r\n' }).id, 'a');
  t.equal(decoded({ trace_id: false }).id, 'false');
  t.equal(decoded({ trace_id: 200 }).id, '200');
});

t.test('bad is not absent', async (t) => {
  for (const name of ['trace_id', 'trace_name', 'service_type', 'resource_type']) {
    t.notOk(isRejected(decodeTrace({ [name]: {} })), name);
    t.ok(isRejected(decodeTrace({ [name]: null })), name);
  }
  const trace = decoded({
    trace_id: 'a',
    trace_name: [],
    service_type: {},
    resource_type: [1],
    trace_type: {},
    trace_rating: [],
    trace_status: 'normal',
    user: { name: {}, id: 'i' },
  });
  t.same(labelsOf(trace), {
    limited: true,
    labels: {
      service: 'other',
      resource_type: 'other',
      trace_type: 'other',
      rating: 'other',
      operation: 'other',
      user: 'other',
      region: 'unknown',
      project: 'unknown',
    },
  });
  t.match(trace, { name: null, service: null, resourceType: null, traceType: null, rating: null, user: { id: 'i' } });
});

t.test('the key of an item', async (t) => {
  t.equal(traceKey({ a: 1, b: [{ c: 2, d: 3 }] }), traceKey({ b: [{ d: 3, c: 2 }], a: 1 }));
  const values = [null, 5, 'x', '5', [], {}, [[]], { time: 1 }, { time: '1' }, [1, 2], [2, 1]];
  t.equal(new Set(values.map(traceKey)).size, values.length);
  t.match(traceKey(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), /^sha256-[0-9a-f]{32}$/);
  t.equal(traceKey({ trace_name: 'ü' }), 'sha256-409fb820f1b76466a43b3e5625811a23', 'known for ever');
});

t.test('no JSON makes it throw', async () => {
  const names = ['trace_id', 'trace_name', 'service_type', 'trace_rating', 'user', 'time', 'request', 'domain', 'id'];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      fc.constantFrom('{', '{"id":1}', '{"assumedBy":{"user":[]}}', '2016/12/08 11:07:28 GMT+08:00', '"{}"', '[null]'),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('value'), { maxKeys: 9 }),
    ),
  }));
  fc.assert(
    fc.property(value, (item) => {
      const trace = decodeTrace(item);
      traceKey(item);
      traceOf(item);
      if (isRejected(trace)) return;
      const { labels } = labelsOf(trace);
      for (const label of Object.values(labels)) if (label === '' || /[\n\0]/.test(label)) throw new Error(label);
      const event = eventOf(trace);
      if (!Number.isInteger(event.time) || event.id === '' || event.id.length > 400) throw new Error(event.id);
    }),
    { numRuns: 2_000 },
  );
});

t.test('a trace in what somebody sent', async (t) => {
  const trace = { trace_id: 'a', trace_name: 'x' };
  t.equal(traceOf(trace), trace);
  t.equal(traceOf({ cts: trace }), trace);
  t.ok(traceOf({ trace_id: 7, service_type: 'EVS' }));
  for (const data of [null, 'x', [trace], {}, { trace_id: 'a' }, { trace_name: 'x' }, { cts: {} }, { cts: [trace] }]) {
    t.equal(traceOf(data), null);
  }
});
