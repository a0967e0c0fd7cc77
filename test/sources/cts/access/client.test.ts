import t, { type Test } from 'tap';
import type { TracePage } from '../../../../src/sources/cts/access/client.ts';
import { ctsError, type FakeCts, type FakeCtsOptions, startFakeCts, tooMany } from '../../../support/fake-cts.ts';
import { type ClientRig, clientRig, ctsTrace, NOON } from '../../../support/fake-cts-client.ts';

const HOUR = 3_600_000;
const LAST_HOUR = { from: NOON - HOUR - 1, to: NOON + 1, next: null };

interface Scene extends ClientRig {
  readonly fake: FakeCts;
}

async function scene(
  t: Test,
  config: object = {},
  options: FakeCtsOptions & { follow?: boolean } = {},
): Promise<Scene> {
  const { follow = true, ...facts } = options;
  const clock = { now: () => NOON };
  const fake = await startFakeCts(t, { now: () => clock.now(), ...facts });
  const rig = clientRig(t, { auth: fake.auth, ...config }, { follow });
  clock.now = () => rig.time.ms;
  return { fake, ...rig };
}

async function page({ client, signal }: ClientRig, next: string | null = null): Promise<TracePage> {
  const listed = await client.list({ ...LAST_HOUR, next }, signal);
  if ('undecodable' in listed) throw new Error(listed.undecodable);
  return listed;
}

function codes({ requests }: ClientRig): readonly string[] {
  return requests.map(({ operation, code }) => `${operation} ${code}`);
}

t.test('a password: one token for many pages', async (t) => {
  const rig = await scene(t);
  const { fake, client, signal } = rig;
  for (let number = 0; number < 450; number++) fake.add(ctsTrace(number, NOON - number * 1_000));
  t.same(await client.place(signal), {
    base: fake.url,
    region: 'eu-de',
    projectId: fake.facts.projectId,
    projectName: 'eu-de_winery',
    domainId: fake.facts.domainId,
    origin: `${fake.url}/v2.0/${fake.facts.projectId}/`,
  });
  const first = await page(rig);
  t.match(first, { at: NOON, limit: 200, items: { length: 200 }, marker: ctsTrace(199, 0).trace_id });
  t.ok(first.bytes > 200 * 300);
  const second = await page(rig, first.marker);
  const third = await page(rig, second.marker);
  t.match(third, { items: { length: 50 }, marker: null });
  t.same(third.items.at(-1), ctsTrace(449, NOON - 449_000));
  t.same(codes(rig), ['auth_token 201', 'list_traces 200', 'list_traces 200', 'list_traces 200']);
  t.same(rig.expiries, [NOON + 24 * HOUR]);
  t.same([rig.errors, rig.waits], [[], []]);
  t.same([...(fake.queries[1]?.query ?? [])].map(String), [
    'trace_type,system',
    'limit,200',
    `from,${LAST_HOUR.from}`,
    `to,${LAST_HOUR.to}`,
    `next,${first.marker}`,
  ]);
});

t.test('a token is renewed at 80 % of its life, by the clock of the service', async (t) => {
  const rig = await scene(t, {}, { facts: { tokenLifeMs: 10_000 } });
  const { fake, time } = rig;
  fake.now = () => time.ms + HOUR;
  await page(rig);
  t.equal(rig.client.now(), time.ms + HOUR);
  time.ms += 7_000;
  await page(rig);
  t.equal(fake.count('auth_token'), 1);
  time.ms += 1_500;
  await page(rig);
  t.equal(fake.count('auth_token'), 2);
  t.equal(rig.errors.length, 0);
  t.same(rig.expiries, [NOON + HOUR + 10_000, NOON + HOUR + 18_500]);
});

t.test('a renewal that fails is put off as long as the token lives', async (t) => {
  const rig = await scene(t, {}, { facts: { tokenLifeMs: 10 * HOUR } });
  const { fake, time } = rig;
  await page(rig);
  time.ms += 8.5 * HOUR;
  fake.fail('auth_token', { kind: 'reset' }, ctsError(503, 'IAM.1'));
  await page(rig);
  t.same([fake.count('list_traces'), rig.waits.length, rig.errors.length], [2, 0, 1]);
  await page(rig);
  t.equal(fake.count('auth_token'), 2, 'not at once');
  time.ms += 61_000;
  await page(rig);
  t.same([fake.count('auth_token'), rig.errors.length], [3, 2]);
  time.ms += 121_000;
  await page(rig);
  t.same([fake.count('auth_token'), rig.errors.length, fake.waiting], [4, 2, 0]);
});

t.test('tokens that die are replaced at once, and no error', async (t) => {
  const rig = await scene(t);
  await page(rig);
  rig.fake.revokeTokens();
  await page(rig);
  t.same(codes(rig).slice(2), ['list_traces 401', 'auth_token 201', 'list_traces 200']);
  t.same([rig.errors, rig.waits], [[], []]);
  rig.fake.revokeTokens();
  rig.fake.fail('list_traces', ctsError(401, 'APIGW.0301'), ctsError(401, 'APIGW.0301'));
  await page(rig);
  t.equal(rig.errors.length, 2, 'a second 401 in a row is one, and so is the first');
  t.same(rig.waits, [500]);
});

t.test('what passes by itself is waited for', async (t) => {
  const rig = await scene(t);
  const { fake, time } = rig;
  fake.add(ctsTrace(1, NOON));
  await page(rig);
  fake.fail(
    'list_traces',
    ctsError(500, 'CTS.0005'),
    { kind: 'answer', status: 503, body: '<html>' },
    { kind: 'reset' },
    { kind: 'cut' },
    { kind: 'answer', status: 200, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><html></html>' },
    { kind: 'answer', status: 200, body: '' },
    { kind: 'answer', status: 200, body: { error_code: 'CTS.0005', error_msg: 'x' } },
    ctsError(500, 'CTS.0005'),
    ctsError(500, 'CTS.0005'),
  );
  t.equal((await page(rig)).items.length, 1);
  t.same(rig.waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  t.same(
    codes(rig).slice(2),
    ['500', '503', 'network', 'network', '200', '200', '200', '500', '500', '200'].map((code) => `list_traces ${code}`),
  );
  t.equal(rig.errors.length, 9);
  t.match(rig.errors[0], /^list_traces: HTTP 500 CTS\.0005 \(request req-2\)$/);
  t.match(rig.errors[2], /^list_traces: GET http:\/\/127\.0\.0\.1:\d+\/v3\/[0-9a-f]{32}\/traces: .*ECONNRESET/);
  t.equal(rig.problems.at(-1), null);
  t.equal(rig.problems.filter((text) => text !== null).length, 9);
  t.ok(time.ms > NOON);
});

t.test('429: as long as is asked for, and slower then', async (t) => {
  const rig = await scene(t);
  const { fake, time } = rig;
  await page(rig);
  fake.fail('list_traces', tooMany(2), tooMany(), tooMany(new Date(NOON + 12_000)), tooMany(86_400), tooMany(0));
  await page(rig);
  t.same(rig.waits, [2_000, 1_000, 9_000, 300_000, 8_000], 'the least is the back-off, the most 5 min');
  rig.waits.length = 0;
  await page(rig);
  await page(rig);
  t.same(rig.waits, [200, 200]);
  time.ms += 300_000;
  await page(rig);
  t.same(rig.waits, [200, 200]);
});

t.test('a refusal is put to people, and tried again in minutes', async (t) => {
  const rig = await scene(t);
  const { fake } = rig;
  fake.fail('list_traces', ctsError(403, 'CTS.0013', 'no permission for geheim'), ctsError(400, 'CTS.0300'));
  fake.fail('list_traces', ctsError(404, 'CTS.0214'), { kind: 'answer', status: 302, headers: { location: '/x' } });
  await page(rig);
  t.same(rig.waits, [60_000, 120_000, 240_000, 480_000]);
  t.match(rig.errors, [
    /^list_traces: HTTP 403 CTS\.0013 \(request req-1\): wanted a user with the permission CTS ReadOnlyAccess/,
    /^list_traces: HTTP 400 CTS\.0300 \(request req-2\)$/,
    /^list_traces: HTTP 404 CTS\.0214 \(request req-3\): found no tracker "system"/,
    /^list_traces: HTTP 302 \(request req-4\): it leads elsewhere/,
  ]);
  t.notMatch(rig.errors.join('\n'), /geheim/);
  t.same([...new Set(fake.queries.map(({ api }) => api))], ['v3']);
});

t.test('older versions of the API', async (t) => {
  for (const [apis, asked] of [
    [
      ['v2.0', 'v1.0'],
      ['v3', 'v2.0', 'v2.0'],
    ],
    [['v1.0'], ['v3', 'v2.0', 'v1.0', 'v1.0']],
  ] as const) {
    const rig = await scene(t, { tracker: 'my tracker' }, { apis });
    rig.fake.trackers = new Set(['my tracker', 'my%20tracker']);
    rig.fake.add(ctsTrace(1, NOON));
    t.match((await page(rig)).items, [{ trace_status: 'normal', code: '202', user: /^\{/ }]);
    await page(rig);
    t.same(
      rig.fake.queries.map(({ api }) => api),
      asked,
    );
    t.same([...(rig.fake.queries.at(-1)?.query.keys() ?? [])], ['limit', 'from', 'to']);
    t.same(rig.errors, []);
  }
  const named = await scene(t, { api: 'v1', tracker: 'own' });
  named.fake.trackers = new Set(['own']);
  await page(named);
  t.match(named.fake.queries, [{ api: 'v1.0', tracker: 'own' }]);
  const newest = await scene(t, { tracker: 'own' });
  newest.fake.trackers = new Set(['own']);
  await page(newest);
  t.match(newest.fake.queries, [{ api: 'v3', tracker: 'own' }]);
});

t.test('no version at all: all are tried again', async (t) => {
  const rig = await scene(t, {}, { apis: [] });
  const { fake } = rig;
  fake.chance = (kind) => {
    if (kind === 'list_traces' && fake.count(kind) === 4) fake.apis = new Set(['v2.0']);
    return null;
  };
  await page(rig);
  t.same(
    fake.queries.map(({ api }) => api),
    ['v3', 'v2.0', 'v1.0', 'v3', 'v2.0'],
  );
  t.match(rig.errors, [/HTTP 404 APIGW\.0101.*there is no version of the API at http/]);
});

t.test('an answer that can never be read', async (t) => {
  const rig = await scene(t);
  const { fake, client, signal } = rig;
  fake.fail('list_traces', ...Array.from({ length: 5 }, () => ({ kind: 'answer', status: 200, body: '[1]' }) as const));
  t.match(await client.list(LAST_HOUR, signal), {
    undecodable: /^list_traces: HTTP 200 \(request req-5\): the body is no JSON object, in 5 answers$/,
  });
  t.same(rig.waits, [500, 1_000, 2_000, 4_000]);
  t.equal((await page(rig)).items.length, 0);
});

t.test('the clock of the service', async (t) => {
  const rig = await scene(t);
  const { fake, time, client } = rig;
  const ahead = async (ms: number) => {
    // The header tells whole seconds.
    time.ms = Math.ceil(time.ms / 1_000) * 1_000;
    fake.now = () => time.ms + ms;
    await page(rig);
    return client.now() - time.ms;
  };
  t.equal(client.now(), NOON);
  t.equal(await ahead(1_999), 0);
  t.equal(await ahead(-1_000), 0);
  t.equal(await ahead(10_000), 10_000);
  t.equal(await ahead(-600_000), -600_000);
  fake.tellsTime = false;
  t.equal(await ahead(-600_000), 0);
});

t.test('one request at a time', async (t) => {
  const rig = await scene(t);
  let [now, most] = [0, 0];
  rig.fake.chance = () => {
    most = Math.max(most, ++now);
    setTimeout(() => now--, 5);
    return { kind: 'late', ms: 10 };
  };
  await Promise.all([page(rig), page(rig), rig.client.place(rig.signal), page(rig)]);
  t.same([most, rig.fake.count('auth_token'), rig.fake.count('list_traces')], [1, 1, 3]);
});
