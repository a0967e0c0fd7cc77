import t, { type Test } from 'tap';
import { ctsError, type FakeCts, type FakeCtsOptions, startFakeCts } from '../../../support/fake-cts.ts';
import { type ClientRig, clientRig, ctsTrace, NOON } from '../../../support/fake-cts-client.ts';

const LAST_HOUR = { from: NOON - 3_600_001, to: NOON + 1, next: null };

interface Scene extends ClientRig {
  readonly fake: FakeCts;
}

interface Given {
  readonly auth?: (fake: FakeCts) => object;
  readonly config?: (fake: FakeCts) => object;
  readonly fake?: FakeCtsOptions;
  readonly follow?: boolean;
}

async function scene(
  t: Test,
  { auth = ({ keyAuth }) => keyAuth, config = () => ({}), ...given }: Given = {},
): Promise<Scene> {
  const clock = { now: () => NOON };
  const fake = await startFakeCts(t, { now: () => clock.now(), ...given.fake });
  const rig = clientRig(t, { auth: auth(fake), ...config(fake) }, { follow: given.follow ?? true });
  clock.now = () => rig.time.ms;
  fake.add(ctsTrace(1, NOON));
  return { fake, ...rig };
}

function codes({ requests }: ClientRig): readonly string[] {
  return requests.map(({ operation, code }) => `${operation} ${code}`);
}

t.test('project and service are looked up, once', async (t) => {
  const rig = await scene(t);
  const { client, signal, fake } = rig;
  t.match(await client.place(signal), {
    base: fake.url,
    projectId: fake.facts.projectId,
    projectName: 'eu-de_winery',
    domainId: fake.facts.domainId,
    region: 'eu-de',
  });
  t.match(await client.list(LAST_HOUR, signal), { items: { length: 1 } });
  t.match(await client.list({ ...LAST_HOUR, next: ctsTrace(1, NOON).trace_id as string }, signal), { items: [] });
  t.same(codes(rig), ['list_projects 200', 'catalog 200', 'list_traces 200', 'list_traces 200']);
  t.same(rig.errors, []);
});

t.test('nothing is looked up that is given, but the time', async (t) => {
  const given = {
    auth: (fake: FakeCts) => ({ ...fake.keyAuth, url: null, project: fake.facts.projectId }),
    config: (fake: FakeCts) => ({ endpoint: `${fake.url}/v2.0/${fake.facts.projectId}/`, region: 'eu-de' }),
  };
  const rig = await scene(t, given);
  rig.fake.now = () => rig.time.ms - 7_200_000;
  t.match(await rig.client.place(rig.signal), {
    base: rig.fake.url,
    region: 'eu-de',
    projectName: null,
    domainId: null,
  });
  t.equal(rig.client.now(), NOON - 7_200_000);
  await rig.client.list(LAST_HOUR, rig.signal);
  t.same(codes(rig), ['list_traces 200']);
  const silent = await scene(t, given);
  silent.fake.fail('other', { kind: 'reset' });
  t.match(await silent.client.place(silent.signal), { base: silent.fake.url });
  t.same([silent.errors, silent.waits], [[], []]);
});

t.test('the way of signing that is taken', async (t) => {
  const rig = await scene(t, { fake: { facts: { dialects: new Set(['access']) } } });
  await rig.client.list(LAST_HOUR, rig.signal);
  await rig.client.list(LAST_HOUR, rig.signal);
  t.same(codes(rig), ['list_projects 401', 'list_projects 200', 'catalog 200', 'list_traces 200', 'list_traces 200']);
  t.same([rig.errors, rig.waits], [[], []]);
  for (const signing of ['access', 'credential']) {
    const one = await scene(t, { auth: (fake) => ({ ...fake.keyAuth, signing }) });
    one.fake.facts.dialects.delete(signing === 'access' ? 'credential' : 'access');
    await one.client.list(LAST_HOUR, one.signal);
    t.same(one.errors, []);
  }
});

t.test('both ways are tried again as long as none was taken', async (t) => {
  const rig = await scene(t, { fake: { facts: { dialects: new Set() } } });
  rig.fake.chance = (kind) => {
    if (kind === 'list_projects' && rig.fake.count(kind) === 4) rig.fake.facts.dialects.add('credential');
    return null;
  };
  await rig.client.list(LAST_HOUR, rig.signal);
  t.same(rig.waits, [60_000, 120_000]);
  t.equal(rig.fake.count('list_projects'), 5);
  t.match(rig.errors[0], /^list_projects: HTTP 401 \(request req-2\): the signature was refused; wanted an ak and sk/);
});

t.test('a clock that is wrong is put right by the first refusal', async (t) => {
  const rig = await scene(t);
  rig.fake.now = () => rig.time.ms + 86_400_000;
  await rig.client.list(LAST_HOUR, rig.signal);
  t.same(codes(rig), ['list_projects 401', 'list_projects 200', 'catalog 200', 'list_traces 200']);
  t.same(rig.errors, []);
  t.equal(rig.client.now(), NOON + 86_400_000);
});

t.test('keys that are refused', async (t) => {
  const said = async (auth: object, change: (fake: FakeCts) => void = () => {}) => {
    const rig = await scene(t, { auth: (fake) => ({ ...fake.keyAuth, ...auth }), follow: false });
    change(rig.fake);
    const { message } = await rig.client.place(rig.signal).then(
      () => new Error('signed in'),
      (error: Error) => error,
    );
    t.notMatch(message, /geheim|canonical|invented/);
    t.same(rig.waits, []);
    return message;
  };
  t.match(await said({ ak: 'AKOTHER' }), /HTTP 401 .*: the access key is not known$/);
  t.match(await said({ sk: 'geheim' }), /HTTP 401 .*: the signature was refused/);
  const temporary = (fake: FakeCts) => void fake.facts.securityTokens.set('AKINVENTED0123456789', 'temporary+/=');
  t.match(await said({ security_token: 'geheim' }, temporary), /the access key, or its security token, has expired$/);
  t.equal(await said({ security_token: 'temporary+/=' }, temporary), 'signed in');
  t.match(await said({ project: 'eu-de_win' }), /list_projects: HTTP 200 .*: the project eu-de_win is not known/);
  t.match(
    await said({}, ({ facts }) => void (facts.hasService = false)),
    /^catalog: found no endpoint of type cts, .*none at all;/,
  );
  t.match(
    await said({}, (fake) => fake.fail('catalog', ctsError(403, 'IAM.1'))),
    /^catalog: HTTP 403 IAM\.1 .*endpoint$/,
  );
});

t.test('a fixed token, until it is refused', async (t) => {
  const auth = (fake: FakeCts) => ({ url: fake.authUrl, token: 'FIXED', project: 'eu-de_winery' });
  const rig = await scene(t, { auth });
  rig.fake.identity.grant('FIXED');
  await rig.client.list(LAST_HOUR, rig.signal);
  t.same(codes(rig), ['list_projects 200', 'catalog 200', 'list_traces 200']);
  rig.fake.revokeTokens();
  rig.fake.chance = () => {
    if (rig.time.ms > NOON) rig.fake.identity.grant('FIXED');
    return null;
  };
  await rig.client.list(LAST_HOUR, rig.signal);
  t.same(rig.waits, [60_000, 120_000]);
  t.match(rig.errors, [/^list_traces: HTTP 401 APIGW\.0301 .*: the token was refused/, /HTTP 401/]);
  t.equal(rig.fake.count('list_traces'), 4, 'the token was granted with the answer to the third');
});

t.test('each service may take another way of signing, and change its mind', async (t) => {
  const rig = await scene(t);
  const { fake, client, signal } = rig;
  const takes = (dialect: 'credential' | 'access') => {
    fake.facts.dialects.clear();
    fake.facts.dialects.add(dialect);
  };
  takes('credential');
  await client.place(signal);
  takes('access');
  await client.list(LAST_HOUR, signal);
  await client.list(LAST_HOUR, signal);
  takes('credential');
  await client.list(LAST_HOUR, signal);
  await client.list(LAST_HOUR, signal);
  const wanted = ['401', '200', '200', '401', '200', '200'].map((code) => `list_traces ${code}`);
  t.same(codes(rig), ['list_projects 200', 'catalog 200', ...wanted]);
  t.same([rig.errors, rig.waits], [[], []]);
});
