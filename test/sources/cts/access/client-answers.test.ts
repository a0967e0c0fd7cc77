import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { decodePage } from '../../../../src/sources/cts/access/page.ts';
import { startFakeCts } from '../../../support/fake-cts.ts';
import { clientRig, NOON } from '../../../support/fake-cts-client.ts';
import { fixture } from '../../../support/paths.ts';

const HOSTILE = fixture('cts/hostile');
const files = readdirSync(HOSTILE).filter((name) => name !== 'expect.json');

/** Traces of a page, its marker, or what it is instead. */
const FOUND: Readonly<Record<string, readonly unknown[]>> = {
  'html-200.html': ['foreign'],
  'truncated.json': ['undecodable'],
  'top-level-array.json': ['undecodable'],
  'traces-object.json': ['undecodable'],
  'error-with-200.json': ['foreign'],
  'bom.json': [2, null],
  'invalid-utf8.json': [1, null],
  'marker-number.json': [1, '12345'],
  'marker-object.json': [1, null],
  'marker-loop.json': [2, /.+/],
  'mixed-items.json': [8, null],
  'proto.json': [1, null],
  'duplicate-keys.json': [1, null],
  'deep.json': [1, null],
  'long-strings.json': [1, null],
  'label-injection.json': [4, null],
  'surrogates.json': [1, null],
  'numbers.json': [1, null],
  'nul.json': [1, null],
};

/** As it is sent; of a file that says what is answered, that answer. */
function bodyOf(name: string): Buffer {
  const bytes = readFileSync(`${HOSTILE}/${name}`);
  if (name !== 'marker-loop.json') return bytes;
  const { answer } = JSON.parse(bytes.toString()) as { readonly answer: unknown };
  return Buffer.from(JSON.stringify(answer));
}

t.test('hostile answers', async (t) => {
  t.same(files.toSorted(), Object.keys(FOUND).toSorted());
  const fake = await startFakeCts(t, { now: () => NOON });
  const { client, signal, waits, errors } = clientRig(t, { auth: fake.auth });
  for (const name of files) {
    const body = bodyOf(name);
    const [items, marker] = FOUND[name] ?? [];
    fake.fail('list_traces', { kind: 'answer', status: 200, body });
    waits.length = 0;
    const page = await client.list({ from: NOON - 1_000, to: NOON, next: null }, signal);
    if ('undecodable' in page) throw new Error(page.undecodable);
    if (typeof items === 'string') {
      t.same(Object.keys(decodePage({ text: body.toString(), truncated: false })), [items], name);
      t.same([waits.length, page.items], [1, []], `${name}: asked for again`);
      continue;
    }
    t.equal(page.items.length, items, name);
    t.match({ marker: page.marker }, { marker }, name);
    t.same(waits, []);
  }
  t.equal(errors.length, 5);
  t.notMatch(errors.join(), /barrel|trace_id|Failed to read/, 'nothing of a body is told');
  t.equal(({} as Record<string, unknown>).service_type, undefined);
});

t.test('empty pages and strange ones', async (t) => {
  const decoded = (text: string) => decodePage({ text, truncated: false });
  const folder = fixture('cts/pages');
  for (const name of readdirSync(folder).filter((one) => one.startsWith('v3-empty') || one === 'v3-traces-null.json')) {
    t.match(decoded(readFileSync(`${folder}/${name}`, 'utf8')), { items: [] }, name);
  }
  t.match(decoded(readFileSync(`${folder}/v3-empty-same-marker.json`, 'utf8')), { marker: /^4038f856-/ });
  t.match(decoded(readFileSync(`${folder}/v2.json`, 'utf8')), { items: { length: 2 }, marker: /^d1acb01a-/ });
  t.match(decoded('{"meta_data":{"count":0}}'), { items: [], marker: null });
  t.match(decoded('{"traces":null}'), { items: [], marker: null });
  for (const marker of ['null', '" "', '""', 'true', '[1]', '{}']) {
    t.match(decoded(`{"traces":[1],"meta_data":{"marker":${marker}}}`), { items: [1], marker: null }, marker);
  }
  t.match(decoded('{"traces":[],"meta_data":{"marker":1e21}}'), { marker: '1000000000000000000000' });
  t.match(decoded('{"traces":[],"meta_data":{"marker":" x "}}'), { marker: ' x ' });
  t.match(decoded('{"error":{"code":1}}'), { foreign: /error/ });
  t.match(decoded('{}'), { undecodable: /no traces/ });
  t.match(decoded('null'), { undecodable: /no JSON object/ });
  t.match(decoded('nothing'), { undecodable: /no JSON$/ });
  t.match(decoded(' \n'), { foreign: /empty/ });
  t.match(decodePage({ text: '{"traces":[]}', truncated: true }), { undecodable: /longer than 64 MiB/ });
});
