import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { checkComplete } from '../../../src/sources/cloudtrail/complete.ts';
import { trailPlan } from '../../../src/sources/cloudtrail/plan.ts';
import { type MemoryStore, memoryStore } from '../../support/memory-store.ts';
import { trailDigest, trailFile, trailKey, trailRecord } from '../../support/trail.ts';

const NOW = Date.UTC(2026, 4, 1, 12, 30);
const HOUR = 3_600_000;
const NOON = NOW - HOUR / 2;
const CHAIN = '111122223333/eu-west-1';

async function findings(store: MemoryStore): Promise<readonly string[]> {
  const scope = { prefix: '', accounts: [], regions: [], organization: null, digests: true };
  const { signal } = new AbortController();
  const found: string[] = [];
  const check = checkComplete({ store, plan: trailPlan(scope, () => NOW), head: '', now: NOW, signal });
  for await (const { ok, detail } of check) found.push(`${ok ? 'ok' : 'FAIL'} ${detail}`);
  return found;
}

function put(store: MemoryStore, unique: string, content = trailFile([trailRecord(unique)])) {
  const key = trailKey({ time: NOON, unique });
  store.put(key, content);
  return { key, text: gunzipSync(content).toString() };
}

function putDigest(store: MemoryStore, end: number, files: Readonly<Record<string, string>> = {}): string {
  const key = trailKey({ time: end, kind: 'CloudTrail-Digest' });
  store.put(key, trailDigest(end, files));
  return key;
}

t.test('all is there', async (t) => {
  const store = memoryStore(() => NOW);
  const [a, b] = [put(store, 'a'), put(store, 'b')];
  putDigest(store, NOON - HOUR, { [a.key]: a.text });
  putDigest(store, NOON, { [`elsewhere/${b.key}`]: b.text });
  putDigest(store, NOON - 30 * HOUR, { 'long ago': '' });
  t.same(await findings(store), ['ok 2 digests of the last day list 2 files; all are there, and none was changed']);
});

t.test('what is missing', async (t) => {
  const store = memoryStore(() => NOW);
  const changed = put(store, 'changed');
  const cut = put(store, 'cut');
  store.put(cut.key, trailFile([]).subarray(0, -3));
  const gone = trailKey({ time: NOON, unique: 'gone' });
  putDigest(store, NOON - 8 * HOUR, { [gone]: '' });
  putDigest(store, NOON - 5 * HOUR, { [changed.key]: 'other', [cut.key]: cut.text });
  const broken = putDigest(store, NOON - 4 * HOUR);
  store.put(broken, '{}');
  store.put(trailKey({ time: NOON, region: 'us-east-1' }), trailFile([]));
  t.same(await findings(store), [
    `FAIL ${broken}: digestEndTime: found nothing, wanted a time`,
    'FAIL 111122223333/us-east-1: found no digest of the last day; turn on log file validation for the trail, or digests off here',
    `FAIL ${CHAIN}: no digest tells of 2026-05-01T04:00:00.000Z to 2026-05-01T06:00:00.000Z`,
    `FAIL ${CHAIN}: the newest digest is of 2026-05-01T07:00:00.000Z; they come hourly, if log file validation is on`,
    `FAIL ${gone} is missing, though a digest lists it`,
    `FAIL ${changed.key} has not the content that a digest tells of`,
    `FAIL ${cut.key}: is no sound gzip: unexpected end of file`,
  ]);
});

t.test('no digests at all, a store that fails, more than anybody wants to read', async (t) => {
  const store = memoryStore(() => NOW);
  t.match(await findings(store), [/^FAIL bucket in memory: found no digest of the last day; turn on/]);
  store.onList = () => {
    throw new Error('no');
  };
  t.same(await findings(store), ['FAIL no']);
  store.onList = () => {};
  putDigest(
    store,
    NOON,
    Object.fromEntries([...Array(50)].map((_, index) => [trailKey({ time: NOON, unique: `${index}x` }), ''])),
  );
  const many = await findings(store);
  t.equal(many.length, 21);
  t.equal(many.at(-1), 'FAIL 30 more faults of digests');
});
