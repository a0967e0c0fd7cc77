import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { startCloud } from '../../support/cloud-rig.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { ACCOUNT, REGION, trailFile, trailKey, trailRecord } from '../../support/trail.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const MINUTE = 60_000;
const DUPLICATES = 'trailgauge_source_duplicates_total{source="cloudtrail"}';
const ITEMS = 'trailgauge_source_items_total{source="cloudtrail"}';
const EVENTS = 'trailgauge_source_events_total{source="cloudtrail"}';
const ERRORS = 'trailgauge_source_errors_total{source="cloudtrail"}';
const MAIN = `cloudtrail_events_total{service="s3",region="${REGION}",account="${ACCOUNT}",outcome="ok"}`;
const EACH = 'cloudtrail_events_total{service="s3",region="eu-west-1",account="111122223333",outcome="ok"';

const rejected = (reason: string) => `trailgauge_source_rejected_total{source="cloudtrail",reason="${reason}"}`;

function storeAt(time = NOW) {
  return memoryStore(() => time);
}

t.test('an event counts once: in one file, in several, after a restart, put again', async (t) => {
  const store = storeAt();
  const first = trailKey({ time: NOW - MINUTE, unique: 'one' });
  store.put(first, trailFile([trailRecord('a'), trailRecord('b'), trailRecord('a')]));
  store.put(trailKey({ time: NOW - MINUTE, unique: 'two' }), trailFile([trailRecord('b'), trailRecord('c')]));
  const before = startCloud(t, { source: 'cloudtrail', store, now: () => NOW });
  await before.reaches(ITEMS, 5);
  t.match(await before.shown(), { [MAIN]: 3, [EVENTS]: 3, [DUPLICATES]: 2 });
  await before.stop();
  store.put(first, trailFile([trailRecord('a'), trailRecord('b'), trailRecord('d')]));
  store.put(trailKey({ time: NOW - 2 * MINUTE, unique: 'early' }), trailFile([trailRecord('c'), trailRecord('e')]));
  const after = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, disk: before.disk });
  await after.reaches(ITEMS, 5);
  t.match(await after.shown(), { [MAIN]: 2, [EVENTS]: 2, [DUPLICATES]: 3 }, 'd and e');
});

t.test('an event that was brought up to date is the one that it was, whichever comes first', async (t) => {
  const addendum = (originalEventID: string) => ({ addendum: { reason: 'UPDATED_DATA', originalEventID } });
  const store = storeAt();
  store.put(
    trailKey({ time: NOW }),
    trailFile([
      trailRecord('a'),
      trailRecord('a2', addendum('a')),
      trailRecord('b2', addendum('b')),
      trailRecord('b'),
      trailRecord('c', addendum('c')),
      trailRecord('d2', { addendum: { reason: 'DELIVERY_DELAY', originalEventID: 'a' } }),
      trailRecord('e', { sharedEventID: 's' }),
      trailRecord('f', { sharedEventID: 's' }),
    ]),
  );
  const { pipeline, shown } = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, follow: false });
  await pipeline.done;
  t.match(await shown(), { [EVENTS]: 6, [DUPLICATES]: 2 });
});

t.test('reasons, in their order', async (t) => {
  const store = storeAt();
  const insight = trailRecord('i', { eventCategory: 'Insight' });
  const long = trailRecord('l', { requestParameters: 'x'.repeat(1_048_576) });
  const just = trailRecord('j');
  const room = 1_048_576 - Buffer.byteLength(JSON.stringify({ ...just, requestParameters: '' }));
  store.put(
    trailKey({ time: NOW }),
    trailFile([
      insight,
      insight,
      long,
      null,
      7,
      [],
      { eventName: 'x' },
      { ...just, requestParameters: 'x'.repeat(room) },
    ]),
  );
  const { pipeline, shown } = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, follow: false });
  await pipeline.done;
  const found = await shown();
  t.match(found, { [ITEMS]: 8, [EVENTS]: 1, [DUPLICATES]: 1 });
  t.match(found, { [rejected('too_long')]: 1, [rejected('shape')]: 4, [rejected('excluded')]: 1 });
  t.notOk(rejected('malformed') in found);
});

t.test('a broken file leaves nothing behind, and is read once it is whole', async (t) => {
  const whole = gunzipSync(trailFile([trailRecord('a'), trailRecord('b')]));
  const long = trailFile([...Array(2_000)].map((_, index) => trailRecord(`l${index}`, { x: `${Math.sin(index)}` })));
  const cases: readonly (readonly [name: string, content: Buffer])[] = [
    ['cutgzip', long.subarray(0, -20)],
    ['cutjson', gzipSync(whole.subarray(0, -2))],
    ['norecords', Buffer.from('{"records":[]}')],
    ['nothing', Buffer.from('{}')],
    ['text', Buffer.from('hello')],
    ['array', Buffer.from('[]')],
    ['blank', Buffer.from(' ')],
    ['element', Buffer.from('{"Records":[{"eventID":"a","eventName":"x","eventSource":"y"},{,}]}')],
    ['twice', Buffer.from('{"Records":[],"Records":[]}')],
    ['string', Buffer.from('{"Records":"x"}')],
  ];
  const store = storeAt();
  for (const [name, content] of cases) store.put(trailKey({ time: NOW, unique: name }), content);
  store.put(trailKey({ time: NOW, unique: 'zero' }), '');
  store.put(trailKey({ time: NOW, unique: 'empty' }), gzipSync(''));
  store.put(trailKey({ time: NOW, unique: 'none' }), '\ufeff{ "a": [{}], "Records" : [ ] , "b": 1 }');
  const rig = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, config: { interval: '1h' } });
  const broken = () => rig.logged.filter(({ msg }) => msg === 'object is broken').length;
  while (broken() < cases.length) await new Promise((resolve) => setTimeout(resolve, 5));
  await rig.stop();
  const found = await rig.shown();
  for (const name of [ITEMS, EVENTS, MAIN, ERRORS]) t.notOk(name in found, name);

  const now = NOW + 3 * 3_600_000;
  for (const [name] of cases) store.put(trailKey({ time: NOW, unique: name }), whole, { modified: now });
  const again = startCloud(t, { source: 'cloudtrail', store, now: () => now, disk: rig.disk });
  await again.reaches(ITEMS, 2 * cases.length);
  t.match(await again.shown(), { [EVENTS]: 2, [DUPLICATES]: 2 * cases.length - 2 });
});

t.test('hostile records', async (t) => {
  const deep = `{"eventID":"deep","eventSource":"s3.amazonaws.com","eventName":"x","a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  const proto = '{"__proto__":{"eventSource":"x","eventName":"y"},"constructor":1}';
  const odd =
    '{"eventSource":"__proto__","eventName":"constructor","awsRegion":["a"],"userIdentity":{"__proto__":{"accountId":"1"},"accountId":12},"eventID":7,"eventTime":"x","errorCode":{"a":1},"resources":[null],"addendum":[]}';
  const store = storeAt();
  store.put(trailKey({ time: NOW }), `{"Records":[${[deep, proto, odd].join(',\r\n')}],"__proto__":{"Records":[1]}}`);
  const { pipeline, shown } = startCloud(t, {
    source: 'cloudtrail',
    store,
    now: () => NOW,
    follow: false,
    config: { labels: ['event'] },
  });
  await pipeline.done;
  const found = await shown();
  t.match(found, { [ITEMS]: 3, [EVENTS]: 2, [rejected('shape')]: 1 });
  t.equal(
    found['cloudtrail_events_total{service="other",region="other",account="other",outcome="ok",event="constructor"}'],
    1,
  );
  t.equal(found['cloudtrail_events_total{service="s3",outcome="ok",event="x"}'], 1);
});

t.test('labels: [event], and without it', async (t) => {
  const store = storeAt();
  store.put(trailKey({ time: NOW }), trailFile([trailRecord('a'), trailRecord('b', { eventName: 'Put' })]));
  const run = async (labels: readonly string[]) => {
    const rig = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, follow: false, config: { labels } });
    await rig.pipeline.done;
    return rig.shown();
  };
  t.match(await run([]), { [`${EACH}}`]: 2 });
  t.match(await run(['event']), { [`${EACH},event="GetObject"}`]: 1, [`${EACH},event="Put"}`]: 1 });
});

t.test('a range selects records by their time, and leaves objects out that are older', async (t) => {
  const store = storeAt();
  const at = (minutes: number) => ({ eventTime: new Date(NOW + minutes * MINUTE).toISOString() });
  store.put(
    trailKey({ time: NOW }),
    trailFile([
      trailRecord('before', at(-31)),
      trailRecord('from', at(-30)),
      trailRecord('in', at(-20)),
      trailRecord('until', at(-10)),
      trailRecord('none', { eventTime: null }),
      trailRecord('future', at(120)),
    ]),
  );
  store.put(trailKey({ time: NOW, unique: 'old' }), trailFile([trailRecord('x', at(-20))]), {
    modified: NOW - 31 * MINUTE,
  });
  const run = async (since: number | null, until: number | null) => {
    const range = { since, until };
    const rig = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, follow: false, range });
    await rig.pipeline.done;
    return rig.value(ITEMS);
  };
  t.equal(await run(null, null), 7);
  t.equal(await run(NOW - 30 * MINUTE, NOW - 10 * MINUTE), 2);
  t.equal(await run(NOW - 30 * MINUTE, null), 5, 'without a usable time as old as the file');
});

t.test('at the first start what arrived long ago is left out', async (t) => {
  const store = storeAt();
  store.put(trailKey({ time: NOW, unique: 'old' }), trailFile([trailRecord('a')]), { modified: NOW - 61 * MINUTE });
  store.put(trailKey({ time: NOW, unique: 'new' }), trailFile([trailRecord('b')]), { modified: NOW - 59 * MINUTE });
  const rig = startCloud(t, { source: 'cloudtrail', store, now: () => NOW });
  await rig.reaches(ITEMS, 1);
  await rig.rounds();
  t.equal(await rig.value(ITEMS), 1);
});

t.test('the busiest users and addresses: of sessions their role; of a file that is broken none', async (t) => {
  const store = storeAt();
  const role = 'arn:aws:iam::111122223333:role/deploy';
  const by = (userIdentity: object, sourceIPAddress: string) => ({ userIdentity, sourceIPAddress });
  const session = (name: string) => ({
    type: 'AssumedRole',
    arn: `arn:aws:sts::111122223333:assumed-role/deploy/${name}`,
    sessionContext: { sessionIssuer: { type: 'Role', arn: role, userName: 'deploy' } },
  });
  const file = trailFile([
    trailRecord('a', by(session('one'), '192.0.2.1')),
    trailRecord('b', by(session('two'), '192.0.2.1')),
    trailRecord('c', by({ type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/kim' }, '2001:db8::7')),
    trailRecord('d', by({ type: 'AWSService', invokedBy: 'config.amazonaws.com' }, 'config.amazonaws.com')),
    trailRecord('e', by({ type: 'IAMUser', arn: `arn:aws:iam::111122223333:user/${'x'.repeat(128)}` }, 'x')),
  ]);
  const key = trailKey({ time: NOW, unique: 'one' });
  const values = async (body: Buffer) => {
    store.put(key, body);
    const { pipeline, shown } = startCloud(t, { source: 'cloudtrail', store, now: () => NOW, follow: false });
    await pipeline.done;
    return Object.fromEntries(Object.entries(await shown()).filter(([name]) => /_top|_distinct/.test(name)));
  };
  t.same(await values(file.subarray(0, -4)), {}, 'nothing of what is not whole');
  t.same(await values(file), {
    [`cloudtrail_user_top{user="${role}"}`]: 2,
    'cloudtrail_user_top{user="arn:aws:iam::111122223333:user/kim"}': 1,
    'cloudtrail_user_top{user="config.amazonaws.com"}': 1,
    cloudtrail_users_distinct: 3,
    'cloudtrail_address_top{address="192.0.2.1"}': 2,
    'cloudtrail_address_top{address="2001:db8::7"}': 1,
    cloudtrail_addresses_distinct: 2,
  });
});
