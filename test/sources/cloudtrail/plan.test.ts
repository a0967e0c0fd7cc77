import t from 'tap';
import type { Plan } from '../../../src/lib/objects/plan.ts';
import { headOf, type TrailScope, trailFolderPlan, trailPlan } from '../../../src/sources/cloudtrail/plan.ts';
import { memoryStore } from '../../support/memory-store.ts';

const DAY = '2026/05/01';
const NOW = Date.UTC(2026, 4, 1, 12);
const ALL: TrailScope = { prefix: '', accounts: [], regions: [], organization: null, digests: false };

function key(account: string, region: string, kind = 'CloudTrail', above = ''): string {
  const end = kind === 'CloudTrail' ? '_aaaaAAAA00001111' : '';
  return `${above}AWSLogs/${account}/${kind}/${region}/${DAY}/${account.slice(-12)}_${kind}_${region}_20260501T1200Z${end}.json.gz`;
}

const [A, B, C] = ['111122223333', '999900001111', 'o-demo123456/222200003333'] as const;
const KEYS = [
  key(A, 'eu-west-1'),
  key(A, 'us-east-1'),
  key(B, 'eu-west-1'),
  key(C, 'eu-west-1'),
  key(A, 'eu-west-1', 'CloudTrail-Digest'),
];
const OTHERS = [
  key(A, 'eu-west-1', 'CloudTrail-Insight'),
  `AWSLogs/${A}/Config/eu-west-1/${DAY}/x.json.gz`,
  `AWSLogs/${A}/CloudTrail/eu-west-1/${DAY}/notes.txt`,
  `AWSLogs/${A}/vpcflowlogs/eu-west-1/${DAY}/x.log.gz`,
  `${DAY}/x.json.gz`,
  `2026/AWSLogs/${A}/CloudTrail/x.json.gz`,
  key(A, 'eu-west-1', 'CloudTrail', 'other/'),
  `o-demo123456/${DAY}/x`,
  'zzz/2026/x',
];

/** The keys that are read, and the folders that were listed for it. */
async function keysOf(plan: Plan, keys: readonly string[] = [...KEYS, ...OTHERS]) {
  const store = memoryStore(() => NOW);
  for (const one of keys) store.put(one, 'x');
  const { signal } = new AbortController();
  const found = new Set<string>();
  const listed: string[] = [];
  for await (const { prefix, startAfter, flat } of plan.listings(store, { from: NOW, to: NOW }, signal)) {
    listed.push(prefix);
    const page = await store.list({ prefix, folders: flat, startAfter: startAfter ?? '' }, signal);
    for (const object of page.objects) if (plan.find(object.key, 1).kind === 'log') found.add(object.key);
  }
  return { found: [...found].sort(), listed, looked: store.lists };
}

t.test('the folders of a trail, and no others', async (t) => {
  const cases: readonly (readonly [scope: Partial<TrailScope>, keys: readonly number[]])[] = [
    [{}, [0, 1, 2, 3]],
    [{ accounts: [A] }, [0, 1]],
    [{ accounts: ['222200003333', B] }, [2, 3]],
    [{ regions: ['us-east-1'] }, [1]],
    [{ organization: 'o-demo123456' }, [3]],
    [{ organization: 'o-else' }, []],
    [{ accounts: [A], regions: ['eu-west-1'], digests: true }, [0, 4]],
    [{ prefix: 'AWSLogs/o-demo123456/' }, [3]],
    [{ prefix: `AWSLogs/${A}/CloudTrail/us-east-1/` }, [1]],
  ];
  for (const [scope, keys] of cases) {
    const { found } = await keysOf(trailPlan({ ...ALL, ...scope }, () => NOW));
    t.same(found, keys.map((index) => KEYS[index]).sort(), JSON.stringify(scope));
  }
  const { found } = await keysOf(trailPlan({ ...ALL, prefix: 'other/' }, () => NOW));
  t.same(found, [OTHERS[6]]);
});

t.test('what is not wanted is not gone into, and no listing is of more than a region', async (t) => {
  const scope = { ...ALL, accounts: [A], regions: ['eu-west-1'], digests: true };
  const { looked, listed } = await keysOf(trailPlan(scope, () => NOW));
  t.same(listed, [`AWSLogs/${A}/CloudTrail/eu-west-1/`, `AWSLogs/${A}/CloudTrail-Digest/eu-west-1/`], 'digests last');
  const away = looked.filter((prefix) => /Insight|Config|flow|9999|us-east|other|^2026|zzz/.test(prefix));
  t.same(away, []);
});

t.test('where AWSLogs begins', async (t) => {
  const cases = [
    ['', ''],
    ['a/', 'a/'],
    ['AWSLogs/', ''],
    ['a/AWSLogs/o-x/', 'a/'],
    ['AWSLogs/x/AWSLogs/', 'AWSLogs/x/'],
    ['myAWSLogs/', 'myAWSLogs/'],
  ] as const;
  for (const [prefix, head] of cases) t.equal(headOf(prefix), head, prefix);
});

t.test('a folder: with the layout, or without', async (t) => {
  const laidOut = await keysOf(trailFolderPlan({ ...ALL, accounts: [B] }, () => NOW));
  t.same(laidOut.found, [KEYS[2]]);
  const none = await keysOf(trailFolderPlan({ ...ALL, accounts: ['000000000000'] }, () => NOW));
  t.same(none.found, [], 'nothing that is wanted is not nothing at all');
  const loose = [
    'a.json',
    'deep/er/b.json.gz',
    `x/${A}_CloudTrail_eu-west-1_20260501T1200Z_aaaaAAAA00001111.json.gz`,
    `${B}_CloudTrail_eu-west-1_20260501T1200Z_aaaaAAAA00001111.json`,
  ];
  const others = [
    'c.txt',
    'd.json.bak',
    'json.gz',
    `${A}_CloudTrail-Digest_eu-west-1_20260501T1200Z.json.gz`,
    `${A}_CloudTrail-Insight_eu-west-1_20260501T1200Z_x.json.gz`,
    `AWSLogs/${A}/CloudTrail-Digest/eu-west-1/${DAY}/${A}_CloudTrail-Digest_eu-west-1_20260501T1200Z.json.gz`,
  ];
  const any = await keysOf(
    trailFolderPlan(ALL, () => NOW),
    [...loose, ...others],
  );
  t.same(any.found, loose.toSorted());
  const some = await keysOf(
    trailFolderPlan({ ...ALL, accounts: [B] }, () => NOW),
    [...loose, ...others],
  );
  t.same(some.found, loose.filter((name) => !name.includes(`${A}_`)).sort());
});
