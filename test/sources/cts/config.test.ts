import t from 'tap';
import { ctsConfig } from '../../../src/sources/cts/config.ts';
import { ctsSettings } from '../../../src/sources/cts/settings.ts';
import { settingsOf } from '../../support/fake-cts-client.ts';

function issue(config: unknown): string {
  const { error } = ctsConfig.safeParse(config);
  const [first] = error?.issues ?? [];
  return first ? `${first.path.join('.')}: ${first.message}` : 'valid';
}

t.test('the defaults', async (t) => {
  t.same(ctsConfig.parse(null), {
    cloud: null,
    clouds_file: null,
    auth: {
      url: null,
      username: null,
      user_id: null,
      password: null,
      user_domain: null,
      user_domain_id: null,
      project: null,
      token: null,
      ak: null,
      sk: null,
      security_token: null,
      signing: 'auto',
    },
    region: null,
    endpoint: null,
    tracker: null,
    interval: null,
    overlap: '5m',
    since: '0s',
    retention: '7d',
    api: 'auto',
    labels: [],
    tls: { ca: null, cert: null, key: null, insecure: false },
    timeout: '30s',
    top: 20,
    distinct: true,
  });
  t.match(settingsOf({}), {
    cloud: null,
    tracker: 'system',
    intervalMs: 60_000,
    overlapMs: 300_000,
    sinceMs: 0,
    retentionMs: 604_800_000,
    timeoutMs: 30_000,
    warnings: [],
  });
});

t.test('mistakes', async (t) => {
  for (const [config, message] of [
    [{ interval: '0s' }, 'interval: wanted a duration such as 250ms, 60s, 5m, 36h or 7d, above 0'],
    [{ timeout: 0 }, 'timeout: wanted a duration such as 250ms, 60s, 5m, 36h or 7d, above 0'],
    [{ overlap: 'x' }, 'overlap: wanted a duration such as 250ms, 60s, 5m, 36h or 7d'],
    [{ api: 'v4' }, 'api: wanted one of auto, v3, v2, v1'],
    [{ labels: ['name'] }, 'labels.0: wanted one of operation, user, region, project'],
    [{ labels: 'user' }, 'labels: wanted a list of labels'],
    [{ auth: { signing: 'v4' } }, 'auth.signing: wanted one of auto, credential, access'],
    [{ auth: { username: 'a', user_id: 'b' } }, 'auth.user_id: found both username and user_id, wanted one of them'],
    [
      { auth: { user_domain: 'a', user_domain_id: 'b' } },
      'auth.user_domain_id: found both user_domain and user_domain_id, wanted one of them',
    ],
    [{ tls: { cert: 'a' } }, 'tls.key: found cert without key, wanted both'],
    [{ tls: { key: 'a' } }, 'tls.cert: found key without cert, wanted both'],
    [
      { endpoint: 'https://u:p@cts.test' },
      'endpoint: found an address with a user, wanted an address such as https://cts.eu-de.otc.t-systems.com, without user and query',
    ],
    [
      { auth: { url: 'iam.test' } },
      'auth.url: wanted an address such as https://iam.eu-de.otc.t-systems.com/v3, without user and query',
    ],
    [{ top: 1_001 }, 'top: wanted a whole number from 0 to 1000'],
  ] as const) {
    t.equal(issue(config), message);
  }
  t.equal(issue({ auth: { project: 77, user_id: 12 }, interval: '1s', endpoint: 'http://h/p/v3/x' }), 'valid');
});

t.test('what the environment says', async (t) => {
  const env = { OS_CLOUD: ' own ', CTS_TRACKER: 'mine', CTS_FROM: '5' };
  t.match(settingsOf({}, env), { cloud: 'own', tracker: 'mine', intervalMs: 300_000 });
  t.match(settingsOf({ cloud: 'c', tracker: 't', interval: '2m' }, { ...env, CTS_FROM: 'x' }), {
    cloud: 'c',
    tracker: 't',
    intervalMs: 120_000,
  });
  t.match(settingsOf({}, { OS_CLOUD: ' ', CTS_TRACKER: '', CTS_FROM: ' ' }), {
    cloud: null,
    tracker: 'system',
    intervalMs: 60_000,
  });
  for (const wrong of ['0', '-1', 'x', '1e9', '1.5', '10081', '5m', '999999999']) {
    t.throws(
      () => ctsSettings(ctsConfig.parse({}), { CTS_FROM: wrong }),
      { message: `$CTS_FROM: found "${wrong}", wanted whole minutes from 1 to 10080` },
      wrong,
    );
  }
  t.equal(settingsOf({}, { CTS_FROM: '10080' }).intervalMs, 604_800_000);
});

t.test('durations that no timer and no request can have', async (t) => {
  const { timeoutMs, overlapMs } = settingsOf({ timeout: '365d', overlap: '1.0005s' });
  t.same([timeoutMs, overlapMs], [2 ** 31 - 1, 1_001]);
});

t.test('what is worth a word', async (t) => {
  const { sinceMs, warnings } = settingsOf({ since: '30d' }, { CTS_X_PNP: 'x', CTS_STREAMS: 'y', OS_DEBUG: '1' });
  t.equal(sinceMs, 604_800_000);
  t.same(warnings, [
    'since: found 30d, more than the retention of 7d, which is taken instead',
    '$CTS_X_PNP is set, but not used',
    '$CTS_STREAMS is set, but not used',
    '$OS_DEBUG is set, but not used',
  ]);
  t.match(settingsOf({ tls: { insecure: true } }).warnings, [/^tls\.insecure: certificates are not verified/]);
});
