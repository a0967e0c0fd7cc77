import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CtsClientOptions } from '../../../../src/sources/cts/access/client.ts';
import { type CtsFault, ctsError, type FakeCts, startFakeCts, tooMany } from '../../../support/fake-cts.ts';
import { type ClientRig, clientRig, NOON } from '../../../support/fake-cts-client.ts';
import { fixture } from '../../../support/paths.ts';

const LAST_HOUR = { from: NOON - 3_600_001, to: NOON + 1, next: null };

interface Scene extends ClientRig {
  readonly fake: FakeCts;
}

async function scene(t: Test, auth: object = {}, options: Partial<CtsClientOptions> = {}): Promise<Scene> {
  const clock = { now: () => NOON };
  const fake = await startFakeCts(t, { now: () => clock.now() });
  const rig = clientRig(t, { auth: { ...fake.auth, ...auth } }, options);
  clock.now = () => rig.time.ms;
  return { fake, ...rig };
}

async function refusal({ client, signal }: ClientRig): Promise<string> {
  return client.list(LAST_HOUR, signal).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

function passwordFile(t: Test, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailgauge-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'password'), text);
  return join(folder, 'password');
}

t.test('a wrong password: once, and then not before a minute', async (t) => {
  const rig = await scene(t, { password: 'geheim' });
  const { fake } = rig;
  fake.chance = () => {
    if (fake.count('auth_token') === 6) fake.facts.password = 'geheim';
    return null;
  };
  t.equal(await refusal(rig), 'none');
  t.same(rig.waits, [60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
  t.equal(fake.count('auth_token'), 7);
  t.match(rig.errors[0], /^auth_token: HTTP 401 \(request req-1\): wrong name or password; wanted/);
  t.notMatch(rig.errors.join(), /geheim/);
});

t.test('a password that was replaced is tried at once, and only once more', async (t) => {
  const file = passwordFile(t, 'old\n');
  const rig = await scene(t, { password: { file } });
  const { fake } = rig;
  fake.chance = () => {
    if (fake.count('auth_token') === 1) writeFileSync(file, 'not-a-real-one\n');
    return null;
  };
  t.equal(await refusal(rig), 'none');
  t.same([rig.waits, rig.errors.length, fake.count('auth_token')], [[], 1, 2]);
  const wrong = await scene(t, { password: { file: passwordFile(t, 'old') } }, { follow: false });
  t.match(await refusal(wrong), /wrong name or password/);
  t.equal(wrong.fake.count('auth_token'), 1);
  const changing = passwordFile(t, '0');
  const twice = await scene(t, { password: { file: changing } }, { follow: false });
  twice.fake.chance = () => {
    writeFileSync(changing, String(twice.fake.count('auth_token')));
    return null;
  };
  t.match(await refusal(twice), /wrong name or password/);
  t.equal(twice.fake.count('auth_token'), 2);
});

t.test('a secret that cannot be read', async (t) => {
  const rig = await scene(t, { password: { file: '/nonexistent/password' } }, { follow: false });
  t.match(await refusal(rig), /secret: cannot read \/nonexistent\/password: ENOENT/);
  const file = passwordFile(t, 'not-a-real-one');
  rmSync(file);
  const later = await scene(t, { password: { file } });
  const listing = later.client.list(LAST_HOUR, later.signal);
  writeFileSync(file, 'not-a-real-one');
  t.match(await listing, { items: [] });
});

t.test('why a sign-in is refused', async (t) => {
  const said = async (auth: object, change: (fake: FakeCts) => void = () => {}) => {
    const rig = await scene(t, auth, { follow: false });
    change(rig.fake);
    const message = await refusal(rig);
    t.same([rig.waits, rig.fake.count('auth_token')], [[], 1]);
    return message;
  };
  t.match(
    await said({}, ({ facts }) => void (facts.userDisabled = true)),
    /HTTP 403 .*: the user or the account is disabled$/,
  );
  t.match(await said({ project: 'eu-de_other' }), /: the project eu-de_other is not known, or not open to the user$/);
  t.match(await said({ user_domain: 'other' }), /: wrong name or password; wanted a user, domain and password/);
  // As Keystone 30 answers where the project is unknown, or not open to the user, or named without its domain.
  const keystone = (code: number, message: string): CtsFault => ({
    kind: 'answer',
    status: code,
    body: { error: { code, message, title: 'x' } },
  });
  const closed = keystone(401, 'The request you have made requires authentication.');
  t.match(await said({}, (fake) => fake.fail('auth_token', closed)), /, and a project that is open to the user$/);
  const named = keystone(400, 'Expecting to find domain in project. The server could not comply with the request.');
  t.match(
    await said({}, (fake) => fake.fail('auth_token', named)),
    /HTTP 400 .*: here a project is known by its id alone; wanted the 32 hex digits of eu-de_winery$/,
  );
  const locked = ctsError(401, 'IAM.1', 'The account geheim is locked');
  t.match(await said({}, (fake) => fake.fail('auth_token', locked)), /IAM\.1 .*: the user or the account is locked$/);
  const gone: CtsFault = { kind: 'answer', status: 404, body: 'no such page' };
  t.match(await said({}, (fake) => fake.fail('auth_token', gone)), /is the address the one that ends in \/v3\?$/);
  t.match(
    await said({}, ({ facts }) => void (facts.region = 'eu-nl')),
    /region eu-de, only those of elsewhere, eu-nl; check/,
  );
});

t.test('the errors of Keystone', async (t) => {
  const errors = JSON.parse(readFileSync(fixture('cts/keystone/errors.json'), 'utf8')) as readonly {
    readonly status: number;
    readonly body: unknown;
    readonly reaction: string;
  }[];
  for (const { status, body, reaction } of errors) {
    const rig = await scene(t);
    rig.fake.fail('auth_token', { kind: 'answer', status, body });
    t.equal(await refusal(rig), 'none');
    const isShort = /back-off/.test(reaction);
    t.same(rig.waits, [isShort ? 500 : 60_000], `${status}: ${reaction}`);
    t.equal(rig.errors.length, 1);
    t.notMatch(rig.errors[0], /INVENTED|down/);
  }
});

t.test('the errors of the list', async (t) => {
  const errors = JSON.parse(readFileSync(fixture('cts/errors.json'), 'utf8')) as readonly {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: unknown;
    readonly reaction: string;
  }[];
  const waits: readonly (readonly number[])[] = [
    [2_000],
    [500],
    [5_000],
    [300_000],
    [500],
    [500],
    [],
    [],
    [60_000],
    [],
    [60_000],
    [60_000],
  ];
  for (const [index, { status, headers = {}, body, reaction }] of errors.entries()) {
    const isKey = /AK\/SK/.test(reaction);
    const rig = await scene(t);
    const { fake } = rig;
    const {
      client,
      errors: told,
      waits: waited,
      signal,
    } = isKey ? clientRig(t, { auth: fake.keyAuth, endpoint: fake.url }) : rig;
    fake.fail('list_traces', { kind: 'answer', status, headers, body });
    t.match(await client.list(LAST_HOUR, signal), { items: [] });
    t.same(waited, waits[index], reaction);
    t.notMatch(told.join(), /throttled|canonical|no permission/);
  }
});

t.test('who does not go on for ever gives up', async (t) => {
  const rig = await scene(t, {}, { follow: false });
  const { fake } = rig;
  fake.fail('list_traces', ctsError(403, 'CTS.0013'));
  t.match(await refusal(rig), /CTS ReadOnlyAccess/);
  fake.fail('list_traces', ctsError(400, 'CTS.0300'));
  t.match(await refusal(rig), /HTTP 400/);
  t.same(rig.waits, []);
  fake.fail('list_traces', ctsError(401, 'A.1'), ctsError(401, 'A.1'));
  t.match(await refusal(rig), /HTTP 401/);
  t.same(rig.waits, []);
  fake.fail('list_traces', ...Array.from({ length: 10 }, () => ctsError(500, 'A.1')));
  t.match(await refusal(rig), /HTTP 500/);
  t.equal(rig.waits.length, 9);
  t.equal(fake.waiting, 0);
  rig.waits.length = 0;
  fake.fail('list_traces', tooMany(200), tooMany(200));
  t.match(await refusal(rig), /HTTP 429/);
  t.same(rig.waits, [200_000]);
  t.equal(await refusal(rig), 'none');
});
