import { readFileSync } from 'node:fs';
import t from 'tap';
import { type InputItem, splitInput } from '../../../src/sources/cts/split.ts';
import { fixture } from '../../support/paths.ts';

const A = { trace_id: 'a', trace_name: 'x' };
const B = { trace_id: 'b', service_type: 'EVS' };

function split(input: string | Buffer): readonly InputItem[] {
  return [...splitInput(Buffer.from(input as string))];
}

function items(...given: readonly unknown[]): readonly InputItem[] {
  return given.map((item) => ({ item, isMalformed: false }));
}

t.test('an answer page, of any version', async (t) => {
  t.same(split(JSON.stringify({ traces: [A, null, 5], meta_data: {} })), items(A, null, 5));
  t.same(split('{"traces":null}'), []);
  t.equal(split(readFileSync(fixture('cts/pages/v3-single.json'))).length > 0, true);
  t.equal(split(readFileSync(fixture('cts/pages/v2.json'))).length > 0, true);
  t.same(split(readFileSync(fixture('cts/pages/v3-traces-null.json'))), []);
});

t.test('a list, one trace, and what is around one', async (t) => {
  t.same(split(JSON.stringify([A, B], null, 2)), items(A, B));
  t.same(split(JSON.stringify(A, null, 2)), items(A));
  t.same(split(JSON.stringify({ cts: A })), items(A));
  t.same(split(JSON.stringify([{ cts: A }, B])), items(A, B));
  t.same(split(JSON.stringify({ ...A, cts: B })), items({ ...A, cts: B }), 'a trace may have such a member');
  t.same(split(`\ufeff${JSON.stringify(A)}`), items(A));
});

t.test('any of these on each line', async (t) => {
  const lines = [
    JSON.stringify(A),
    '',
    ' \r',
    JSON.stringify({ cts: B }),
    JSON.stringify([A, B]),
    JSON.stringify({ traces: [B] }),
  ];
  t.same(split(`${lines.join('\r\n')}\n`), items(A, B, A, B, B));
});

t.test('lines that are no JSON', async (t) => {
  t.same(split(`${JSON.stringify(A)}\n{"trace_id":\nx`), [
    ...items(A),
    { item: '{"trace_id":', isMalformed: true },
    { item: 'x', isMalformed: true },
  ]);
  t.same(split(''), []);
  t.same(split(Buffer.from([0x7b, 0xff])), [{ item: '{\ufffd', isMalformed: true }]);
});

t.test('what is JSON and no trace is left to be refused', async (t) => {
  t.same(split('5'), items(5));
  t.same(split('{"traces":{}}'), items({ traces: {} }));
});
