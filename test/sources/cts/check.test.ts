import t, { type Test } from 'tap';
import { checkCts } from '../../../src/sources/cts/check.ts';
import { ctsConfig } from '../../../src/sources/cts/config.ts';
import { ctsError, type FakeCts, type FakeCtsOptions, startFakeCts } from '../../support/fake-cts.ts';
import { ctsTrace, NOON } from '../../support/fake-cts-client.ts';

interface Checked {
  readonly lines: readonly string[];
  readonly fake: FakeCts;
}

type Config = (fake: FakeCts) => object;

/** What is said: `+` before what is fine, `-` before what is not. */
async function check(
  t: Test,
  config: Config,
  options: FakeCtsOptions = {},
  arrange = (_: FakeCts) => {},
): Promise<Checked> {
  const fake = await startFakeCts(t, { now: () => NOON, ...options });
  arrange(fake);
  const lines: string[] = [];
  const { signal } = new AbortController();
  for await (const { ok, detail } of checkCts(ctsConfig.parse(config(fake)), signal, {}, { now: () => NOON })) {
    lines.push(`${ok ? '+' : '-'} ${detail}`);
  }
  t.notMatch(lines.join('\n'), /not-a-real|geheim|SK\/|invented|canonical/);
  return { lines, fake };
}

const withPassword: Config = ({ auth }) => ({ auth });

t.test('all is well', async (t) => {
  const iam = { ...ctsTrace(500, NOON - 400_000), service_type: 'iam' };
  const { lines } = await check(t, withPassword, {}, (fake) => {
    for (let number = 0; number < 300; number++) fake.add(ctsTrace(number, NOON - number * 1_000));
    fake.add(iam);
  });
  t.match(lines, [
    '+ settings: a poll each 60 s, looking back 300 s',
    /^\+ credentials: password of mara\.winter, at http:\/\/127\.0\.0\.1:\d+\/v3$/,
    '+ sign-in: the password was accepted',
    /^\+ catalog: the Cloud Trace Service is at http:.*; project eu-de_winery \([0-9a-f]{32}\), region eu-de$/,
    '+ traces: 301 traces of the last 7 days, the newest of 2026-01-01T12:00:00.000Z',
  ]);
});

t.test('an access key, and nothing there', async (t) => {
  const { lines, fake } = await check(t, ({ keyAuth, url }) => ({ auth: keyAuth, endpoint: url, since: '9d' }));
  t.match(lines, [
    '+ settings: a poll each 60 s, looking back 300 s',
    /^\+ since: found 9d/,
    /^\+ credentials: access key AKIN…, at http/,
    /^\+ endpoint: the Cloud Trace Service is at http/,
    '+ traces: they can be listed; the project eu-de_winery has none of the last 7 days',
    /^\+ no trace of IAM was seen in the last 7 days: .*the main one of the region/,
  ]);
  t.match(fake.queries, [{ from: NOON - 7 * 86_400_000 - 1, to: NOON + 1 }]);
});

t.test('more traces than are looked at; a marker on the last page', async (t) => {
  const many = (count: number) => (fake: FakeCts) => {
    for (let number = 0; number < count; number++) fake.add(ctsTrace(number, NOON - number));
  };
  const full = await check(t, withPassword, {}, many(5_001));
  t.match(full.lines.at(-2), /^\+ traces: at least 5000 traces/);
  t.equal(full.fake.queries.length, 25);
  const marked = await check(t, withPassword, { markerOnLast: true }, many(201));
  t.match(marked.lines.at(-2), /^\+ traces: 201 traces/);
});

t.test('what is wrong, in clear words', async (t) => {
  const last = async (config: Config, arrange = (_: FakeCts) => {}, options: FakeCtsOptions = {}) =>
    (await check(t, config, options, arrange)).lines.at(-1);
  const auth =
    (more: object): Config =>
    (fake) => ({ auth: { ...fake.auth, ...more } });
  t.match(await last(auth({ password: 'geheim' })), /^- auth_token: HTTP 401 .*wrong name or password/);
  t.match(
    await last(withPassword, ({ facts }) => void (facts.userDisabled = true)),
    /^- .*the user or the account is disabled/,
  );
  t.match(await last(auth({ project: 'eu-de_none' })), /^- .*the project eu-de_none is not known/);
  t.match(
    await last((fake) => ({ auth: fake.auth, region: 'eu-ch2' })),
    /^- catalog: .*region eu-ch2, only those of elsewhere, eu-de/,
  );
  t.match(await last((fake) => ({ auth: { ...fake.keyAuth, sk: 'geheim' } })), /^- .*the signature was refused/);
  const expired = ctsError(401, 'APIGW.0301', 'the ak is expired: canonical');
  t.match(
    await last(
      ({ keyAuth }) => ({ auth: { ...keyAuth, signing: 'access' } }),
      (fake) => fake.fail('list_projects', expired),
    ),
    /^- .*the access key, or its security token, has expired/,
  );
  t.match(
    await last(withPassword, (fake) => void (fake.isAllowed = false)),
    /^- .*HTTP 403 CTS\.0013.*CTS ReadOnlyAccess/,
  );
  t.match(await last(withPassword, () => {}, { apis: [] }), /^- .*there is no version of the API at http/);
  t.match(await last(() => ({})), /^- credentials: missing auth_url/);
  const clock = await check(t, withPassword, { now: () => NOON + 61_000 });
  t.match(clock.lines.at(-1), '- clock: the one here is 61 s behind that of the service; set it right');
  const none = await check(t, withPassword, {}, ({ facts }) => void (facts.hasService = false));
  t.match(none.lines.slice(-2), [
    '+ sign-in: the password was accepted',
    /^- catalog: found no endpoint of type cts, interface public, region eu-de, none at all; .*sources\.cts\.endpoint$/,
  ]);
});

t.test('who waits for doctor waits for seconds', async (t) => {
  const { signal } = new AbortController();
  // Nothing listens there.
  const auth = { ...(await startFakeCts(t)).auth, url: 'http://127.0.0.1:1/v3' };
  let now = NOON;
  const lines: string[] = [];
  for await (const { ok, detail } of checkCts(ctsConfig.parse({ auth }), signal, {}, { now: () => (now += 1_000) }))
    lines.push(`${ok ? '+' : '-'} ${detail}`);
  t.match(lines.at(-1), /^- auth_token: POST http:.*ECONNREFUSED/);
  t.ok(now - NOON < 30_000, `${now - NOON} ms`);
});

t.test('a variable that makes no sense', async (t) => {
  const { signal } = new AbortController();
  for await (const finding of checkCts(ctsConfig.parse({}), signal, { CTS_FROM: '0' })) {
    t.match(finding, { ok: false, detail: /^\$CTS_FROM: found "0"/ });
  }
});
